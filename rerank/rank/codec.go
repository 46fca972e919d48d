package rank

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// format is the version of a Model's bytes. Raise it when they change, or what they mean.
const format = 1

const (
	mostName  = 128
	mostNodes = 2*mostLeaves - 1
	// nodeBytes are those of a node: feature, left, threshold, value.
	nodeBytes = 2 + 2 + 4 + 4
)

var (
	magic      = []byte("kilim rank")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// MarshalBinary writes the Model: magic, version, names, the factor of the prior, trees; and a CRC-32C of all that stands before it.
// Equal Models have equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := append(slices.Clone(magic), format)
	b = binary.AppendUvarint(b, uint64(len(m.names)))
	for _, n := range m.names {
		b = append(binary.AppendUvarint(b, uint64(len(n))), n...)
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.scale))
	b = binary.AppendUvarint(b, uint64(len(m.starts)))
	for t := range m.starts {
		from, to := m.tree(t)
		b = binary.AppendUvarint(b, uint64(to-from))
		for i := from; i < to; i++ {
			n := m.nodes[i]
			b = binary.LittleEndian.AppendUint16(b, n.feature)
			b = binary.LittleEndian.AppendUint16(b, n.left)
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(n.threshold))
			b = binary.LittleEndian.AppendUint32(b, uint32(m.values[i]))
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

// Unmarshal reads a Model that MarshalBinary wrote. What another version wrote, what is damaged and what no Fit makes is refused, with
// the field; no length in it makes Unmarshal take more memory than the bytes that are there justify.
func Unmarshal(data []byte) (*Model, error) {
	m, err := unmarshal(data)
	if err != nil {
		return nil, fmt.Errorf("rank: reading a model of %d bytes: %w", len(data), err)
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
		return nil, errors.New("its checksum is not that of its content")
	}
	return decode(data[len(magic)+1 : body])
}

// decode reads what stands between version and checksum. It believes nothing of it.
func decode(body []byte) (*Model, error) {
	r := &reader{rest: body}
	m := &Model{}
	for range r.count("features", 2, maxFeatures) {
		m.names = append(m.names, string(r.take("name", r.count("name", 1, mostName))))
	}
	m.scale = math.Float64frombits(r.uint64("scale"))
	if !(m.scale >= 0 && m.scale <= mostScale) {
		r.fail("scale", fmt.Errorf("is %v, want 0 to %d", m.scale, mostScale))
	}
	for t := range r.count("trees", 1+nodeBytes, mostTrees) {
		r.tree(m, t)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.fail("end", fmt.Errorf("%d bytes too many", len(r.rest)))
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := checkNames(m.names); err != nil {
		return nil, err
	}
	m.quick = quickOf(m)
	return m, nil
}

// tree reads tree t: nodes of which each but the first is the child of one before it, so that every walk ends.
func (r *reader) tree(m *Model, t int) {
	field := fmt.Sprintf("tree %d", t)
	nodes, start := r.count(field, nodeBytes, mostNodes), len(m.nodes)
	var child [mostNodes]bool
	for i := range nodes {
		n := node{feature: r.uint16(field), left: r.uint16(field), threshold: math.Float32frombits(r.uint32(field))}
		value := int32(r.uint32(field))
		if r.err != nil {
			return
		}
		left := int(n.left)
		leaf := left == i && math.IsInf(float64(n.threshold), 1) && n.feature == 0
		inner := left > i && left+1 < nodes && !child[left] && !child[left+1] && finite(n.threshold) && int(n.feature) < len(m.names)
		switch {
		case !inner && !leaf:
			r.fail(field, fmt.Errorf("node %d (feature %d, threshold %v, left %d) is none that is fitted", i, n.feature, n.threshold, left))
		case child[i] == (i == 0):
			r.fail(field, fmt.Errorf("node %d is no child of one before it", i))
		case value < -mostValue || value > mostValue || i == 0 && value != 0:
			r.fail(field, fmt.Errorf("node %d has the value %d", i, value))
		}
		if inner {
			child[left], child[left+1] = true, true
		}
		m.nodes, m.values = append(m.nodes, n), append(m.values, value)
	}
	if nodes == 0 {
		r.fail(field, errors.New("has no nodes"))
	}
	if r.err != nil {
		return
	}
	m.starts = append(m.starts, int32(start))
}

var errShort = errors.New("ends too early")

// reader reads fields one after another. The first fault sticks, and later reads return zero.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(field string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", field, err)
	}
	r.rest = nil
}

// count reads a number of things of at least size bytes each, which must be there, and at most most.
func (r *reader) count(field string, size, most int) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail(field, errShort)
		return 0
	}
	r.rest = r.rest[n:]
	if v > uint64(min(most, len(r.rest)/size)) {
		r.fail(field, fmt.Errorf("%d of them: want %d at most, in the %d bytes that are left", v, most, len(r.rest)))
		return 0
	}
	return int(v)
}

func (r *reader) take(field string, n int) []byte {
	if n > len(r.rest) {
		r.fail(field, errShort)
		return nil
	}
	v := r.rest[:n]
	r.rest = r.rest[n:]
	return v
}

func (r *reader) uint16(field string) uint16 {
	if b := r.take(field, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32(field string) uint32 {
	if b := r.take(field, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64(field string) uint64 {
	if b := r.take(field, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}
