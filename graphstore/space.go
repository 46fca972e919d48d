package graphstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// SpaceError says that the disk has less room than the store may need to write. It is an ErrNoSpace. Nothing was
// changed, and the store has not failed.
type SpaceError struct {
	Dir string
	// Free is what the disk has, Need what it must have, in bytes.
	Free, Need int64
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("graphstore: the disk of %s is nearly full: %d MiB are free, and %d MiB must be; make room, it goes on then",
		e.Dir, e.Free/mib, (e.Need+mib-1)/mib)
}

// Is tells that a SpaceError is an ErrNoSpace.
func (e *SpaceError) Is(target error) bool { return target == ErrNoSpace }

// Badger writes memtables, tables and the value log through files that are mapped and have holes. When the disk is full,
// the kernel ends the process (SIGBUS) at the write into a hole; no error can be returned. So the store looks at the free
// space before it writes, and leaves a margin that badger may use up in the background.
//
// What is in the margin: memtables that are written or wait to be made tables; the tables of level 0, all of which a compaction
// may write once more before it removes them (a writer is held up at levelZeroTables of them); what compactions of the
// deeper levels, two at a time, write before they remove anything; and a file of the value log.
const (
	memtables       = 3
	levelZeroTables = 10
	// deepTables and deepMB are the room for the deeper levels, in memtables, and its least, in MiB.
	deepTables, deepMB = 4, 32
)

// Margin is the free space, in bytes, below which no unit of work should begin: 472 MiB with memtables of 24. A commit needs
// half of it, so that a unit that has begun above it can end, and an acknowledgement, which takes some bytes a message and
// whose refusal ends the publisher, a quarter.
func (s *Store) Margin() int64 { return s.opts.margin() }

func (o *Options) margin() int64 {
	deep := max(deepTables*o.MemtableMB, deepMB)
	return int64((memtables+levelZeroTables)*o.MemtableMB+deep+o.valueLogMB) * mib
}

// Room returns an ErrNoSpace when the disk has less than so many times Margin: 1, or 2 to leave one to another store on the
// same disk, which goes before. Who writes asks before it begins: what has been changed in memory when Commit refuses would
// have to be undone.
func (s *Store) Room(margins int64) error { return s.opts.room(s.dir, margins*s.opts.margin()) }

func (o *Options) room(dir string, need int64) error {
	free, err := o.FreeSpace(dir)
	if err != nil {
		return fmt.Errorf("graphstore: free space of %s: %w", dir, err)
	}
	if free < need {
		return &SpaceError{Dir: dir, Free: free, Need: need}
	}
	return nil
}

// WaitRoom returns when there is Room, or with ctx's error when ctx is done. It logs when it begins to wait, and when
// it goes on.
func (s *Store) WaitRoom(ctx context.Context, margins int64) error {
	err := s.Room(margins)
	if !errors.Is(err, ErrNoSpace) {
		return err
	}
	s.log.Error("nothing is written to this store until the disk has room", "error", err)
	tick := time.NewTicker(s.opts.roomPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-tick.C:
		}
		if err = s.Room(margins); !errors.Is(err, ErrNoSpace) {
			s.log.Info("the disk has room again", "dir", s.dir)
			return err
		}
	}
}

// commitRoom looks at the space before a commit of ops, all of which may be written twice, and which must leave reserve.
func (s *Store) commitRoom(ops []op, reserve int64) error {
	need := reserve
	for i := range ops {
		need += 2 * int64(len(ops[i].key)+len(ops[i].value))
	}
	return s.opts.room(s.dir, need)
}

// openRoom looks at the space before badger opens the folder: it makes tables of what is in the logs, and new logs.
func (o *Options) openRoom(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return o.room(dir, o.margin()/2)
}

// freeSpace is what a process without privileges may still write to the disk of dir.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
