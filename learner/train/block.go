package train

import (
	"math/rand/v2"

	"kilim/learner/model"
	"kilim/learner/tensor/sparse"
	"kilim/learner/tensor/tape"
	"kilim/learner/train/moco"
)

// buildView makes the block of some items. The features that they show are written to rows at, at+1, ... of viewRows.
func (s *Sampler) buildView(r *rand.Rand, items []viewSpec, at int) (moco.View, error) {
	modes := len(s.features)
	b := &model.Block{Mask: tape.Mask{Items: len(items), Modalities: modes, Present: make([]bool, len(items)*modes)}}
	for i := range items {
		for m := range modes {
			f := s.features[m]
			numbers, shown := s.buffers[m][(at+i)*f.Cols:(at+i+1)*f.Cols], &f.Rows[s.viewRows[m]+at+i]
			*shown = sparse.Vector{}
			if s.writeFeatures(r, &items[i], m, numbers) {
				b.Mask.Present[i*modes+m], *shown = true, sparse.Of(numbers)
			}
		}
	}
	nodes, reads, ends := s.sampleNeighbourhood(r, items)
	for m := range modes {
		if err := s.addModality(b, m, at, nodes, reads, ends); err != nil {
			return moco.View{}, err
		}
	}
	return moco.View{Features: s.features, Block: b}, nil
}

// addModality adds the rows and layers of modality m to a block: those of the items, and of the nodes that are active
// in m.
func (s *Sampler) addModality(b *model.Block, m, at int, nodes []int32, reads [][]Edge, ends []int) error {
	items, layers := b.Mask.Items, s.set.shape.Layers
	row := s.row[m]
	// activeFrom[k] is the lowest layer above which node k is active; layers stands for never.
	activeFrom := make([]int, len(nodes))
	for k, n := range nodes {
		activeFrom[k] = layers
		if k < items && b.Mask.Present[k*b.Mask.Modalities+m] || k >= items && s.set.rowOf[m][n] >= 0 {
			activeFrom[k] = 0
		}
		if n >= 0 {
			row[n] = int32(k)
		}
	}
	for l := 1; l < layers; l++ {
		for k := range nodes[:ends[layers-l]] {
			if activeFrom[k] < l {
				continue
			}
			for _, e := range reads[k] {
				if activeFrom[row[e.To]] < l {
					activeFrom[k] = l
					break
				}
			}
		}
	}
	// A node at depth d has a row if it is active when it is read, below layer layers-d+1. Nodes at depth layers have
	// none: lowestLayer reads their features.
	place := make([]int32, len(nodes))
	rows := tape.CSR{Start: []int32{0}}
	add := func(sources ...int32) int32 {
		for _, source := range sources {
			rows.Source, rows.Weight = append(rows.Source, source), append(rows.Weight, 1/float32(len(sources)))
		}
		rows.Start = append(rows.Start, int32(len(rows.Source)))
		return int32(rows.Rows() - 1)
	}
	var sizes []int
	k := 0
	for d, end := range ends {
		for ; k < end; k++ {
			switch {
			case d == layers || k >= items && activeFrom[k] > layers-d:
				place[k] = -1
			case activeFrom[k] > 0:
				place[k] = add()
			case k < items:
				place[k] = add(int32(s.viewRows[m] + at + k))
			default:
				place[k] = add(s.set.rowOf[m][nodes[k]])
			}
		}
		if d < layers {
			sizes = append(sizes, rows.Rows())
		}
	}
	var out []*tape.Edges
	lowest, err := s.lowestLayer(m, nodes, reads, place, activeFrom, ends[layers-1], add, &rows)
	if err != nil {
		return err
	}
	b.Rows, out = append(b.Rows, rows), append(out, lowest)
	for l := 1; l < layers; l++ {
		list := newEdgeList(sizes[layers-1-l])
		for k := range nodes[:ends[layers-1-l]] {
			if place[k] < 0 {
				continue
			}
			list.row(reads[k], func(to int32) int32 {
				if j := row[to]; activeFrom[j] <= l {
					return place[j]
				}
				return -1
			})
		}
		e, err := list.edges(sizes[layers-l], s.set.shape.Relations)
		if err != nil {
			return err
		}
		out = append(out, e)
	}
	b.Layers = append(b.Layers, out)
	return nil
}

// lowestLayer makes the edges of the lowest layer. Only this layer reads the deepest nodes, and the input is linear, so
// the means of their features are taken before the input: a row for each relation of each reader, which are fewer than
// the nodes. A model that weights neighbours must see each of them, and a deepest node has a row then, which all its readers read.
func (s *Sampler) lowestLayer(m int, nodes []int32, reads [][]Edge, place []int32, level []int, readers int, add func(...int32) int32, rows *tape.CSR) (*tape.Edges, error) {
	list, attends := newEdgeList(readers), s.set.shape.Attends()
	var near, deep []int32
	for k := range nodes[:readers] {
		if place[k] < 0 {
			continue
		}
		edges := reads[k]
		for i := 0; i < len(edges); {
			relation := edges[i].Relation
			near, deep = near[:0], deep[:0]
			for ; i < len(edges) && edges[i].Relation == relation; i++ {
				switch j := s.row[m][edges[i].To]; {
				case level[j] > 0:
				case place[j] >= 0:
					near = append(near, place[j])
				case attends:
					place[j] = add(s.set.rowOf[m][edges[i].To])
					near = append(near, place[j])
				default:
					deep = append(deep, s.set.rowOf[m][edges[i].To])
				}
			}
			share := 1 / float32(len(near)+len(deep))
			for _, j := range near {
				list.entry(j, relation, share)
			}
			if len(deep) > 0 {
				list.entry(add(deep...), relation, share*float32(len(deep)))
			}
		}
		list.end()
	}
	return list.edges(rows.Rows(), s.set.shape.Relations)
}
