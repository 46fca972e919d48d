package image

import (
	"bytes"
	"testing"

	"kilim/learner/encode/feature"
)

// What is not read is told by its name.
func TestOtherFormatsAreNamed(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for name, data := range map[string]string{
		"JPEG 2000": "\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00", "JPEG XL": "\xff\x0a\x00\x00", "AVIF": "\x00\x00\x00\x1cftypavif\x00\x00", "HEIC": "\x00\x00\x00\x18ftypheic\x00\x00",
		"HEIF": "\x00\x00\x00\x18ftypmif1\x00\x00", "Photoshop": "8BPS\x00\x01", "PDF": "%PDF-1.4\n", "SVG": "<?xml version='1.0'?>\n<!-- x --><svg>", "DjVu": "AT&TFORM\x00\x00",
		"PNM": "P6\n1 1\n255\n...", "DICOM": string(make([]byte, 128)) + "DICM", "Canon CR2": "II*\x00\x10\x00\x00\x00CR\x02\x00", "JPEG: lossless": "\xff\xd8\xff\xc3\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00",
		"JPEG: arithmetic": "\xff\xd8\xff\xc9\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00", "CgBI": pngSignature + string(pngChunk("CgBI", []byte{0, 0, 0, 0})),
		"PNG whose line": "\x89PNG\n\x1a\n\x00\x00", "film": "\x00\x00\x00\x18ftypmp42",
	} {
		if _, err := e.Encode([]byte(data)); reason(err) != feature.ReasonUnsupported || !bytes.Contains([]byte(err.Error()), []byte(name)) {
			t.Errorf("%s: %v, want it refused as unsupported, by its name", name, err)
		}
	}
}

func TestPaddingBeforeAPicture(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for name, good := range sample(t) {
		for _, padding := range []string{"\x00\x00\x00", "\xef\xbb\xbf", "\r\n\r\n", string(make([]byte, 512))} {
			same(t, e, name, good, append([]byte(padding), good...))
		}
		if _, err := e.Encode(append(make([]byte, 1<<16), good...)); reason(err) != feature.ReasonUnknownFormat {
			t.Errorf("%s behind 64 KiB of zeros: %v", name, err)
		}
	}
}
