package graphstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// discardRatio is the part of a value log file that must be garbage before
// the file is rewritten.
const discardRatio = 0.5

func (s *Store) collect(ctx context.Context) error {
	tick := time.NewTicker(s.opts.GCInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.collectAll(ctx); err != nil {
			return err
		}
	}
}

// collectAll rewrites value log files until badger finds none worth it.
func (s *Store) collectAll(ctx context.Context) error {
	for ctx.Err() == nil {
		// Close waits for a snapshot to be released, so badger stays open.
		snap, err := s.acquire()
		if err != nil {
			return err
		}
		err = s.db.RunValueLogGC(discardRatio)
		s.release(snap)
		switch {
		case err == nil: // there may be more
		case errors.Is(err, badger.ErrNoRewrite), errors.Is(err, badger.ErrRejected):
			return nil
		default:
			return fmt.Errorf("graphstore: collect the value log: %w", err)
		}
	}
	return nil
}
