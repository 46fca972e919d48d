package infer

import (
	"cmp"
	"slices"
	"strings"

	"kilim/learner/encode/text"
	"kilim/learner/tensor/sparse"
)

// archive is the whole graph of records, embedded from scratch.
type archive struct {
	enc   *text.Encoder
	table *text.Table
	model *Model
	nodes map[entity]*entityNode
}

type entityNode struct {
	h0, h1 []float32
	n      int
	sum    []float64
}

func (a *archive) features(p part) []float32 {
	out := make([]float32, a.enc.Dim())
	a.enc.Project(a.enc.Analyze(p.texts...), a.table.IDF, out)
	return out
}

func (a *archive) node(e entity) *entityNode {
	if n := a.nodes[e]; n != nil {
		return n
	}
	n := &entityNode{h0: a.model.Node(a.enc.Label(e.label), e.typ+1), sum: make([]float64, a.model.Width(1))}
	n.h1 = a.layer(0, Input{Self: n.h0})
	return n
}

func (a *archive) layer(l int, in Input) []float32 {
	return a.model.Layer(l, []Input{in}, 0)[0]
}

// build embeds the parts in the graph that they make.
func build(enc *text.Encoder, m *Model, parts []part) *archive {
	a := &archive{enc: enc, table: text.NewTable(), model: m, nodes: map[entity]*entityNode{}}
	for _, p := range parts {
		a.table.Add(enc.Analyze(p.texts...), 1)
	}
	for _, p := range parts {
		h0, _ := Halves(a.model.artifact(Features{Text: sparse.Of(a.features(p))}))
		for _, e := range p.entities {
			n := a.node(e)
			a.nodes[e] = n
			n.n++
			for i, x := range h0 {
				n.sum[i] += float64(x)
			}
		}
	}
	for e, n := range a.nodes {
		mean := make([]float32, len(n.sum))
		for i, x := range n.sum {
			mean[i] = float32(x / float64(n.n))
		}
		n.h1 = a.layer(0, Input{n.h0, []Message{{2*e.typ + 1, mean}}})
	}
	return a
}

// embed returns the features of a part and its embedding as a newcomer.
func (a *archive) embed(p part) (f, e []float32) {
	f = a.features(p)
	own := a.model.artifact(Features{Text: sparse.Of(f)})
	h0, _ := Halves(own)
	h1 := a.layer(0, Input{h0, a.messages(p, func(n *entityNode) []float32 { return n.h0 })})
	h2 := a.layer(1, Input{h1, a.messages(p, func(n *entityNode) []float32 { return n.h1 })})
	return f, a.model.Output([][]float32{h2}, [][]float32{own})[0]
}

func (a *archive) messages(p part, vector func(*entityNode) []float32) []Message {
	es := slices.Clone(p.entities)
	slices.SortFunc(es, func(x, y entity) int { return cmp.Or(x.typ-y.typ, strings.Compare(x.label, y.label)) })
	var out []Message
	for i := 0; i < len(es); {
		typ, n := es[i].typ, float32(0)
		mean := make([]float32, a.model.Width(1))
		for ; i < len(es) && es[i].typ == typ; i++ {
			for j, x := range vector(a.node(es[i])) {
				mean[j] += x
			}
			n++
		}
		for j := range mean {
			mean[j] /= n
		}
		out = append(out, Message{2 * typ, mean})
	}
	return out
}
