package audio

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"testing"

	"kilim/learner/encode/feature"
)

// bitWriter writes bits as Vorbis packs them.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) put(value uint64, width int) *bitWriter {
	for i := range width {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(value>>i&1) << (w.n % 8)
		w.n++
	}
	return w
}

// book begins a codebook of unordered, not sparse entries.
func (w *bitWriter) book(dims, entries uint64) *bitWriter {
	return w.put(0x564342, 24).put(dims, 16).put(entries, 24)
}

// lengths gives the entries their code lengths.
func (w *bitWriter) lengths(l ...uint64) *bitWriter {
	w.put(0, 2)
	for _, v := range l {
		w.put(v-1, 5)
	}
	return w
}

func setupHeader() *bitWriter {
	w := &bitWriter{b: []byte("\x05vorbis"), n: 56}
	return w.put(0, 8) // one codebook
}

// floorsAndResidue ends a setup header with the smallest floor and a residue.
func (w *bitWriter) floorsAndResidue(begin, end uint64) *bitWriter {
	w.put(0, 6).put(0, 16)                                                     // one time placeholder
	w.put(0, 6).put(1, 16).put(0, 5).put(0, 3).put(0, 2).put(0, 8).put(0, 2+4) // one floor, no partition
	w.put(0, 6).put(2, 16).put(begin, 24).put(end, 24).put(0, 24).put(0, 6).put(0, 8).put(0, 4)
	return w.put(0, 64)
}

// Headers on which the decoder would take all memory or never end.
func TestVorbisHeadersThatKillAreRefused(t *testing.T) {
	good, err := vorbisHeaders(sample(t)["Ogg Vorbis"])
	if err != nil {
		t.Fatal(err)
	}
	if err := checkVorbis(good); err != nil {
		t.Fatalf("a good stream: %v", err)
	}
	with := func(at int, packet []byte) [3][]byte {
		h := good
		h[at] = packet
		return h
	}
	setup := func(w *bitWriter) [3][]byte { return with(2, w.b) }
	if err := checkVorbis(setup(setupHeader().book(1, 2).lengths(1, 1).put(0, 4).floorsAndResidue(0, 16))); err != nil {
		t.Fatalf("the smallest setup header: %v", err)
	}
	id := func(at int, v byte) [3][]byte {
		b := bytes.Clone(good[0])
		b[at] = v
		return with(0, b)
	}
	comments := binary.LittleEndian.AppendUint32([]byte("\x03vorbis\x00\x00\x00\x00"), math.MaxUint32)
	books := &bitWriter{b: []byte("\x05vorbis"), n: 56}
	books.put(255, 8)
	for range 256 {
		books.book(1, 1<<14).put(0, 2)
		for range 1 << 14 {
			books.put(13, 5)
		}
		books.put(0, 4)
	}
	for name, h := range map[string][3][]byte{
		"no channel":                   id(11, 0),
		"255 channels":                 id(11, 255),
		"blocks of 2^15":               id(28, 0xff),
		"blocks of one":                id(28, 0x00),
		"a short block longer":         id(28, 0x6b),
		"4 G of comments":              with(1, append(comments, 1)),
		"a vendor beyond the end":      with(1, []byte("\x03vorbis\xff\xff\xff\xff....")),
		"a comment header of nothing":  with(1, []byte("\x03vorbis")),
		"no setup":                     with(2, []byte("\x05vorbis")),
		"a book of 2^24 x 2^16":        setup(setupHeader().book(65535, 1<<24-1).put(1, 1).put(0, 5).put(0, 64)),
		"a book without entries":       setup(setupHeader().book(1, 0).put(0, 200)),
		"a book of one entry":          setup(setupHeader().book(1, 1).lengths(1).put(0, 200)),
		"a book without dimensions":    setup(setupHeader().book(0, 2).lengths(1, 1).put(0, 4).floorsAndResidue(0, 16)),
		"an incomplete code":           setup(setupHeader().book(1, 2).lengths(1, 2).put(0, 4).floorsAndResidue(0, 16)),
		"an overfull code":             setup(setupHeader().book(1, 3).lengths(1, 1, 1).put(0, 4).floorsAndResidue(0, 16)),
		"an ordered code of too many":  setup(setupHeader().book(1, 4).put(1, 1).put(31, 5).put(7, 3).put(0, 200)),
		"values of 2^14 x 2^16":        setup(setupHeader().book(65535, 4).lengths(2, 2, 2, 2).put(1, 4).put(0, 100)),
		"256 books of 2^14":            setup(books),
		"floor 0":                      setup(setupHeader().book(1, 2).lengths(1, 1).put(0, 4).put(0, 6).put(0, 16).put(0, 6).put(0, 200)),
		"a residue that ends too soon": setup(setupHeader().book(1, 2).lengths(1, 1).put(0, 4).floorsAndResidue(17, 16)),
		"a setup that is cut":          with(2, good[2][:len(good[2])/2]),
	} {
		var err error
		took := allocated(func() { err = checkVorbis(h) })
		if err == nil {
			t.Errorf("%s: passes", name)
		}
		if took > 1<<20 {
			t.Errorf("%s: took %d bytes", name, took)
		}
	}
}

