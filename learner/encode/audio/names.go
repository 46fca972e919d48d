package audio

import (
	"bytes"

	"kilim/learner/encode/feature"
)

const areRead = "WAV, AIFF, FLAC, MP3, Ogg Vorbis and Opus are"

// foreign refuses what no decoder is for, by its name if that is known.
func foreign(b []byte) *feature.Refusal {
	for _, o := range others() {
		if len(b) >= o.at && bytes.HasPrefix(b[o.at:], []byte(o.magic)) {
			return feature.Refuse(feature.ReasonUnsupported, "%s is not read; %s", o.name, areRead)
		}
	}
	// A frame of AAC in ADTS has the sync of MPEG and no layer (ISO/IEC 13818-7, 6.2).
	if len(b) > 7 && b[0] == 0xff && b[1]&0xf6 == 0xf0 {
		size := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
		if size >= 7 && (size == len(b) || size+1 < len(b) && b[size] == 0xff && b[size+1]&0xf6 == 0xf0) {
			return feature.Refuse(feature.ReasonUnsupported, "AAC is not read; %s", areRead)
		}
	}
	return nil
}

// other is a format that is not read, by what stands at a place of its files.
type other struct {
	at          int
	magic, name string
}

func others() []other {
	return []other{
		{4, "ftypM4A", "M4A (AAC or ALAC)"}, {4, "ftypM4B", "M4A (AAC or ALAC)"}, {4, "ftyp", "sound in MPEG-4 or QuickTime"},
		{0, "ADIF", "AAC"},
		{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"},
		{0, "#!AMR", "AMR"},
		{0, "\x1a\x45\xdf\xa3", "sound in Matroska or WebM"},
		{0, "MThd", "MIDI"},
		{0, "MAC ", "Monkey's Audio"},
		{0, "wvpk", "WavPack"},
		{0, "MPCK", "Musepack"}, {0, "MP+", "Musepack"},
		{0, "TTA1", "True Audio"},
		{0, "DSD ", "DSD"}, {0, "FRM8", "DSDIFF"},
		{0, "caff", "Core Audio Format"},
		{0, ".snd", "Sun audio"},
		{0, ".RMF", "RealAudio"}, {0, ".ra\xfd", "RealAudio"},
		{0, "riff\x2e\x91\xcf\x11", "Wave64"},
		{0, "RIFX", "WAV of the other byte order"},
		{8, "8SVX", "8SVX"},
		{8, "AVI ", "sound in AVI"},
		{0, "Creative Voice File", "VOC"},
		{0, "\x0b\x77", "AC-3"},
		{0, "\x7f\xfe\x80\x01", "DTS"},
		{0, "\x00\x00\x01\xba", "sound in an MPEG film"}, {0, "\x00\x00\x01\xb3", "sound in an MPEG film"},
		{0, "FLV\x01", "sound in a Flash film"},
	}
}
