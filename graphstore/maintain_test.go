package graphstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCollector rewrites value log files that are mostly garbage and loses nothing, also not for a view that was there before.
func TestCollector(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer checked(t, s)
	write := func(rounds ...byte) {
		for _, round := range rounds {
			commitAll(t, s, func(tx *Tx) error {
				for i := range 8 {
					raw := make([]byte, 100<<10)
					raw[0], raw[1] = round, byte(i)
					if _, err := tx.PutArtifact(Doc{ID: fmt.Sprint(i), Raw: raw}, nil); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	kept := func(r *Reader, round byte) error {
		for i := range 8 {
			doc, err := r.Artifact(fmt.Sprint(i))
			if err != nil {
				return err
			}
			if len(doc.Raw) != 100<<10 || doc.Raw[0] != round || doc.Raw[1] != byte(i) {
				t.Errorf("artifact %d was not kept", i)
			}
		}
		return nil
	}
	write(0, 1, 2, 3, 4, 5)
	if err := s.View(func(old *Reader) error {
		write(6, 7, 8, 9, 10, 11)
		if err := s.maintain(t.Context()); err != nil {
			return err
		}
		return kept(old, 5)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(r *Reader) error { return kept(r, 11) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Maintain(ctx); err != nil {
		t.Errorf("Maintain with a done context: %v", err)
	}
}

// onDisk is what the files of a folder take on the disk, holes not counted, in MiB.
func onDisk(t *testing.T, dir, pattern string) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	var blocks int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks += info.Sys().(*syscall.Stat_t).Blocks
	}
	return blocks * 512 / mib
}

// TestMaintainFrees replaces a record of 86 KB 600 times, by twos, and looks at the disk. Nothing of the
// replaced ones was ever freed, nor by badger's collection of the value log alone. Contents and files of the value log
// are a tenth and an eighth of what they are by default, so that 52 MB are written and not 520.
func TestMaintainFrees(t *testing.T) {
	const fileMB = 8
	s, err := Open(t.TempDir(), Options{SyncWrites: NoSync, valueLogMB: fileMB})
	if err != nil {
		t.Fatal(err)
	}
	raw := bytes.Repeat([]byte("inline media"), 86_000/12)
	put := func(ids ...string) {
		commitAll(t, s, func(tx *Tx) error {
			for _, id := range ids {
				if _, err := tx.PutArtifact(Doc{ID: id, Raw: raw}, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	put("another")
	for range 300 {
		put("a", "a") // two records of one batch: the last counts
		put("a")
	}
	before := onDisk(t, s.dir, "*.vlog")
	if err := s.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	alone := onDisk(t, s.dir, "*.vlog")
	start := time.Now()
	if err := s.maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := onDisk(t, s.dir, "*.vlog")
	t.Logf("value log: %d MiB, after badger's collection alone %d, after Maintain %d, in %v", before, alone, after, time.Since(start))
	if before < 48 {
		t.Errorf("the value log takes %d MiB before: too little for the test to mean anything", before)
	}
	// What is left is the file that is written, and the two contents.
	if after > fileMB+2 {
		t.Errorf("the value log takes %d MiB after, want at most the file that is being written", after)
	}
	for _, id := range []string{"a", "another"} {
		if doc, err := artifact(t, s, id); err != nil || !bytes.Equal(doc.Raw, raw) {
			t.Errorf("%s: %v", id, err)
		}
	}
	checked(t, s)
}

// TestMaintainDeep replaces contents whose rows lie on several levels, while a writer goes on.
func TestMaintainDeep(t *testing.T) {
	if underRaceDetector {
		t.Skip("the writer can't go on beside the collection, see underRaceDetector, and without it nothing races")
	}
	opts := small()
	opts.valueLogMB, opts.patience = 4, 100*time.Millisecond
	s, err := Open(t.TempDir(), opts)
	if err != nil {
		t.Fatal(err)
	}
	const artifacts = 300
	rng := rand.New(rand.NewPCG(4, 4))
	last := map[string]byte{}
	step := func(n byte) error {
		tx := s.Begin()
		defer tx.Discard()
		for range 8 {
			id := fmt.Sprint(rng.IntN(artifacts))
			// The evidence makes rows enough for several levels.
			doc := Doc{ID: id, Raw: bytes.Repeat([]byte{n}, 70<<10), Evidence: bytes.Repeat([]byte{n}, 40<<10)}
			if _, err := tx.PutArtifact(doc, nil); err != nil {
				return err
			}
			last[id] = n
		}
		return tx.Commit()
	}
	for n := range 120 {
		if err := step(byte(n)); err != nil {
			t.Fatal(err)
		}
	}
	before := onDisk(t, s.dir, "*.vlog")
	stop, stopped := make(chan struct{}), make(chan error)
	var longest time.Duration
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			start := time.Now()
			if err := step(255); err != nil {
				stopped <- err
				return
			}
			longest = max(longest, time.Since(start))
		}
	}()
	start := time.Now()
	for range 3 {
		if err := s.maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(start)
	close(stop)
	s.logged.Store(1 << 40) // a compaction is due
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if err := s.maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := onDisk(t, s.dir, "*.vlog")
	t.Logf("value log: %d MiB before, %d after %v, beside a writer whose longest commit took %v", before, after, took, longest)
	live := int64(len(last)) * 70 << 10 / mib
	if after > 2*live+3*4 {
		t.Errorf("the value log takes %d MiB, of which %d live", after, live)
	}
	for id, n := range last {
		if doc, err := artifact(t, s, id); err != nil || doc.Raw[0] != n || len(doc.Raw) != 70<<10 {
			t.Errorf("%s: %v", id, err)
		}
	}
	checked(t, s)
}

// TestMaintainDamaged has a damaged entry in a file that badger would rewrite, and remove with all that lives behind the
// entry: the file is left alone.
func TestMaintainDamaged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	opts := tornOptions()
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := Open(t.TempDir(), opts)
	if err != nil {
		t.Fatal(err)
	}
	put := func(id string, n byte) {
		commitAll(t, s, func(tx *Tx) error {
			_, err := tx.PutArtifact(Doc{ID: id, Raw: bytes.Repeat([]byte{n}, 500<<10)}, nil)
			return err
		})
	}
	for n := range byte(4) { // the first file: three that will be replaced, one that lives
		put([]string{"a", "b", "c", "live"}[n], n+1)
	}
	first := only(t, s.dir, "000001.vlog")
	for n := range byte(24) {
		put([]string{"a", "b", "c"}[n%3], 10+n)
	}
	all, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	at := int64(bytes.Index(all, bytes.Repeat([]byte{2}, 1000)))
	flip(t, first, at, 1)
	s.logged.Store(1 << 40) // a compaction is due
	if err := s.maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc, err := artifact(t, s, "live"); err != nil || doc.Raw[0] != 4 {
		t.Errorf("what lives behind a damaged entry: %v", err)
	}
	if !strings.Contains(log.String(), errDamagedLog.Error()) {
		t.Errorf("the log does not tell of it: %s", log.String())
	}
	flip(t, first, at, 1)
	if err := s.maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a sound file of garbage is still there: %v", err)
	}
	if doc, err := artifact(t, s, "live"); err != nil || doc.Raw[0] != 4 {
		t.Errorf("what was moved: %v", err)
	}
	checked(t, s)
}
