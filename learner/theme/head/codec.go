package head

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// format is the version of a Head's bytes. Raise it when they or the Coordinates change.
const format = 2

var (
	magic      = []byte("kilim head")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// MarshalBinary writes the Head: magic and version, theme, terms, the rows of the axes, and a CRC-32C of all that stands before it.
func (h *Head) MarshalBinary() ([]byte, error) {
	b := append(slices.Clone(magic), format)
	b = appendText(b, h.theme)
	b = binary.AppendUvarint(b, uint64(len(h.terms)))
	for _, term := range h.terms {
		b = appendText(b, term)
	}
	for _, x := range h.rows {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Unmarshal reads a Head that MarshalBinary wrote. It refuses what another version made and what is damaged, and takes memory for what is there,
// not for what a damaged length says.
func Unmarshal(data []byte) (*Head, error) {
	body := len(data) - crc32.Size
	switch {
	case body <= len(magic) || !slices.Equal(data[:len(magic)], magic):
		return nil, fmt.Errorf("head: %d bytes don't begin with %q", len(data), magic)
	case data[len(magic)] != format:
		return nil, fmt.Errorf("head: of version %d, this program reads %d", data[len(magic)], format)
	case crc32.Checksum(data[:body], castagnoli) != binary.LittleEndian.Uint32(data[body:]):
		return nil, fmt.Errorf("head: the checksum of %d bytes is not that of their content", len(data))
	}
	h, err := decode(data[len(magic)+1 : body])
	if err != nil {
		return nil, fmt.Errorf("head: reading %d bytes: %w", len(data), err)
	}
	return h, nil
}

// decode reads what stands between version and checksum. It believes nothing of it.
func decode(b []byte) (*Head, error) {
	h := &Head{}
	var err error
	if h.theme, b, err = text(b); err != nil {
		return nil, err
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n == 0 || n > uint64(len(b)) {
		return nil, fmt.Errorf("it does not have so many terms as it says")
	}
	b = b[size:]
	for i := range int(n) {
		var term string
		if term, b, err = text(b); err != nil {
			return nil, err
		}
		if i > 0 && term <= h.terms[i-1] {
			return nil, fmt.Errorf("term %q is out of order", term)
		}
		h.terms = append(h.terms, term)
	}
	if want := 2 * len(h.terms) * axes * 4; len(b) != want {
		return nil, fmt.Errorf("the axes of %d terms take %d bytes, and there are %d", len(h.terms), want, len(b))
	}
	h.rows = make([]float32, len(b)/4)
	for i := range h.rows {
		h.rows[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if !(math.Abs(float64(h.rows[i])) <= 2) { // axes are of length 1
			return nil, fmt.Errorf("number %d of the axes is %g", i, h.rows[i])
		}
	}
	return h, nil
}

func text(b []byte) (s string, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, fmt.Errorf("a name ends early")
	}
	return string(b[size:][:n]), b[size:][n:], nil
}
