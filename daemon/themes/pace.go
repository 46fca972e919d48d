package themes

import (
	"context"
	"time"

	"kilim/daemon/pace"
)

// rest leaves the machine to others after worked. It is Run's alone.
func (k *Keeper) rest(ctx context.Context, worked time.Duration) error {
	k.worked += worked
	timer := time.NewTimer(pace.Rest(worked, k.archive.Quiet()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
