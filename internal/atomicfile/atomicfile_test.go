package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var errPlanned = errors.New("planned")

// forms are the two ways to replace a file.
var forms = map[string]func(path, content string, before func(string) error) error{
	"Write": func(path, content string, before func(string) error) error {
		return Write(path, []byte(content), before)
	},
	"WriteFunc": func(path, content string, before func(string) error) error {
		return WriteFunc(path, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		}, before)
	},
}

// written returns a path with content, below a folder of its own.
func written(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "folder", "f")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte(content), nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("the file holds %.40q (%d bytes), want %.40q (%d bytes)", got, len(got), want, len(want))
	}
}

// wantAlone fails when anything but the file is in its folder.
func wantAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the folder holds %v, want %s alone", entries, filepath.Base(path))
	}
}

// TestWholeAtEveryStep ends the work before each step in turn, as a crash would: the file has the old content or the new
// one, ErrUnsure tells when it has the new one in spite of an error, and what is left is not in the way of the next Write.
func TestWholeAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, write := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct {
				crash, content string
				left           bool
			}{{"file-write", "old", false}, {"file-rename", "old", true}, {"file-sync", "new", false}} {
				path := written(t, "old")
				var steps []string
				err := write(path, "new", func(step string) error {
					if steps = append(steps, step); step == c.crash {
						return errPlanned
					}
					return nil
				})
				if !errors.Is(err, errPlanned) || errors.Is(err, ErrUnsure) != (c.content == "new") || steps[len(steps)-1] != c.crash {
					t.Errorf("crash before %s: steps %q, error %v", c.crash, steps, err)
				}
				wantContent(t, path, c.content)
				if _, err := os.Stat(path + suffix); (err == nil) != c.left {
					t.Errorf("crash before %s: the temporary file: %v, want it left: %v", c.crash, err, c.left)
				}
				if err := write(path, "n", nil); err != nil { // shorter than what was left
					t.Fatal(err)
				}
				wantContent(t, path, "n")
				wantAlone(t, path)
			}
		})
	}
}

// TestFailureRemovesTheTemporaryFile lets each operation fail by itself: the old content stays, and nothing beside it.
func TestFailureRemovesTheTemporaryFile(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 3<<20) // more than the buffer of WriteFunc
	for name, c := range map[string]struct {
		write func(path string) error
		want  error
	}{
		"content": {func(path string) error {
			return WriteFunc(path, func(w io.Writer) error {
				if _, err := io.WriteString(w, large); err != nil {
					return err
				}
				return errPlanned
			}, nil)
		}, errPlanned},
		// Of a closed file neither fsync nor close succeeds.
		"fsync": {func(path string) error {
			return replace(path, func(f *os.File) error { return f.Close() }, nil)
		}, os.ErrClosed},
		"flush": {func(path string) error {
			return replace(path, func(f *os.File) error {
				if err := f.Close(); err != nil {
					return err
				}
				_, err := f.WriteString(large)
				return err
			}, nil)
		}, os.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := written(t, "old")
			if err := c.write(path); !errors.Is(err, c.want) || errors.Is(err, ErrUnsure) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			wantContent(t, path, "old")
			wantAlone(t, path)
		})
	}
}

// TestFailingRename replaces a folder by a file, which rename refuses.
func TestFailingRename(t *testing.T) {
	t.Parallel()
	inside := written(t, "old")
	folder := filepath.Dir(inside)
	if err := Write(folder, []byte("new"), nil); err == nil || errors.Is(err, ErrUnsure) {
		t.Errorf("a folder was replaced by a file: %v", err)
	}
	wantContent(t, inside, "old")
	wantAlone(t, folder)
}

// TestFailingFolder takes the folder away before the last step, so that it can't be synced: the new content is in place.
func TestFailingFolder(t *testing.T) {
	t.Parallel()
	path := written(t, "old")
	moved := filepath.Dir(path) + "-moved"
	err := Write(path, []byte("new"), func(step string) error {
		if step == "file-sync" {
			return os.Rename(filepath.Dir(path), moved)
		}
		return nil
	})
	if !errors.Is(err, ErrUnsure) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrUnsure for a folder that does not exist", err)
	}
	path = filepath.Join(moved, "f")
	wantContent(t, path, "new")
	wantAlone(t, path)
	if err := Write(filepath.Join(path, "below a file"), nil, nil); err == nil {
		t.Error("wrote below a file")
	}
}

// TestReadersSeeOneContent reads while a large file is replaced again and again.
func TestReadersSeeOneContent(t *testing.T) {
	t.Parallel()
	contents := []string{strings.Repeat("a", 1<<20), strings.Repeat("b", 2<<20)}
	path := written(t, contents[0])
	done := make(chan error)
	go func() {
		for i := range 20 {
			if err := forms["WriteFunc"](path, contents[i%2], nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(got); s != contents[0] && s != contents[1] {
			t.Fatalf("a reader found %d bytes that nobody wrote", len(s))
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

// TestClean removes what a killed process left, and finds nothing wrong when there is nothing.
func TestClean(t *testing.T) {
	t.Parallel()
	path := written(t, "old")
	if err := os.WriteFile(path+suffix, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Clean(path); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, "old")
		wantAlone(t, path)
	}
	if err := Clean(filepath.Join(path, "below a file")); err == nil {
		t.Error("cleaned below a file")
	}
}
