package hostile

import (
	"fmt"
	"strconv"
	"strings"
)

// catalogue are the fields that hold terms.
var catalogue = []string{
	"creator", "culture", "period", "dynasty", "reign", "style", "place", "material", "technique", "type", "subject", "collection",
}

// mostEdges is profile's default.
const mostEdges = 4096

// terms are up to thousands of terms in one field or in all.
func terms(g *Generator, r *Record) {
	n := g.size(mostEdges)
	fields := 1
	if g.one(3) {
		fields = 1 + g.rng.IntN(len(catalogue))
	}
	fresh := g.one(3)
	term := func(i int) string {
		if fresh {
			return fmt.Sprintf(`"%d.%d"`, r.Seq, i)
		}
		return fmt.Sprintf(`"t%d"`, i)
	}
	r.Note = fmt.Sprintf("%d terms in %d fields, new ones: %t", n, fields, fresh)
	start := g.rng.IntN(len(catalogue))
	parts := make([]string, fields)
	for f := range fields {
		from, to := n*f/fields, n*(f+1)/fields
		parts[f] = `"` + catalogue[(start+f)%len(catalogue)] + `":` + list(to-from, func(i int) string { return term(from + i) })
	}
	r.Fate = Applied
	if n > mostEdges {
		r.Fate, r.Reason = Refused, "too_many"
	}
	g.send(r, parts...)
}

// labels are terms of which each is extreme: long, empty, of strange characters, with the longest key that the store takes.
func labels(g *Generator, r *Record) {
	n := pick(g, 1, 1, 2, 10, 1000)
	most := pick(g, 10, 1000, 59_990, 60_000, 60_001, 65_000, 66_000, 500_000) / n
	label := func() string { return g.text(pick(g, most, g.size(most))) }
	term := func(int) string {
		switch g.rng.IntN(5) {
		case 0:
			return `{"id":` + quote(label()) + `}`
		case 1:
			return `{"id":` + quote(g.text(g.size(50))) + `,"label":` + quote(label()) + `}`
		case 2:
			return `{"id":` + quote(pick(g, " ", "\u00a0", "http://x/\x00", label())) + `,"label":` + quote(g.word()) + `}`
		}
		return quote(label())
	}
	r.Note = fmt.Sprintf("%d terms of up to %d bytes", n, most)
	g.send(r, `"`+pick(g, catalogue...)+`":`+list(n, term))
}

// hub are terms that are known by few URIs and under a label of each record's own.
func hub(g *Generator, r *Record) {
	n := 1 + g.size(300)
	term := func(i int) string {
		label := fmt.Sprintf("label %d of %d", i, r.Seq)
		if g.one(10) {
			label = strings.Repeat("long ", g.size(2000)) + label
		}
		return `{"id":"http://hub.example/` + strconv.Itoa(i%7) + `","label":` + quote(label) + `}`
	}
	r.Note = fmt.Sprintf("%d labels of 7 URIs", n)
	g.send(r, `"`+pick(g, "culture", "place", "subject")+`":`+list(n, term))
}

// themes are many, with long names and many labels.
func themes(g *Generator, r *Record) {
	n, name := g.size(mostEdges), g.size(256)
	label := g.size(mostEdges / max(n, 1))
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(cut(strconv.Itoa(i)+strings.Repeat("n", name), max(name, 5))))
		b.WriteByte(':')
		b.WriteString(list(label, func(i int) string { return quote(g.word()) }))
	}
	r.Note = fmt.Sprintf("%d themes, names of %d bytes, %d labels each", n, name, label)
	g.send(r, `"theme":{`+b.String()+`}`)
}

// everything is a record with all fields, each of some size.
func everything(g *Generator, r *Record) {
	parts := []string{
		`"title":` + quote(g.text(g.size(3000))), `"description":` + quote(g.text(g.size(20_000))), `"language":` + quote(g.language()),
		`"digitized":` + quote(g.text(30)), `"date":` + g.date(), `"location":` + g.location(),
		`"theme":{"motif":` + list(g.size(20), func(int) string { return quote(g.word()) }) + `}`,
		`"link":` + list(g.size(20), func(int) string { return g.link(fmt.Sprintf("poison:%d", g.rng.IntN(r.Seq+10))) }),
		`"media":` + list(g.rng.IntN(4), func(int) string { return g.medium() }),
	}
	for _, field := range catalogue {
		parts = append(parts, `"`+field+`":`+list(g.size(40), func(int) string { return quote(g.words(1 + g.rng.IntN(2))) }))
	}
	g.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	g.send(r, parts...)
}
