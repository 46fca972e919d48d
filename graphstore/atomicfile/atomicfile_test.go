package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestWholeAtEveryStep fails each step in turn: the file has the old content or the new one, and ErrUnsure tells
// when it has the new one in spite of an error.
func TestWholeAtEveryStep(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := Write(path, []byte("old"), nil); err != nil {
		t.Fatal(err)
	}
	planned := errors.New("planned")
	for crash, want := range []string{"old", "old", "new", "newer"} {
		n := 0
		err := Write(path, []byte([]string{"new", "new", "new", "newer"}[crash]), func(string) error {
			if n++; n == crash+1 {
				return planned
			}
			return nil
		})
		got, readErr := os.ReadFile(path)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if string(got) != want {
			t.Errorf("failed at step %d: the file holds %q, want %q", crash+1, got, want)
		}
		if (crash == 3) != (err == nil) || errors.Is(err, ErrUnsure) != (crash == 2) {
			t.Errorf("failed at step %d: %v", crash+1, err)
		}
	}
	if err := Write(filepath.Join(path, "below a file"), nil, nil); err == nil {
		t.Error("wrote below a file")
	}
}
