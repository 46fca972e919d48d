package graphstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNoSpace sets what the disk has free. Below the margin Room says so, in a sentence with the folder and the numbers; below
// half of it a commit is refused and changes nothing, and Open is; reads go on, and writes do once there is room.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	free.Store(1 << 40)
	opts := small()
	opts.FreeSpace = func(string) (int64, error) { return free.Load(), nil }
	opts.roomPoll = time.Millisecond
	dir := t.TempDir()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	put := func(id string) error {
		tx := s.Begin()
		defer tx.Discard()
		if _, err := tx.PutArtifact(Doc{ID: id}, nil); err != nil {
			return err
		}
		if _, err := tx.Enqueue([]byte("message")); err != nil {
			return err
		}
		return tx.Commit()
	}
	if err := errors.Join(s.Room(1), put("a")); err != nil {
		t.Fatal(err)
	}
	free.Store(s.Margin() - 1)
	err = s.Room(1)
	var space *SpaceError
	if !errors.As(err, &space) || !errors.Is(err, ErrNoSpace) || space.Free != s.Margin()-1 || space.Need != s.Margin() || space.Dir != dir {
		t.Errorf("below the margin: %v", err)
	}
	if want := fmt.Sprintf("the disk of %s is nearly full: 45 MiB are free, and 46 MiB must be", dir); !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %q, want it to say %q", err, want)
	}
	if err := put("b"); err != nil { // a unit that has begun may end
		t.Errorf("a commit above half of the margin: %v", err)
	}
	free.Store(s.Margin()/2 - 1)
	before := rowsOf(t, s)
	if err := put("c"); !errors.Is(err, ErrNoSpace) || errors.Is(err, ErrFailed) {
		t.Errorf("a commit below half of the margin: %v", err)
	}
	if !maps.Equal(rowsOf(t, s), before) {
		t.Error("a commit that was refused has changed rows")
	}
	if _, err := artifact(t, s, "a"); err != nil {
		t.Errorf("a read: %v", err)
	}
	if err := s.Ack(1, nil); err != nil {
		t.Errorf("an acknowledgement: %v", err)
	}
	free.Store(0)
	if err := s.Ack(2, nil); !errors.Is(err, ErrNoSpace) || errors.Is(err, ErrFailed) {
		t.Errorf("an acknowledgement on a full disk: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.WaitRoom(ctx, 1); !errors.Is(err, ErrNoSpace) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting in vain: %v", err)
	}
	waited := make(chan error)
	go func() { waited <- s.WaitRoom(t.Context(), 1) }()
	free.Store(1 << 40)
	if err := errors.Join(<-waited, put("c"), s.Ack(3, nil)); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
	checked(t, s)
	free.Store(1)
	if _, err := Open(dir, opts); !errors.Is(err, ErrNoSpace) {
		t.Errorf("open on a full disk: %v", err)
	}
}

// TestFullDisk writes to a small disk until there is no room. Without the margin the kernel ended the process.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may mount a tmpfs")
	}
	disk := t.TempDir()
	if err := unix.Mount("kilim-test", disk, "tmpfs", 0, "size=160m"); err != nil {
		t.Skip("mount a tmpfs: ", err)
	}
	defer func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 48<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(disk, "graph")
	s, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	stored := 0
	fill := func() error {
		for range 100_000 {
			if err := s.Room(1); err != nil {
				return err
			}
			raw := make([]byte, []int{2 << 10, 40 << 10, 150 << 10}[rng.IntN(3)])
			tx := s.Begin()
			for range 4 {
				if _, err := tx.PutArtifact(Doc{ID: fmt.Sprint(stored), Raw: raw}, nil); err != nil {
					tx.Discard()
					return err
				}
				stored++
			}
			if err := tx.Commit(); err != nil {
				return err
			}
		}
		return errors.New("the disk is never full")
	}
	for _, what := range []string{"first", "after room was made", "after opening again"} {
		before := stored
		if err := fill(); !errors.Is(err, ErrNoSpace) {
			t.Fatalf("%s: %v", what, err)
		}
		if what != "after opening again" && stored == before {
			t.Errorf("%s: nothing could be stored", what)
		}
		if n := s.Counts().Artifacts; n != stored {
			t.Errorf("%s: %d artifacts, want %d", what, n, stored)
		}
		if err := s.Check(func(p string) { t.Errorf("%s: %s", what, p) }); err != nil {
			t.Error(err)
		}
		switch what {
		case "first":
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		case "after room was made":
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(dir, small()); err != nil {
				t.Fatal(err)
			}
		}
	}
	checked(t, s)
}
