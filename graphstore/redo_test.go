package graphstore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRedoStepsAreFew: a commit of three transactions' rows waits for the disk once for its log, and as often as its rows take
// transactions, not for each chunk.
func TestRedoStepsAreFew(t *testing.T) {
	t.Parallel()
	steps := map[string]int{}
	s, err := Open(t.TempDir(), Options{MemtableMB: 8, CacheMB: 1, SyncWrites: NoSync, BeforeWrite: func(step string) error {
		steps[step]++
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer checked(t, s)
	const rows, size = 60, 50 << 10
	transactions := rows*size/int(s.db.MaxBatchSize()) + 1
	commitAll(t, s, func(tx *Tx) error {
		for i := range rows {
			if err := tx.PutMeta(fmt.Sprint(i), make([]byte, size)); err != nil {
				return err
			}
		}
		return nil
	})
	if steps["redo-log"] != 1 || steps["redo-apply"] != transactions || transactions < 3 {
		t.Errorf("steps %v, want 1 of the redo log and %d that apply it", steps, transactions)
	}
}

// TestTornRedo damages the redo log of a commit of which nothing is in its place yet, and of one of which a part is: the first has then
// never happened, and the second is refused, for what is missing of it is not to be found. With a whole log both are completed, and
// the log of a commit that is not the next one is left alone (TestTruncatedLog).
func TestTornRedo(t *testing.T) {
	t.Parallel()
	ts := newTornStore(t, []byte("raw"))
	const large = 6 // the commit that needs the redo log
	nothing, part := ts.ends[large-1], ts.ends[large]-1
	whole, err := os.ReadFile(filepath.Join(ts.dir, redoFile))
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{"of no bytes": {}, "whole": whole}
	for i := range 8 {
		damaged[fmt.Sprintf("cut at %d/8", i)] = whole[:len(whole)*i/8]
		flipped := bytes.Clone(whole)
		flipped[(len(whole)-1)*i/7] ^= 0x10
		damaged[fmt.Sprintf("flipped at %d/7", i)] = flipped
	}
	for i := 0; i < redoHead; i += every() {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x01
		damaged[fmt.Sprintf("flipped in byte %d of the head", i)] = flipped
	}
	for what, log := range damaged {
		for _, cut := range []int{nothing, part} {
			dir := ts.copy(t, ".mem", func(b []byte) []byte { return b[:cut] })
			if err := os.WriteFile(filepath.Join(dir, redoFile), log, 0o600); err != nil {
				t.Fatal(err)
			}
			want := large - 1
			if bytes.Equal(log, whole) {
				want = large
			} else if cut == part {
				s, err := Open(dir, tornOptions())
				if err == nil {
					_ = s.Close()
				}
				if err == nil || !strings.Contains(err.Error(), "damaged") {
					t.Errorf("%s, of a commit that is in its place in part: %v", what, err)
				}
				continue
			}
			if n := ts.commitsIn(t, dir, what); n != want {
				t.Errorf("%s: %d commits, want %d", what, n, want)
			}
		}
	}
}

// TestRedoIsNotInTheValueLog: a commit by redo log leaves nothing in the value log to be collected.
func TestRedoIsNotInTheValueLog(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir(), Options{MemtableMB: 8, CacheMB: 1, SyncWrites: NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer checked(t, s)
	before := s.logged.Load()
	commitAll(t, s, func(tx *Tx) error {
		for i := range 60 {
			if err := tx.PutMeta(fmt.Sprint(i), make([]byte, 50<<10)); err != nil {
				return err
			}
		}
		return nil
	})
	if after := s.logged.Load(); after != before {
		t.Errorf("%d bytes are in the value log", after-before)
	}
}
