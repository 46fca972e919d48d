package feedfile

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const three = `{"id":"a","title":"one"}` + "\n" + `{"id":"b"}` + "\r\n" + `{"id":"c"}`

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "feed")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadAndWrite(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(three)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want := []Record{{"a", []byte(`{"id":"a","title":"one"}`)}, {"b", []byte(`{"id":"b"}`)}, {"c", []byte(`{"id":"c"}`)}}
	for name, path := range map[string]string{"plain": file(t, []byte(three)), "gzip": file(t, packed.Bytes())} {
		for _, count := range []int{0, 3, 2} {
			n := len(want)
			if count > 0 {
				n = count
			}
			got, err := Read(path, count)
			if err != nil || !reflect.DeepEqual(got, want[:n]) {
				t.Errorf("%s, %d: %q, %v", name, count, got, err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "copy")
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path, 0); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read again: %q, %v", got, err)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                                "0 artifacts, want at least",
		three:                             "3 artifacts, want at least 4",
		`{"id":"a"}` + "\n{":              "line 2",
		`{"id":"a"}` + "\n\n":             "line 2",
		`{"title":"a"}`:                   `id "" is empty`,
		`{"id":"a"}` + "\n{\"id\":\"a\"}": `id "a" is empty or not the first`,
	} {
		if _, err := Read(file(t, []byte(content)), 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none"), 0); err == nil {
		t.Error("read what is not there")
	}
}
