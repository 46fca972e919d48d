package audio

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"kilim/learner/encode/feature"
)

const (
	// minRate and maxRate bound the sampling rates, in Hz, that are read. Below is
	// no music, above no microphone.
	minRate, maxRate = 4000, 192_000
	// maxChannels bounds what a decoder may have to hold beside one another.
	maxChannels = 8
)

// shape is what a recording's header says.
type shape struct {
	rate     int // Hz
	channels int
}

func (s shape) check(name string) *feature.Refusal {
	switch {
	case s.channels < 1 || s.channels > maxChannels:
		return feature.Refuse(feature.ReasonUnsupported, "%s: %d channels, 1 to %d are read", name, s.channels, maxChannels)
	case s.rate < minRate || s.rate > maxRate:
		return feature.Refuse(feature.ReasonUnsupported, "%s: %d samples a second, %d to %d are read", name, s.rate, minRate, maxRate)
	}
	return nil
}

// stream is a recording as it is decoded.
type stream interface {
	shape() shape
	// next gives the samples that follow, channels mixed to one, within about
	// -1..1; they are valid until the next call. io.EOF is the proper end.
	next() ([]float32, error)
}

// format is a way to read recordings.
type format struct {
	name string
	open func([]byte) (stream, error)
}

// sniff tells the format by the bytes alone, so that neither a name nor a declared
// type can make a decoder run on what is not its own.
func sniff(b []byte) (format, bool) {
	has := func(at int, magic string) bool {
		return len(b) >= at+len(magic) && string(b[at:at+len(magic)]) == magic
	}
	switch {
	case has(8, "WAVE") && (has(0, "RIFF") || has(0, "RF64") || has(0, "BW64")):
		return format{"WAV", openWAV}, true
	case has(0, "fLaC"):
		return format{"FLAC", openFLAC}, true
	case has(0, "OggS"):
		return format{"Ogg Vorbis", openVorbis}, true
	case isMP3(b):
		return format{"MP3", openMP3}, true
	}
	return format{}, false
}

// decode reads the beginning of a recording, as many seconds as the limits allow,
// as one channel at the working rate. The whole is never held: what is decoded is
// resampled at once.
func decode(b []byte, lim Limits) ([]float32, error) {
	if len(b) == 0 {
		return nil, feature.Refuse(feature.ReasonEmpty, "no bytes")
	}
	if len(b) > lim.Bytes {
		return nil, feature.Refuse(feature.ReasonTooManyBytes, "%d bytes, the limit is %d", len(b), lim.Bytes)
	}
	body := skipID3(b)
	f, ok := sniff(body)
	if !ok {
		return nil, feature.Refuse(feature.ReasonUnknownFormat, "begins with %q, which is no WAV, FLAC, MP3 or Ogg Vorbis", b[:min(len(b), 8)])
	}
	return hear(f, body, lim)
}

// hear decodes and resamples.
func hear(f format, b []byte, lim Limits) (samples []float32, err error) {
	// A decoder's panic on bytes that it did not foresee must not take the
	// daemon down, and will come again for the same bytes.
	defer func() {
		if p := recover(); p != nil {
			samples, err = nil, feature.Refuse(feature.ReasonCorrupt, "%s: the decoder broke down: %v", f.name, p)
		}
	}()
	s, err := f.open(b)
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	if r := s.shape().check(f.name); r != nil {
		return nil, r
	}
	samples, err = drain(s, lim.Seconds*workRate)
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	return samples, nil
}

// drain resamples a stream until its end or the limit.
func drain(s stream, limit int) ([]float32, error) {
	r := newResampler(s.shape().rate, workRate)
	var out []float32
	for len(out) < limit {
		in, err := s.next()
		if errors.Is(err, io.EOF) {
			out = r.flush(out)
			break
		}
		if err != nil {
			return nil, err
		}
		out = r.push(out, in)
	}
	return out[:min(len(out), limit)], nil
}

func unreadable(name string, err error) *feature.Refusal {
	if r, ok := feature.AsRefusal(err); ok {
		return r
	}
	return feature.Refuse(feature.ReasonCorrupt, "%s: %v", name, err)
}

// skipID3 leaves out an ID3v2 tag (id3.org, ID3v2.4.0, section 3.1) that stands
// before the sound: its size is a foreign number, which the decoders would allocate.
func skipID3(b []byte) []byte {
	const header = 10
	for len(b) >= header && bytes.HasPrefix(b, []byte("ID3")) {
		size := 0
		for _, c := range b[6:header] {
			size = size<<7 | int(c&0x7f)
		}
		if b[5]&0x10 != 0 {
			size += header // a footer
		}
		if size > len(b)-header {
			return b
		}
		b = b[header+size:]
	}
	return b
}

// mix averages interleaved channels into out.
func mix(out, in []float32, channels int) []float32 {
	out = out[:0]
	if channels == 1 {
		return append(out, in...)
	}
	for i := 0; i+channels <= len(in); i += channels {
		var sum float32
		for _, v := range in[i : i+channels] {
			sum += v
		}
		out = append(out, sum/float32(channels))
	}
	return out
}

func truncated(what string, args ...any) error {
	return fmt.Errorf("cut off: "+what, args...)
}
