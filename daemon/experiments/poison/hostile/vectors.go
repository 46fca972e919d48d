package hostile

import (
	"fmt"
	"strings"
)

// dimensions is profile's default.
const dimensions = 16384

// numbersOf are n numbers of a vector.
func (g *Generator) numbersOf(n int) string {
	x := pick(g, "1", "0", "-0", "3e38", "-3.4e38", "1e-45", "1e-30", "3.5e38", "1e39", "1e999", "null", `"1"`, "[1]", "0.1", "-1", "1e-7", "true")
	rare := pick(g, x, x, "1", "3e38", "0", "1e-45")
	at := g.rng.IntN(max(n, 1))
	return list(n, func(i int) string {
		if i == at {
			return rare
		}
		return x
	})
}

// vectors come with the record: of no direction, of huge numbers, of any length, of the built-in encoders' names.
func vectors(g *Generator, r *Record) {
	n := g.size(dimensions)
	encoder := pick(g, fmt.Sprintf("e%d", n), fmt.Sprintf("e%d", n), "kilim-image v2, 2271 numbers", "kilim-audio v2, 271 numbers", "e", g.text(g.size(256)))
	if strings.HasPrefix(encoder, "kilim-image") && g.one(2) {
		n = 2271
	}
	kind := pick(g, "image", "audio", "text")
	one := func(int) string {
		return `{"kind":"` + kind + `","encoder":` + quote(encoder) + `,"embedding":` + g.numbersOf(n) + `}`
	}
	many := pick(g, 1, 1, 1, 2, 10)
	r.Note = fmt.Sprintf("%d vectors of %d numbers by %.40q", many, n, encoder)
	g.send(r, `"media":`+list(many, one))
}

// encoders are vectors of encoders that nobody has heard of.
func encoders(g *Generator, r *Record) {
	n := g.size(200)
	long := g.size(240)
	r.Note = fmt.Sprintf("%d new encoders", n)
	g.send(r, `"media":`+list(n, func(i int) string {
		return fmt.Sprintf(`{"kind":"text","encoder":"%d.%d%s","embedding":[1,%d]}`, r.Seq, i, strings.Repeat("n", long), i)
	}))
}
