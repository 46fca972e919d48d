package feed

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

// FuzzForms: of whatever file, each record is sent or the file is refused; what is sent is decoded without a panic, in the order of the lines.
func FuzzForms(f *testing.F) {
	for _, in := range []string{four, "\ufeff[" + `{"id":"a"},{"id":"b","x":[1,"]"]}` + "]", "{\n\"id\": \"a\"\n}\n{\n}", "id,title\na,b\n", "PK\x03\x04", "BZh9", "\x28\xb5\x2f\xfd", "[[", "[1,", "\xff\xfe{\x00"} {
		f.Add([]byte(in))
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := io.WriteString(w, in); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(packed.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		out := make(chan record, 1)
		go read(t.Context(), JSON(bytes.NewReader(file)), &Options{Base: "/m", AllowRefused: len(file)%2 == 0}, out)
		last, failed := 0, false
		for r := range out {
			if failed || r.line <= last {
				t.Errorf("a record of line %d after line %d (failed: %v)", r.line, last, failed)
			}
			last, failed = r.line, r.err != nil
		}
	})
}
