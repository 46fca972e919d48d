package hostile

import (
	"fmt"
	"strings"
)

func (g *Generator) link(target string) string {
	return `{"type":` + quote(pick(g, "part_of", "copy_of", "related", g.word())) + `,"target":` + quote(target) + `}`
}

// links are many, long, to the artifact itself, or to what can't be.
func links(g *Generator, r *Record) {
	n := pick(g, 1, 1, 2, g.size(500), g.size(mostEdges))
	one := func(i int) string {
		switch g.rng.IntN(40) {
		case 0:
			return g.link(strings.Repeat("t", 1023+g.rng.IntN(3)))
		case 1:
			return `{"type":` + quote(g.text(g.size(1024))) + `,"target":"poison:1"}`
		case 2:
			return `{"type":"part_of","target":` + g.number() + `}`
		}
		return g.link(fmt.Sprintf("nowhere:%d", g.rng.IntN(20_000)))
	}
	if g.one(4) {
		r.Note, r.Fate, r.Reason = "a link to itself", Refused, "bad_link"
		g.send(r, `"link":[`+g.link(r.ID)+`]`)
		return
	}
	r.Note = fmt.Sprintf("%d links", n)
	g.send(r, `"link":`+list(n, one))
}

// chain are artifacts of which each links to the one before, for thousands of steps, and sometimes in a circle.
func chain(g *Generator, r *Record) {
	r.ID = fmt.Sprintf("chain:%d", g.rng.IntN(600))
	var n int
	if _, err := fmt.Sscanf(r.ID, "chain:%d", &n); err != nil {
		panic(err) // it was printed so
	}
	r.Fate = Applied
	g.send(r, `"link":[`+g.link(fmt.Sprintf("chain:%d", (n+1)%600))+`,`+g.link(fmt.Sprintf("chain:%d", (n+599)%600))+`]`)
}

// star are artifacts around a hub: hundreds link to one, which links to hundreds.
func star(g *Generator, r *Record) {
	r.Fate = Applied
	if g.one(8) {
		r.ID = "star:hub"
		n := g.size(1000)
		r.Note = fmt.Sprintf("the hub, with %d links", n)
		g.send(r, `"link":`+list(n, func(i int) string { return g.link(fmt.Sprintf("star:%d", i)) }))
		return
	}
	r.ID = fmt.Sprintf("star:%d", g.rng.IntN(1000))
	g.send(r, `"link":[`+g.link("star:hub")+`]`)
}

// collision are records of two subjects that have one hash of 64 bits.
func collision(g *Generator, r *Record) {
	g.send(r, `"subject":[`+quote(pick(g, "2a7eb3f0bedb9e30", "63e660900e18c1c2"))+`]`)
}
