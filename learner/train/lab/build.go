package main

import (
	"slices"

	"kilim/graphstore"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/train"
)

// doc is what one node shows of a record.
type doc struct {
	record           int
	pieces           []int32
	noImage, noAudio bool
	// reads only: nothing reads this node.
	oneWay bool
}

// archive makes sets of docs.
type archive struct {
	corpus  *corpus
	enc     *text.Encoder
	table   *text.Table
	shape   model.Config
	noGraph bool
	rare    int // an entity of at most so many artifacts is rare
}

const artifactRelation = 2 * int32(graphstore.RelLink)

// features encodes what is shown; it is train.Encoder.
func (a *archive) Encode(node int32, parts []train.Part, out []float32) {
	pieces := make([]int32, len(parts))
	for i, p := range parts {
		pieces[i] = p.Content
	}
	a.features(pieces, out)
}

func (a *archive) features(pieces []int32, out []float32) {
	var texts []string
	clear(out)
	dim := a.enc.Dim()
	for _, p := range pieces {
		piece := &a.corpus.pieces[p]
		texts = append(texts, piece.text)
		if piece.date != nil {
			facts.Encode(piece.date.Begin, piece.date.End, nil, nil, out[dim:dim+facts.Dim])
		}
	}
	a.enc.Project(a.enc.Analyze(texts...), a.table.IDF, out[:dim])
	out[dim+facts.Dim+int(graphstore.Artifact)] = 1
}

func (a *archive) label(e entity) []float32 {
	out := make([]float32, a.shape.Modalities[0].Features)
	dim := a.enc.Dim()
	a.enc.ProjectPlain(a.enc.Analyze(e.label), out[:dim])
	out[dim+facts.Dim+int(e.typ)] = 1
	return out
}

type entityKey struct {
	typ graphstore.Type
	key string
}

// set makes the graph of some docs, and the node of each. Those that are two-way
// can be trained on.
func (a *archive) set(docs []doc) (*train.Set, []int32, error) {
	b := train.NewBuilder(a.shape)
	entities := map[entityKey]int32{}
	members := map[int32][]int{} // of an entity's node: docs
	nodes := make([]int32, len(docs))
	parts := make([][]train.Part, len(docs))
	byRecord := map[int]int{}
	for i, d := range docs {
		own := map[int32]bool{}
		for _, p := range d.pieces {
			part := train.Part{Content: p, Origin: slices.Contains(hidden, a.corpus.pieces[p].field)}
			for _, e := range a.corpus.pieces[p].entities {
				if a.noGraph {
					break
				}
				k := entityKey{e.typ, e.key}
				n, ok := entities[k]
				if !ok {
					n = b.Node(a.label(e))
					entities[k] = n
				}
				part.Edges = append(part.Edges, train.Edge{To: n, Relation: 2 * int32(e.typ)})
				if !d.oneWay && !own[n] {
					own[n] = true
					members[n] = append(members[n], i)
				}
			}
			parts[i] = append(parts[i], part)
		}
	}
	for i, d := range docs {
		rec := make([]float32, a.shape.Modalities[0].Features)
		a.features(d.pieces, rec)
		all := [][]float32{rec}
		for _, mode := range a.shape.Modalities[1:] {
			own := a.corpus.records[d.record].image
			if mode.Name == "audio" {
				own = a.corpus.records[d.record].audio
			}
			if mode.Name == "image" && d.noImage || mode.Name == "audio" && d.noAudio {
				own = nil
			}
			all = append(all, own)
		}
		nodes[i] = b.Node(all...)
		if !d.oneWay {
			byRecord[d.record] = i
		}
	}
	for k, n := range entities {
		for _, i := range members[n] {
			b.Read(n, train.Edge{To: nodes[i], Relation: 2*int32(k.typ) + 1})
		}
	}
	cultures := map[string]int32{}
	for i, d := range docs {
		r := &a.corpus.records[d.record]
		art := train.Artifact{Node: nodes[i], Culture: -1, Parts: parts[i]}
		if r.culture != "" {
			n, ok := cultures[r.culture]
			if !ok {
				n = int32(len(cultures))
				cultures[r.culture] = n
			}
			art.Culture = n
		}
		for _, id := range r.links {
			if j, ok := byRecord[a.corpus.index(id)]; ok && j != i && !a.noGraph {
				art.Links = append(art.Links, nodes[j])
				b.Read(nodes[i], train.Edge{To: nodes[j], Relation: artifactRelation})
				if !d.oneWay {
					b.Read(nodes[j], train.Edge{To: nodes[i], Relation: artifactRelation + 1})
				}
			}
		}
		for _, p := range parts[i] {
			for _, e := range p.Edges {
				if m := members[e.To]; len(m) >= 2 && len(m) <= a.rare {
					for _, j := range m {
						if j != i {
							art.Rare = append(art.Rare, nodes[j])
						}
					}
				}
			}
		}
		slices.Sort(art.Rare)
		art.Rare = slices.Compact(art.Rare)
		art.Kin = append(slices.Clone(art.Links), art.Rare...)
		if d.oneWay {
			for _, p := range art.Parts {
				for _, e := range p.Edges {
					b.Read(art.Node, e)
				}
			}
			continue
		}
		b.Artifact(art)
	}
	s, err := b.Build(a)
	return s, nodes, err
}

// index is the record of an id, -1 when there is none.
func (c *corpus) index(id string) int {
	if i, ok := c.at[id]; ok {
		return i
	}
	return -1
}
