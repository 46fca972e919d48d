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

// Maintain frees, now and then until ctx is done, what replaced and deleted values take of the value log. It returns nil then.
// One Maintain runs at a time, for a store that is written.
//
// Badger's RunValueLogGC alone frees nothing in a small store: it goes by what compactions have found to be garbage, and
// the rows of a small store, which are pointers into the value log, never leave the memtable. So once enough values were
// written (see due), Maintain compacts the rows first.
//
// What is free on the disk then: a file of the value log of which more than half is garbage goes, except the one that
// is being written, and badger stops at that one when it has more garbage than any other. So of L bytes that live, at
// most about 2 L stay, and the garbage of one file and of what is written between two compactions.
func (s *Store) Maintain(ctx context.Context) error {
	tick := time.NewTicker(s.opts.MaintainInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.maintain(ctx); err != nil {
			return err
		}
	}
}

func (s *Store) maintain(ctx context.Context) error {
	// So that Close waits. A snapshot would do that too, and the compaction would have to keep all that it shows.
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if s.due() && s.Room(1) == nil {
		start := time.Now()
		s.logged.Store(0)
		if err := s.flush(); err != nil {
			s.poison(err)
			return s.Err()
		}
		// As with badger's own compactions: one that failed has changed nothing, and the next does its work.
		if err := s.flatten(); err != nil {
			s.log.Warn("a compaction was not completed", "dir", s.dir, "error", err)
		}
		s.log.Debug("compacted the store", "dir", s.dir, "took", time.Since(start))
	}
	return s.collect(ctx)
}

// due tells that a compaction is worth its price: it writes all rows once, so as many bytes must have been written to
// the value log since the last one. A folder that was just opened counts with all that its value log has.
func (s *Store) due() bool {
	rows, _ := s.db.Size()
	return s.logged.Load() >= max(rows, 2*s.logFileSize())
}

const (
	// freeTime is what a writer has between two times that flatten holds it up, and mostHeld the longest of these.
	freeTime = 250 * time.Millisecond
	mostHeld = 2 * time.Second
)

// flatten joins all levels to one, so that badger finds all that has been replaced. Badger's Flatten begins anew with each
// table that a writer adds meanwhile, and is never done beside one that writes as fast as it can. So if it is not done
// after Options.patience, flatten holds writers up now and then.
func (s *Store) flatten() error {
	done := make(chan error, 1)
	go func() { done <- s.db.Flatten(1) }()
	timer := time.NewTimer(s.opts.patience)
	defer timer.Stop()
	for held := freeTime; ; held = min(2*held, mostHeld) {
		select {
		case err := <-done:
			return err
		case <-timer.C:
		}
		s.writer.Lock()
		timer.Reset(held)
		select {
		case err := <-done:
			s.writer.Unlock()
			return err
		case <-timer.C:
			s.writer.Unlock()
			timer.Reset(freeTime)
		}
	}
}

// flush makes a table of what is in the memtable, and joins those of level 0. Writers wait meanwhile, and so do readers that miss the
// caches: about a second with memtables of 64 MiB. Badger does that when a memtable is full, when it is closed, and when it drops
// a prefix that some row has, which is the way that is open to others: so flush writes a row to drop.
func (s *Store) flush() error {
	s.writer.Lock()
	defer s.writer.Unlock()
	if err := s.Err(); err != nil {
		return err
	}
	if err := s.write("flush", []op{{key: []byte{keyFlush}, value: newRow(0)}}); err != nil {
		return err
	}
	if err := s.db.DropPrefix([]byte{keyFlush}); err != nil {
		return fmt.Errorf("flush the memtable: %w", err)
	}
	return nil
}

// collect rewrites value log files until badger finds none worth it.
func (s *Store) collect(ctx context.Context) error {
	files := logVerifier{dir: s.dir, verified: map[uint32]struct{}{}}
	for ctx.Err() == nil {
		err := s.opts.room(s.dir, s.Margin()/2)
		if err == nil {
			err = files.candidates()
		}
		if err != nil {
			s.log.Warn("the value log is not collected", "dir", s.dir, "error", err)
			return nil
		}
		switch err := s.db.RunValueLogGC(discardRatio); {
		case err == nil: // there may be more
		case errors.Is(err, badger.ErrNoRewrite), errors.Is(err, badger.ErrRejected):
			return nil
		default:
			return fmt.Errorf("graphstore: collect the value log: %w", err)
		}
	}
	return nil
}
