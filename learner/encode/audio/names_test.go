package audio

import (
	"bytes"
	"testing"

	"kilim/learner/encode/feature"
)

// What is not read is told by its name.
func TestOtherFormatsAreNamed(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	aac := append([]byte{0xff, 0xf1, 0x50, 0x80, 0x01, 0x1f, 0xfc, 0x00}, 0xff, 0xf1, 0x50, 0x80)
	for name, data := range map[string]string{
		"M4A": "\x00\x00\x00\x20ftypM4A \x00\x00", "MPEG-4": "\x00\x00\x00\x20ftypisom\x00\x00", "AAC": string(aac), "Windows Media": "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
		"AMR": "#!AMR\n.....", "Matroska": "\x1a\x45\xdf\xa3\x00\x00\x00\x00", "MIDI": "MThd\x00\x00\x00\x06", "WavPack": "wvpk\x00\x00", "Core Audio": "caff\x00\x01",
		"IMA ADPCM": string(wavFile(0x11, 16000, 1, 4, make([]byte, 100))), "GSM": string(wavFile(0x31, 16000, 1, 0, make([]byte, 100))), "Speex": string(page(2, 0, []byte("Speex   1.2rc1"))),
		"FLAC": string(page(2, 0, []byte("\x7fFLAC\x01\x00"))), "other byte order": "RIFX\x00\x00\x00\x00WAVEfmt ",
	} {
		if _, err := e.Encode([]byte(data)); reason(err) != feature.ReasonUnsupported || !bytes.Contains([]byte(err.Error()), []byte(name)) {
			t.Errorf("%s: %v, want it refused as unsupported, by its name", name, err)
		}
	}
}
