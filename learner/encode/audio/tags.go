package audio

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// skipTags leaves out what stands before the sound: ID3v2 tags (id3.org, ID3v2.4.0, section 3.1), whose size is a
// foreign number that the decoders would allocate, APE tags, and zeros. It also tells whether there was a tag.
func skipTags(b []byte) (rest []byte, tagged bool) {
	for {
		if n := leadingTag(b); n > 0 {
			b, tagged = b[n:], true
			continue
		}
		zeros := 0
		for zeros < min(len(b), mp3Search) && b[zeros] == 0 {
			zeros++
		}
		// Other formats begin with zeros.
		rest := b[zeros:]
		if zeros == 0 || leadingTag(rest) == 0 && !known(rest) {
			return b, tagged
		}
		b = rest
	}
}

func known(b []byte) bool {
	_, ok := sniff(b)
	return ok
}

// leadingTag is the size of a tag at the beginning, 0 when there is none or it does not end.
func leadingTag(b []byte) int {
	const id3, ape = 10, 32
	size := 0
	switch {
	case len(b) >= id3 && bytes.HasPrefix(b, []byte("ID3")):
		for _, c := range b[6:id3] {
			size = size<<7 | int(c&0x7f)
		}
		size += id3
		if b[5]&0x10 != 0 {
			size += id3 // a footer
		}
	case len(b) >= ape && bytes.HasPrefix(b, []byte("APETAGEX")):
		size = ape + int(binary.LittleEndian.Uint32(b[12:]))
	}
	if size > len(b) {
		return 0
	}
	return size
}

// dropTags leaves out tags that stand behind the sound: ID3v1, APE, Lyrics3 and ID3v2 at the end.
func dropTags(b []byte) []byte {
	for {
		n := trailingTag(b)
		if n == 0 || n >= len(b) {
			return b
		}
		b = b[:len(b)-n]
	}
}

// trailingTag is the size of a tag at the end, 0 when there is none.
func trailingTag(b []byte) int {
	const id3v1, extended, footer, ape, lyrics = 128, 227, 10, 32, 15
	tail := func(n int) []byte { return b[max(len(b)-n, 0):] }
	switch {
	case bytes.HasPrefix(tail(id3v1), []byte("TAG")) && len(b) >= id3v1:
		if bytes.HasPrefix(tail(id3v1+extended), []byte("TAG+")) {
			return id3v1 + extended
		}
		return id3v1
	case bytes.HasPrefix(tail(ape), []byte("APETAGEX")):
		size := int(binary.LittleEndian.Uint32(tail(ape)[12:]))
		if tail(ape)[23]&0x80 != 0 {
			size += ape // a header
		}
		return size
	case bytes.HasSuffix(b, []byte("LYRICS200")) && len(b) >= lyrics:
		n, err := strconv.Atoi(string(tail(lyrics)[:6]))
		if err != nil || n < 0 {
			return 0
		}
		return n + lyrics
	case bytes.HasSuffix(b, []byte("LYRICSEND")):
		const most = 5100 + 20
		if at := bytes.LastIndex(tail(most), []byte("LYRICSBEGIN")); at >= 0 {
			return len(tail(most)) - at
		}
	case bytes.HasPrefix(tail(footer), []byte("3DI")):
		size := 2 * footer
		n := 0
		for _, c := range tail(footer)[6:] {
			n = n<<7 | int(c&0x7f)
		}
		return size + n
	}
	return 0
}
