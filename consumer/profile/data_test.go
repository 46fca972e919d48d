package profile

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
)

// archive is where real feeds lie, beside the repository; see its README.
const archive = "../../../shared/data"

func records(tb testing.TB, path string) [][]byte {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	in, err := Feed(f)
	if err != nil {
		tb.Fatal(err)
	}
	var list [][]byte
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		list = append(list, append([]byte(nil), sc.Bytes()...))
	}
	if sc.Err() != nil {
		tb.Fatal(sc.Err())
	}
	return list
}

// TestRealFeeds: of what archives really send nothing is refused.
func TestRealFeeds(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join(archive, "*.jsonl*"))
	if len(files) == 0 {
		t.Skipf("no feeds in %s", archive)
	}
	for _, path := range files {
		for i, raw := range records(t, path) {
			a, err := Parse(raw, "", Limits{})
			if err != nil {
				t.Errorf("%s:%d: %v", path, i+1, err)
			} else if a.ID == "" || len(a.Type) == 0 && len(a.Media) == 0 && a.Title == "" {
				t.Errorf("%s:%d: nothing was read from %s", path, i+1, raw)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	path := filepath.Join(archive, "walters.jsonl.gz")
	if _, err := os.Stat(path); err != nil {
		b.Skip(err)
	}
	list := records(b, path)
	n := 0
	for _, raw := range list {
		n += len(raw)
	}
	b.SetBytes(int64(n / len(list)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := Parse(list[i%len(list)], "", Limits{}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
