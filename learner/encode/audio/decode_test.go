package audio

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/hajimehoshi/go-mp3"

	"kilim/learner/encode/feature"
)

func reason(err error) string {
	if r, ok := feature.AsRefusal(err); ok {
		return r.Reason
	}
	return ""
}

func TestEveryFormatIsHeardAlike(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	files := sample(t)
	want := vector(t, e, files["WAV"])
	for name, data := range files {
		samples, err := decode(data, e.lim)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// MP3 has silence before and after, of a frame or two.
		if d := float64(len(samples))/workRate - 1.6; d < -0.01 || d > 0.15 {
			t.Errorf("%s: %.3f s more than there are", name, d)
		}
		if c := cosine(want, vector(t, e, data)); c < 0.9 {
			t.Errorf("%s: cosine with the WAV is %.3f", name, c)
		}
	}
}

func TestEveryEncodingOfWAV(t *testing.T) {
	t.Parallel()
	const n, rate = 12_000, workRate
	at := func(i int) float64 { return 0.5 * math.Sin(2*math.Pi*440*float64(i)/rate) }
	le := binary.LittleEndian
	for _, c := range []struct {
		name            string
		encoding, bits  int
		tolerance       float64
		write           func([]byte, float64) []byte
		large, extended bool
	}{
		{name: "8 bits", encoding: wavPCM, bits: 8, tolerance: 0.01, write: func(b []byte, v float64) []byte { return append(b, byte(math.Round(v*127)+128)) }},
		{name: "16 bits", encoding: wavPCM, bits: 16, tolerance: 1e-4, write: func(b []byte, v float64) []byte { return le.AppendUint16(b, uint16(int16(v*32767))) }},
		{name: "24 bits", encoding: wavPCM, bits: 24, tolerance: 1e-6, write: func(b []byte, v float64) []byte {
			x := uint32(int32(v * (1<<23 - 1)))
			return append(b, byte(x), byte(x>>8), byte(x>>16))
		}},
		{name: "32 bits", encoding: wavPCM, bits: 32, tolerance: 1e-6, write: func(b []byte, v float64) []byte { return le.AppendUint32(b, uint32(int32(v*(1<<31-1)))) }},
		{name: "float", encoding: wavFloat, bits: 32, tolerance: 1e-6, write: func(b []byte, v float64) []byte { return le.AppendUint32(b, math.Float32bits(float32(v))) }},
		{name: "double", encoding: wavFloat, bits: 64, tolerance: 1e-6, write: func(b []byte, v float64) []byte { return le.AppendUint64(b, math.Float64bits(v)) }},
		{name: "A-law", encoding: wavALaw, bits: 8, tolerance: 0.02, write: func(b []byte, v float64) []byte { return append(b, nearest(aLaw, v)) }},
		{name: "mu-law", encoding: wavMuLaw, bits: 8, tolerance: 0.02, write: func(b []byte, v float64) []byte { return append(b, nearest(muLaw, v)) }},
		{name: "of unknown length", encoding: wavPCM, bits: 16, tolerance: 1e-4, large: true, write: func(b []byte, v float64) []byte { return le.AppendUint16(b, uint16(int16(v*32767))) }},
	} {
		var body []byte
		for i := range n {
			body = c.write(body, at(i))
			body = c.write(body, at(i)) // the second channel
		}
		data := wavFile(c.encoding, rate, 2, c.bits, body)
		if c.large {
			le.PutUint32(data[40:], math.MaxUint32)
		}
		got, err := decode(data, encoder(t, Limits{}).lim)
		if err != nil || len(got) != n {
			t.Errorf("%s: %d samples of %d, %v", c.name, len(got), n, err)
			continue
		}
		for i, v := range got {
			if math.Abs(float64(v)-at(i)) > c.tolerance {
				t.Errorf("%s: sample %d is %v, want %v", c.name, i, v, at(i))
				break
			}
		}
	}
	// ITU-T G.711, tables 1a and 2a: the loudest and the faintest of both signs.
	for b, want := range map[byte][2]float32{0xaa: {4032.0 / 4096, 0}, 0x2a: {-4032.0 / 4096, 0}, 0xd5: {1.0 / 4096, 0}, 0x80: {0, 8031.0 / 8192}, 0x00: {0, -8031.0 / 8192}, 0xff: {0, 0}} {
		if want[0] != 0 && aLaw([]byte{b}) != want[0] {
			t.Errorf("A-law %#x is %v, want %v", b, aLaw([]byte{b}), want[0])
		}
		if want[0] == 0 && muLaw([]byte{b}) != want[1] {
			t.Errorf("mu-law %#x is %v, want %v", b, muLaw([]byte{b}), want[1])
		}
	}
}

// nearest is the byte that expands nearest to v.
func nearest(expand func([]byte) float32, v float64) byte {
	best := 0
	for b := range 256 {
		if math.Abs(float64(expand([]byte{byte(b)}))-v) < math.Abs(float64(expand([]byte{byte(best)}))-v) {
			best = b
		}
	}
	return byte(best)
}

