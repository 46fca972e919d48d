package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errTimeout = errors.New("timeout")

// within is ctx with the time that --timeout gives a command; 0 is no bound.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc, error) {
	switch {
	case timeout < 0:
		return nil, nil, &exitError{exitUsage, fmt.Errorf("timeout: %v: want a positive duration, or 0 for none", timeout)}
	case timeout == 0:
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: not done after %v", errTimeout, timeout))
	return ctx, cancel, nil
}

// late gives an error the exit code of a command that ran out of time, if that is why it failed.
func late(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errTimeout) {
		return &exitError{exitTimeout, fmt.Errorf("%w: %w", cause, err)}
	}
	return err
}