// A recording takes memory for what is heard of it, not for what its header says.
func TestMemoryIsBounded(t *testing.T) {
	long := plainVoice()
	long.rate = 48_000
	var minute []float32
	for range 8 {
		minute = append(minute, long.sing(0, 9, 17, 22, 31, 22, 9, 0, 5, 9, 17, 0)...)
	}
	e := encoder(t, Limits{Seconds: 10})
	data := asWAV(minute, long.rate)
	took := allocated(func() {
		if _, err := e.Encode(data); err != nil {
			t.Error(err)
		}
	})
	if took > 16<<20 {
		t.Errorf("10 s of %d took %d bytes", len(minute)/long.rate, took)
	}
	for name, data := range sample(t) {
		if took := allocated(func() { _, _ = e.Encode(data) }); took > 48<<20 {
			t.Errorf("%s: 1.6 s took %d bytes", name, took)
		}
	}
}

// fuzz runs one decoder on foreign bytes, without the description: the beginning is
// set to its magic.
func fuzz(f *testing.F, magic, name string, open func([]byte) (stream, error)) {
	seed := sample(f)[name]
	if name == "AIFF" {
		seed = asAIFF("AIFF", "", 16000, 3000, 16, asWAV(tune(), 16000)[44:6044])
	}
	for _, keep := range []int{len(seed), len(seed) / 2, 64} {
		f.Add(seed[:keep])
	}
	lim := Limits{Bytes: 1 << 20, Seconds: 2}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < len(magic) {
			return
		}
		data = append([]byte(magic), data[len(magic):]...)
		samples, err := hear(format{name, open}, data, lim)
		if err != nil {
			if r, ok := feature.AsRefusal(err); !ok || r.Detail == "" {
				t.Fatalf("%v: no refusal with a reason", err)
			}
			return
		}
		if len(samples) > lim.Seconds*workRate {
			t.Fatalf("%d samples, the limit is %d s", len(samples), lim.Seconds)
		}
		for i, v := range samples {
			if v != v || math.Abs(float64(v)) > 2*loudest {
				t.Fatalf("sample %d is %v", i, v)
			}
		}
	})
}

func FuzzWAV(f *testing.F)  { fuzz(f, "RIFF", "WAV", openWAV) }
func FuzzFLAC(f *testing.F) { fuzz(f, "fLaC", "FLAC", openFLAC) }
func FuzzMP3(f *testing.F)  { fuzz(f, "\xff\xfb", "MP3", openMP3) }

// The checksums of Ogg's pages keep mutations out: they are made right again, so that they
// reach the decoder.
func FuzzVorbis(f *testing.F) {
	fuzz(f, "OggS", "Ogg Vorbis", func(b []byte) (stream, error) {
		rechecksum(b)
		return openVorbis(b)
	})
}

