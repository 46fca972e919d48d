package theme

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"kilim/learner/encode/text"
)

// format is the version of a Model's bytes. Raise it when they, the features or their weights change.
const format = 2

var (
	magic      = []byte("kilim theme")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// MarshalBinary writes the Model: magic, version, text analyzer; features, fitted Works, terms, weights, and from which probability on a theme applies; and a CRC-32C of all that
// stands before it. Equal Models have equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := append(slices.Clone(magic), format)
	b = appendText(b, m.space.analyzer.Identity().String())
	b = binary.AppendUvarint(b, uint64(m.space.len()))
	for i, hash := range m.space.hash {
		b = binary.LittleEndian.AppendUint64(b, hash)
		b = append(b, byte(m.space.viewOf[i]))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.space.weight[i]))
	}
	b = appendMatrix(b, m.byFeature.transposed())
	b = binary.AppendUvarint(b, uint64(len(m.spans)))
	for _, s := range m.spans {
		b = appendText(b, s.theme)
		b = binary.AppendUvarint(b, uint64(s.to-s.from))
		for t := s.from; t < s.to; t++ {
			b = appendText(b, m.terms[t])
			b = binary.AppendUvarint(b, uint64(len(m.works[t])))
			b = appendRising(b, m.works[t])
		}
	}
	b = appendMatrix(b, m.weights.transposed())
	for i := range m.gates {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(m.gates[i].least))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendRising appends numbers as their distances.
func appendRising(b []byte, numbers []int32) []byte {
	last := int32(-1)
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n-last-1))
		last = n
	}
	return b
}

// appendMatrix appends the rows of a matrix whose columns are the features: a reader knows how many these are, and each row takes a byte
// at least, so no damaged length makes it take memory.
func appendMatrix(b []byte, m *matrix) []byte {
	b = binary.AppendUvarint(b, uint64(m.rows()))
	for i := range m.rows() {
		columns, values := m.row(i)
		b = binary.AppendUvarint(b, uint64(len(columns)))
		b = appendRising(b, columns)
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b
}

// Unmarshal reads a Model that MarshalBinary wrote. It refuses what another version or text analyzer made, and what is damaged.
// It takes memory for what is there, and not for what a damaged length says.
func Unmarshal(data []byte) (*Model, error) {
	m, err := unmarshal(data)
	if err != nil {
		return nil, fmt.Errorf("theme: reading a model of %d bytes: %w", len(data), err)
	}
	return m, nil
}

func unmarshal(data []byte) (*Model, error) {
	body := len(data) - crc32.Size
	if body <= len(magic) || !slices.Equal(data[:len(magic)], magic) {
		return nil, fmt.Errorf("it does not begin with %q", magic)
	}
	if v := data[len(magic)]; v != format {
		return nil, fmt.Errorf("it is of version %d, this program reads %d", v, format)
	}
	if crc32.Checksum(data[:body], castagnoli) != binary.LittleEndian.Uint32(data[body:]) {
		return nil, fmt.Errorf("its checksum is not that of its content")
	}
	analyzer, err := newAnalyzer()
	if err != nil {
		return nil, err
	}
	return decode(analyzer, data[len(magic)+1:body])
}

// decode reads what stands between version and checksum. It believes nothing of it.
func decode(analyzer *text.Encoder, body []byte) (*Model, error) {
	r := &reader{b: body}
	if made, here := r.text(), analyzer.Identity().String(); r.err == nil && made != here {
		return nil, fmt.Errorf("its texts were analyzed by %q, this program has %q", made, here)
	}
	s := emptySpace(analyzer)
	r.space(s)
	works := r.matrix(s.len())
	v := r.vocabulary(works.rows())
	weights := r.matrix(s.len())
	if want := len(v.terms) + len(v.spans); weights.rows() != want {
		r.fail("weights for %d terms and themes, and there are %d", weights.rows(), want)
	}
	least := r.probabilities(len(v.spans))
	if len(r.b) > 0 {
		r.fail("%d bytes after its end", len(r.b))
	}
	if r.err != nil {
		return nil, r.err
	}
	m := newModel(s, works.transposed(), v)
	m.weights = weights.transposed()
	for i := range m.gates {
		m.gates[i].least = least[i]
	}
	return m, nil
}