// A sine stays the same sine at another rate, and one above the new band disappears.
func TestResampling(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{4000, 8000, 11025, 16000, 22050, 32000, 44100, 44101, 48000, 96000, 192000} {
		for _, hz := range []float64{200, 1500, 14_000} {
			if hz > float64(rate)/2*0.9 {
				continue
			}
			r := newResampler(rate, workRate)
			var out []float32
			in := make([]float32, 0, 777)
			for i := range rate / 2 {
				in = append(in, float32(math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
				if len(in) == cap(in) || i == rate/2-1 { // in uneven pieces
					out = r.push(out, in)
					in = in[:0]
				}
			}
			out = r.flush(out)
			if d := len(out) - workRate/2; d < -2 || d > 2 {
				t.Errorf("%d Hz: %d samples of half a second", rate, len(out))
			}
			worst := 0.0
			for i := 200; i < len(out)-200; i++ {
				want := math.Sin(2 * math.Pi * hz * float64(i) / workRate)
				if hz > workRate/2 {
					want = 0
				}
				worst = max(worst, math.Abs(float64(out[i])-want))
			}
			if worst > 0.003 {
				t.Errorf("%d Hz: a sine of %.0f Hz is off by up to %.4f", rate, hz, worst)
			}
		}
	}
}

// allocated is how many bytes fn takes in all. Tests that use it are not parallel.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// endless is a stream that never ends.
type endless struct{ calls int }

func (endless) shape() shape { return shape{44100, 1} }
func (e *endless) next() ([]float32, error) {
	e.calls++
	return make([]float32, 4410), nil
}

func TestEndlessSoundIsCut(t *testing.T) {
	s := &endless{}
	out, err := drain(s, newMixer(1, -1), 3*workRate)
	if err != nil || len(out) != 3*workRate {
		t.Errorf("%d samples of 3 s, %v", len(out)/workRate, err)
	}
	if s.calls > 32 {
		t.Errorf("a tenth of a second was read %d times for 3 s", s.calls)
	}
	// An hour in a small file: frames of silence, and a WAV that says it has no end.
	header := []byte{0xff, 0xfb, 0x14, 0xc4}
	h, ok := parseMP3(header)
	if !ok {
		t.Fatal("no frame header")
	}
	frame := append(header, make([]byte, h.size()-len(header))...)
	for name, data := range map[string][]byte{
		"MP3": bytes.Repeat(frame, 40_000),
		"WAV": wavFile(wavPCM, 8000, 1, 8, bytes.Repeat([]byte{100, 160}, 8000*600)),
	} {
		e := encoder(t, Limits{Seconds: 5})
		took := allocated(func() {
			samples, err := decode(data, e.lim)
			if err != nil || len(samples) != 5*workRate {
				t.Errorf("%s: %d samples, %v", name, len(samples), err)
			}
		})
		if took > 64<<20 {
			t.Errorf("%s: took %d bytes for 5 s", name, took)
		}
	}
}

func TestTruncatedRecordingsAreRefused(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for name, data := range sample(t) {
		for _, keep := range []int{20, len(data) / 4, len(data) / 2, len(data) - 200} {
			samples, err := decode(data[:keep], e.lim)
			switch {
			case name == "MP3" && keep > 20:
				// An MP3 does not say how long it is: it is heard as far as it goes.
				if seconds := float64(len(samples)) / workRate; err != nil || seconds > 1.75*float64(keep)/float64(len(data))+0.05 {
					t.Errorf("%s, %d of %d bytes: %.2f s, %v", name, keep, len(data), seconds, err)
				}
			case reason(err) != feature.ReasonCorrupt && !(name == "MP3" && reason(err) == feature.ReasonUnknownFormat):
				t.Errorf("%s, %d of %d bytes: %v, want it refused as corrupt", name, keep, len(data), err)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{Bytes: 1 << 20})
	files := sample(t)
	silence := make([]float32, 16000)
	broken := func(name string, at int) []byte {
		b := bytes.Clone(files[name])
		b[at] ^= 0x55
		return b
	}
	speex := bytes.Clone(files["Ogg Vorbis"])
	copy(speex[28:], "Speex  ")
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"no bytes", feature.ReasonEmpty, nil},
		{"text", feature.ReasonUnknownFormat, []byte("la la la")},
		{"a picture", feature.ReasonUnknownFormat, []byte("\x89PNG\r\n\x1a\n0000")},
		{"another RIFF", feature.ReasonUnknownFormat, []byte("RIFF\x24\x00\x00\x00WEBPVP8 ")},
		{"MPEG-4", feature.ReasonUnsupported, []byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00")},
		{"a sound behind a zip", feature.ReasonUnknownFormat, append([]byte("PK\x03\x04"), files["WAV"]...)},
		{"a sync of MP3 and then text", feature.ReasonUnknownFormat, append([]byte{0xff, 0xfb, 0x90, 0x64}, bytes.Repeat([]byte("no "), 400)...)},
		{"an ID3 tag alone", feature.ReasonUnknownFormat, []byte("ID3\x04\x00\x00\x00\x00\x00\x02ab")},
		{"an ID3 tag of 256 MB", feature.ReasonUnknownFormat, append([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), files["MP3"]...)},
		{"too many bytes", feature.ReasonTooManyBytes, make([]byte, 1<<20+1)},
		{"too short", feature.ReasonTooShort, asWAV(tune()[:2000], 16000)},
		{"silence", feature.ReasonEmpty, asWAV(silence, 16000)},
		{"MPEG 2.5", feature.ReasonUnsupported, bytes.Repeat(append([]byte{0xff, 0xe3, 0x18, 0xc4}, make([]byte, 68)...), 4)},
		{"layer II", feature.ReasonUnsupported, append([]byte{0xff, 0xfd, 0x90, 0x64}, make([]byte, 500)...)},
		{"Speex", feature.ReasonUnsupported, speex},
		{"WAV of 12 bits of ADPCM", feature.ReasonUnsupported, wavFile(2, 16000, 1, 4, make([]byte, 1000))},
		{"WAV of 100 channels", feature.ReasonUnsupported, wavFile(wavPCM, 16000, 100, 16, make([]byte, 1000))},
		{"WAV at 10 MHz", feature.ReasonUnsupported, wavFile(wavPCM, 10_000_000, 1, 16, make([]byte, 1000))},
		{"WAV at 1 Hz", feature.ReasonUnsupported, wavFile(wavPCM, 1, 1, 16, make([]byte, 1000))},
		{"WAV without a format", feature.ReasonCorrupt, append([]byte("RIFF\xff\x00\x00\x00WAVEdata\x04\x00\x00\x00"), 1, 2, 3, 4)},
		{"WAV of infinite samples", feature.ReasonCorrupt, wavFile(wavFloat, 16000, 1, 32, bytes.Repeat([]byte{0, 0, 0x80, 0x7f}, 8000))},
		{"WAV with a chunk of 4 GB", feature.ReasonCorrupt, []byte("RIFF\xff\xff\xff\xffWAVEjunk\xff\xff\xff\xff....")},
		{"FLAC with a changed byte", feature.ReasonCorrupt, broken("FLAC", len(files["FLAC"])/2)},
		{"Opus with a changed byte", feature.ReasonCorrupt, broken("Ogg Opus", len(files["Ogg Opus"])-100)},
		{"Ogg with a changed byte", feature.ReasonCorrupt, broken("Ogg Vorbis", len(files["Ogg Vorbis"])-100)},
	} {
		if _, err := e.Encode(c.data); reason(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestTagsBeforeAndAfterAreSkipped(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	files := sample(t)
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x02\x00"), bytes.Repeat([]byte{0xff, 0xfb}, 128)...)
	for _, name := range []string{"MP3", "FLAC"} {
		want := vector(t, e, files[name])
		tagged := append(bytes.Clone(tag), files[name]...)
		if name == "MP3" {
			tagged = append(tagged, append([]byte("TAG"), bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x64, 'x'}, 25)...)...)
		}
		if c := cosine(want, vector(t, e, tagged)); c < 0.999999 {
			t.Errorf("%s: cosine %.6f with the same without tags", name, c)
		}
	}
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	for _, lim := range []Limits{{Bytes: -1}, {Seconds: -1}, {Seconds: maxSeconds + 1}} {
		if _, err := New(lim); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("%+v: %v", lim, err)
		}
	}
}

type panicking struct{}

func TestPanicBecomesARefusal(t *testing.T) {
	t.Parallel()
	// An MP3 whose side information points before the first frame, as a decoder may not foresee,
	// is the fuzzers' work; here it is enough that the guard is there.
	f := format{name: "X", open: func([]byte) (stream, error) { panic("no such thing") }}
	if _, err := hear(f, []byte{1}, Limits{Seconds: 1}); reason(err) != feature.ReasonCorrupt || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("%v, want it refused as corrupt", err)
	}
	f.open = func([]byte) (stream, error) { return panicking{}, nil }
	if _, err := hear(f, []byte{1}, Limits{Seconds: 1}); reason(err) != feature.ReasonCorrupt {
		t.Errorf("%v, want it refused as corrupt", err)
	}
}

func (panicking) shape() shape             { return shape{44100, 1} }
func (panicking) next() ([]float32, error) { var b []float32; return b[3:4], io.EOF }

// TestMP3IsHeardWhole: what next gives is what the decoder gives, to the last sample of each call.
func TestMP3IsHeardWhole(t *testing.T) {
	t.Parallel()
	data := sample(t)["MP3"]
	dec, err := mp3.NewDecoder(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(dec)
	if err != nil || len(want) < 3*mp3Chunk {
		t.Fatal(len(want), err)
	}
	s, err := openMP3(data)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for {
		samples, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range samples {
			got = binary.LittleEndian.AppendUint16(got, uint16(int16(v*(1<<15))))
		}
	}
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("%d bytes of samples, want %d; other from byte %d on", len(got), len(want), at)
	}
}