func FuzzAIFF(f *testing.F) {
	f.Add(asAIFF("AIFC", "fl32", 16000, 100, 32, make([]byte, 400)))
	fuzz(f, "FORM", "AIFF", openAIFF)
}
func FuzzOpus(f *testing.F) {
	fuzz(f, "OggS", "Ogg Opus", func(b []byte) (stream, error) {
		rechecksum(b)
		return openOpus(b)
	})
}

// FuzzDecode runs all that is before the decoders: tags, padding, names and the search for a frame.
func FuzzDecode(f *testing.F) {
	for _, data := range sample(f) {
		f.Add(append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab\x00\x00"), data[:min(len(data), 3000)]...))
	}
	f.Add([]byte("APETAGEX\xd0\x07\x00\x00\x05\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decode(data, Limits{Bytes: 1 << 20, Seconds: 1}); err != nil && reason(err) == "" {
			t.Fatalf("%v: no refusal", err)
		}
	})
}

// FuzzVorbisSetup puts a setup header under a good stream.
func FuzzVorbisSetup(f *testing.F) {
	headers, err := vorbisHeaders(sample(f)["Ogg Vorbis"])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(headers[2])
	f.Add(setupHeader().book(1, 2).lengths(1, 1).put(0, 4).floorsAndResidue(0, 16).b)
	f.Fuzz(func(t *testing.T, setup []byte) {
		if len(setup) > 32<<10 {
			return
		}
		var b []byte
		b = append(b, page(2, 0, headers[0])...)
		b = append(b, page(0, 0, headers[1], setup)...)
		packets := make([][]byte, 20)
		for i := range packets {
			packets[i] = bytes.Repeat([]byte{byte(2 * i), 0x5a, 0xc3}, i)
		}
		b = append(b, page(4, 1<<20, packets...)...)
		if _, err := hear(format{"Ogg Vorbis", openVorbis}, b, Limits{Seconds: 2}); err != nil && reason(err) == "" {
			t.Fatal(err)
		}
	})
}

// page is an Ogg page (RFC 3533, section 6) of whole packets.
func page(kind byte, granule int64, packets ...[]byte) []byte {
	var table, body []byte
	for _, p := range packets {
		for range len(p) / 255 {
			table = append(table, 255)
		}
		table = append(table, byte(len(p)%255))
		body = append(body, p...)
	}
	b := append([]byte("OggS\x00"), kind)
	b = binary.LittleEndian.AppendUint64(b, uint64(granule))
	b = append(b, make([]byte, 12)...)
	b = append(append(append(b, byte(len(table))), table...), body...)
	rechecksum(b)
	return b
}

// rechecksum sets the checksums of all pages: a CRC of the polynomial 0x04c11db7, not reflected.
func rechecksum(b []byte) {
	for len(b) >= 27 {
		n := 27 + int(b[26])
		if n > len(b) {
			return
		}
		for _, lace := range b[27:n] {
			n += int(lace)
		}
		if n > len(b) {
			return
		}
		clear(b[22:26])
		var crc uint32
		for _, v := range b[:n] {
			crc ^= uint32(v) << 24
			for range 8 {
				carry := crc >> 31
				crc = crc<<1 ^ carry*0x04c11db7
			}
		}
		binary.LittleEndian.PutUint32(b[22:], crc)
		b = b[n:]
	}
}

// The stream made by page is read, so that the fuzzers are not stopped at its door.
func TestPagesAreRead(t *testing.T) {
	t.Parallel()
	headers, err := vorbisHeaders(sample(t)["Ogg Vorbis"])
	if err != nil {
		t.Fatal(err)
	}
	b := append(page(2, 0, headers[0]), page(0, 0, headers[1], headers[2])...)
	b = append(b, page(4, 1<<20, make([]byte, 4), make([]byte, 4), make([]byte, 4))...)
	s, err := openVorbis(b)
	if err != nil {
		t.Fatal(err)
	}
	if samples, err := s.next(); err != nil || len(samples) == 0 {
		t.Errorf("%d samples, %v", len(samples), err)
	}
	if _, err := s.next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}
