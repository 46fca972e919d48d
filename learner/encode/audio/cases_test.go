package audio

import (
	"os"
	"path/filepath"
	"testing"
)

// The files of ../shared/cases were made after others' bug reports; each has a twin, the same sound in a plain form.
func TestReportedCases(t *testing.T) {
	t.Parallel()
	const cases = "../../../../shared/cases/media"
	if _, err := os.Stat(cases); err != nil {
		t.Skipf("the cases are not here: %v", err)
	}
	e := encoder(t, Limits{})
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(cases, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, twin := range map[string]string{
		"sox-pipe.wav": "base.wav", "24-in-32.wav": "base.wav", "antiphase.wav": "base.wav", "id3v1-tail.flac": "base.wav", "padded-id3.mp3": "base.mp3",
	} {
		got, err := e.Encode(read(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c := cosine(vector(t, e, read(twin)), got); c < 0.9999 {
			t.Errorf("%s: cosine %.6f with %s", name, c, twin)
		}
	}
}
