package comparison

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Write(&b, []Row{{"chain", "a & b", 3, 2, "python", "µs", 1.5}, {Bench: "encoders"}}); err != nil {
		t.Fatal(err)
	}
	want := `{"bench":"chain","case":"a & b","ours":3,"peer":2,"peer_name":"python","unit":"µs","ratio":1.5}
{"bench":"encoders","case":"","ours":0,"peer":0,"peer_name":"","unit":"","ratio":0}
`
	if b.String() != want {
		t.Errorf("%s", &b)
	}
}

// TestAppend: a file begins with its head, entries follow, and one that can't be made leaves no trace.
func TestAppend(t *testing.T) {
	t.Parallel()
	path, now := filepath.Join(t.TempDir(), "RESULTS.md"), time.Date(2026, 11, 30, 5, 46, 0, 0, time.UTC)
	write := func(text string, err error) error {
		return Append(path, "# Head\n", now, func(w io.Writer) error {
			fmt.Fprint(w, text)
			return err
		})
	}
	failed := errors.New("no figures")
	if err := errors.Join(write("one\n", nil), write("two\n", nil)); err != nil {
		t.Fatal(err)
	}
	if err := write("half", failed); !errors.Is(err, failed) {
		t.Errorf("an entry that can't be made: %v", err)
	}
	const want = "# Head\n\n## 2026-11-30 05:46 UTC\n\none\n\n## 2026-11-30 05:46 UTC\n\ntwo\n"
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("the file has %q (%v), want %q", got, err, want)
	}
}
