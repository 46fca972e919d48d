package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// FuzzDecode: a file whose checksum is right and whose content is anything is refused, or is a checkpoint that can be written again.
func FuzzDecode(f *testing.F) {
	raw, err := sample(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(bytes.Replace(raw, []byte(`"epoch":7`), []byte(`"epoch":-`), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		// The sum is put right, so that what is behind it is reached.
		if at := bytes.Index(raw, []byte(checksumKey)); at >= 0 && at+len(checksumKey)+len(blankChecksum) <= len(raw) {
			raw = bytes.Clone(raw)
			sum := raw[at+len(checksumKey):][:len(blankChecksum)]
			copy(sum, blankChecksum)
			have := sha256.Sum256(raw)
			hex.Encode(sum, have[:])
		}
		c, err := Decode(raw)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		if _, err := Decode(again); err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
	})
}
