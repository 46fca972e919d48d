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
	// next gives the samples that follow, those of the channels after one another, within
	// about -1..1; they are valid until the next call. io.EOF is the proper end.
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
	case has(0, "FORM") && (has(8, "AIFF") || has(8, "AIFC")):
		return format{"AIFF", openAIFF}, true
	case has(0, "fLaC"):
		return format{"FLAC", openFLAC}, true
	case has(0, "OggS") && has(28, "OpusHead"):
		return format{"Ogg Opus", openOpus}, true
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
	body, tagged := skipTags(b)
	f, ok := sniff(body)
	if ok {
		return hear(f, body, lim)
	}
	if r := foreign(body); r != nil {
		return nil, r
	}
	// Behind a tag, players look further for the first frame of an MP3: it may be larger than it says.
	search := mp3Search
	if tagged {
		search = mp3TaggedSearch
	}
	if at := findMP3(body, search); at != nil && !bytes.HasPrefix(body, []byte("ID3")) {
		return hear(format{"MP3", openMP3}, at, lim)
	}
	return nil, feature.Refuse(feature.ReasonUnknownFormat, "begins with %q, which is no WAV, AIFF, FLAC, MP3, Ogg Vorbis or Opus", b[:min(len(b), 8)])
}

// hear decodes, mixes and resamples. Where the channels cancel each other, the loudest is heard alone.
func hear(f format, b []byte, lim Limits) (samples []float32, err error) {
	// A decoder's panic on bytes that it did not foresee must not take the
	// daemon down, and will come again for the same bytes.
	defer func() {
		if p := recover(); p != nil {
			samples, err = nil, feature.Refuse(feature.ReasonCorrupt, "%s: the decoder broke down: %v", f.name, p)
		}
	}()
	samples, m, err := listenOnce(f, b, -1, lim)
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	channel, ok := m.opposed()
	if !ok {
		return samples, nil
	}
	if samples, _, err = listenOnce(f, b, channel, lim); err != nil {
		return nil, unreadable(f.name, err)
	}
	return samples, nil
}

// listenOnce decodes the channels as one, or one of them.
func listenOnce(f format, b []byte, only int, lim Limits) ([]float32, *mixer, error) {
	s, err := f.open(b)
	if err != nil {
		return nil, nil, err
	}
	if r := s.shape().check(f.name); r != nil {
		return nil, nil, r
	}
	m := newMixer(s.shape().channels, only)
	samples, err := drain(s, m, lim.Seconds*workRate)
	return samples, m, err
}

// drain resamples a stream until its end or the limit.
func drain(s stream, m *mixer, limit int) ([]float32, error) {
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
		out = r.push(out, m.mix(in))
	}
	return out[:min(len(out), limit)], nil
}

func unreadable(name string, err error) *feature.Refusal {
	if r, ok := feature.AsRefusal(err); ok {
		return r
	}
	return feature.Refuse(feature.ReasonCorrupt, "%s: %v", name, err)
}

func truncated(what string, args ...any) error {
	return fmt.Errorf("cut off: "+what, args...)
}
