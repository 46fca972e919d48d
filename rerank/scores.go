package rerank

import (
	"encoding/binary"
	"errors"
	"math"
)

// withScores marks a change that has the scores of the lists before it. Those that were written before there were any go on being read.
const withScores = 2

// scored tells of which lists scores are kept: of all but ListGeneral, for which the bytes of a History would reach back less far.
func scored(list string) bool { return list != ListGeneral }

// appendScores writes the scores of a list: one a little above the largest as the upper half of a float32, and of each its share of that in 127ths. So
// a score takes a byte, whatever it is measured in (that of a learned order has no bounds), and is off by at most a 254th of the largest.
func appendScores(b []byte, list []Entry) []byte {
	if len(list) == 0 {
		return b
	}
	most := float32(0)
	for i := range list {
		most = max(most, float32(math.Abs(float64(list[i].Score))))
	}
	top := uint16(math.Float32bits(most)>>16) + 1
	if !finite(top) {
		top--
	}
	b = binary.LittleEndian.AppendUint16(b, top)
	for i := range list {
		share := math.Round(127 * float64(list[i].Score) / float64(upperHalf(top)))
		b = append(b, byte(int8(max(-127, min(127, share)))))
	}
	return b
}

// scores reads what appendScores wrote of n entries.
func (d *decoder) scores(n int) []float32 {
	if n == 0 {
		return nil
	}
	b := d.take("scores", 2+n)
	if b == nil {
		return nil
	}
	top := binary.LittleEndian.Uint16(b)
	if !finite(top) {
		d.fail("scores", errors.New("are not finite"))
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = upperHalf(top) * float32(int8(b[2+i])) / 127
	}
	return out
}

func upperHalf(top uint16) float32 { return math.Float32frombits(uint32(top) << 16) }

func finite(top uint16) bool {
	return !math.IsInf(float64(upperHalf(top)), 0) && !math.IsNaN(float64(upperHalf(top)))
}
