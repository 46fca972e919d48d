package graphstore

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tornStore has a log of small and of redo-sized commits in one memtable file,
// as an unclean end leaves it.
type tornStore struct {
	dir string
	// states[i] is the state after i commits, ends[i] the length of the log then.
	states []map[string]string
	ends   []int
}

func tornOptions() Options {
	return Options{MemtableMB: 4, CacheMB: 1, SyncWrites: NoSync, valueLogMB: 2}
}

func newTornStore(t *testing.T, raw []byte) *tornStore {
	t.Helper()
	live := t.TempDir()
	s, err := Open(live, tornOptions())
	if err != nil {
		t.Fatal(err)
	}
	ts := &tornStore{dir: filepath.Join(t.TempDir(), "torn")}
	note := func() {
		ts.states = append(ts.states, rowsOf(t, s))
		ts.ends = append(ts.ends, len(used(t, only(t, live, ".mem"))))
	}
	note()
	for n := range 8 {
		tx := s.Begin()
		doc := Doc{ID: fmt.Sprint(n), Raw: raw, Evidence: []byte("evidence")}
		if _, err := tx.PutArtifact(doc, []EdgeSpec{
			{Type: Culture, Rel: Relation(Culture), Key: "ming", Label: "Ming"},
			{Type: Artifact, Rel: RelLink, Key: fmt.Sprint(n + 1)},
		}); err != nil {
			t.Fatal(err)
		}
		if n == 5 {
			for i := range 12 {
				if err := tx.PutMeta(fmt.Sprint(i), bytes.Repeat([]byte{7}, 60<<10)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		note()
	}
	if err := os.CopyFS(ts.dir, os.DirFS(live)); err != nil {
		t.Fatal(err)
	}
	checked(t, s)
	return ts
}

// copy is the folder with its one file of a kind changed.
func (ts *tornStore) copy(t *testing.T, suffix string, change func([]byte) []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(ts.dir)); err != nil {
		t.Fatal(err)
	}
	file := only(t, dir, suffix)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// only finds the one file of a kind.
func only(t *testing.T, dir, suffix string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(files) != 1 {
		t.Fatalf("files *%s: %v (%v), want one", suffix, files, err)
	}
	return files[0]
}

// used is the content of a log without the zeros it ends with.
func used(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(b, "\x00")
}

// commitsIn opens a folder and says how many commits its state holds, which
// must be whole ones.
func (ts *tornStore) commitsIn(t *testing.T, dir, what string) int {
	t.Helper()
	s, err := Open(dir, tornOptions())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer checked(t, s)
	got := rowsOf(t, s)
	n := slices.IndexFunc(ts.states, func(want map[string]string) bool { return maps.Equal(got, want) })
	if n < 0 {
		t.Fatalf("%s: the state is not that after any number of commits", what)
	}
	return n
}

// TestTruncatedLog cuts the log of the memtable off at many places: the state
// is that of all commits whose log is complete, and never a part of one.
func TestTruncatedLog(t *testing.T) {
	t.Parallel()
	ts := newTornStore(t, []byte("raw"))
	last := len(ts.ends) - 1
	var cuts []int
	for i := 1; i <= last; i++ {
		length := ts.ends[i] - ts.ends[i-1]
		for _, part := range []int{1, 4, 7} {
			cuts = append(cuts, ts.ends[i-1]+length*part/8)
		}
	}
	before := 0
	for i := 0; i < len(cuts); i += every() {
		cut := cuts[i]
		what := fmt.Sprintf("cut at %d", cut)
		n := ts.commitsIn(t, ts.copy(t, ".mem", func(b []byte) []byte { return b[:cut] }), what)
		complete, _ := slices.BinarySearch(ts.ends, cut)
		complete-- // ends[complete] <= cut
		// A commit by redo log has happened before all of its log is there.
		if n != complete && !(n == complete+1 && n == 6) {
			t.Errorf("%s: %d commits, of %d the log is complete", what, n, complete)
		}
		if n < before {
			t.Errorf("%s: %d commits, a shorter log gave %d", what, n, before)
		}
		before = n
	}
	if n := ts.commitsIn(t, ts.copy(t, ".mem", bytes.Clone), "whole"); n != last {
		t.Errorf("the whole log gives %d commits, want %d", n, last)
	}
}

// TestFlippedLog damages the log: badger notices by its checksums and drops the
// damaged commit and, without a word, those after it. What is left is whole.
func TestFlippedLog(t *testing.T) {
	t.Parallel()
	ts := newTornStore(t, []byte("raw"))
	for i := 1; i < len(ts.ends); i++ {
		at := (ts.ends[i-1] + ts.ends[i]) / 2
		n := ts.commitsIn(t, ts.copy(t, ".mem", func(b []byte) []byte {
			b = bytes.Clone(b)
			b[at] ^= 0x10
			return b
		}), fmt.Sprintf("flip at %d", at))
		if n != i-1 && !(i == 6 && n == 6) {
			t.Errorf("flip at %d, in the log of commit %d: %d commits are left", at, i, n)
		}
	}
}

// TestDamagedValueLog: badger returns an empty value, and no error, for a value
// that it can't read. A row is never empty, so reading says what happened.
func TestDamagedValueLog(t *testing.T) {
	t.Parallel()
	ts := newTornStore(t, bytes.Repeat([]byte("inline media "), 8000))
	dir := ts.copy(t, ".vlog", func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(bytes.TrimRight(b, "\x00"))-1000] ^= 1
		return b
	})
	s, err := Open(dir, tornOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(func(r *Reader) error {
		if _, err := r.Artifact("0"); err != nil {
			return err
		}
		_, err := r.Artifact("7")
		return err
	})
	if err == nil || !strings.Contains(err.Error(), `"7"`) || !strings.Contains(err.Error(), "value log") {
		t.Errorf("reading a damaged value: %v", err)
	}
	var problems []string
	if err := s.Check(func(p string) { problems = append(problems, p) }); err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || !strings.Contains(problems[0], "value log") {
		t.Errorf("check of a damaged value: %q", problems)
	}
}

// TestDamagedTable flips a bit at many places of a table: either the store does not open, or every row is as it
// was.
func TestDamagedTable(t *testing.T) {
	t.Parallel()
	ts := newTornStore(t, []byte("raw"))
	s, err := Open(ts.dir, tornOptions())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // which makes a table of the log
		t.Fatal(err)
	}
	if s, err = Open(ts.dir, tornOptions()); err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatalf("before: %v", err)
	}
	size := len(used(t, only(t, ts.dir, ".sst")))
	const places = 12
	noticed := 0
	for i := range places {
		at := size * (2*i + 1) / (2 * places)
		dir := ts.copy(t, ".sst", func(b []byte) []byte {
			b = bytes.Clone(b)
			b[at] ^= 0x10
			return b
		})
		s, err := Open(dir, tornOptions())
		if err != nil {
			noticed++
			continue
		}
		if !maps.Equal(rowsOf(t, s), want) {
			t.Errorf("flip at %d of %d is not noticed", at, size)
		}
		_ = s.Close() // it may refuse
	}
	if noticed < places/4 {
		t.Errorf("%d of %d flips are noticed", noticed, places)
	}
}

// A process that dies between the creation of a log file and its first byte leaves it empty. The
// next one must open the store all the same, with all that was committed.
func TestEmptyLogFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir, tornOptions())
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin()
	if _, err := tx.PutArtifact(Doc{ID: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00090.mem", "00091.mem", "000092.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if s, err = Open(dir, tornOptions()); err != nil {
			t.Fatal(err)
		}
		if got := rowsOf(t, s); !maps.Equal(got, want) {
			t.Errorf("%d rows, want %d", len(got), len(want))
		}
		if err := s.Check(func(p string) { t.Error(p) }); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
