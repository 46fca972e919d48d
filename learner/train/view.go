package train

import (
	"math/rand/v2"
	"slices"
)

// viewSpec says what a view shows of an artifact.
type viewSpec struct {
	artifact int32
	parts    []Part // of the record
	hidden   uint64 // a bit for each hidden modality
	mask     bool   // mask coordinates of the features
}

// drawViews draws what the two views of a pair show.
func (s *Sampler) drawViews(r *rand.Rand, p Pair) (q, k viewSpec) {
	q.artifact, k.artifact, q.mask, k.mask = p.Query, p.Key, true, true
	if p.Query == p.Key && r.Float64() < s.views.Half {
		s.splitParts(r, &q, &k)
	} else if r.Float64() < s.views.NoOrigin {
		s.hideOrigin(&q)
		s.dropParts(r, &k)
	} else {
		s.dropParts(r, &q)
		s.dropParts(r, &k)
	}
	s.dropModalities(r, &q)
	s.dropModalities(r, &k)
	return q, k
}

// splitParts gives each part of a record to one of two views, about as many to each.
func (s *Sampler) splitParts(r *rand.Rand, q, k *viewSpec) {
	parts := slices.Clone(s.set.artifacts[q.artifact].Parts)
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	if len(parts) < 2 {
		q.parts, k.parts = parts, parts
		return
	}
	half := (len(parts) + r.IntN(2)) / 2
	q.parts, k.parts = inOrder(parts[:half]), inOrder(parts[half:])
}

// hideOrigin shows the parts that name no origin, or all parts if there are no others.
func (s *Sampler) hideOrigin(v *viewSpec) {
	all := s.set.artifacts[v.artifact].Parts
	for _, p := range all {
		if !p.Origin {
			v.parts = append(v.parts, p)
		}
	}
	if len(v.parts) == 0 {
		v.parts = all
	}
}

func inOrder(parts []Part) []Part {
	slices.SortFunc(parts, func(a, b Part) int { return int(a.Content - b.Content) })
	return parts
}

// dropParts hides parts at random, but not all.
func (s *Sampler) dropParts(r *rand.Rand, v *viewSpec) {
	all := s.set.artifacts[v.artifact].Parts
	for _, p := range all {
		if r.Float64() >= s.views.FieldDrop {
			v.parts = append(v.parts, p)
		}
	}
	if len(v.parts) == 0 && len(all) > 0 {
		v.parts = all[:1]
	}
}

// modalitiesOf returns the modalities that an artifact has.
func (s *Sampler) modalitiesOf(artifact int32) []int {
	var out []int
	for m := range s.features {
		if s.set.rowOf[m][s.set.artifacts[artifact].Node] >= 0 {
			out = append(out, m)
		}
	}
	return out
}

// dropModalities hides modalities at random, but not all.
func (s *Sampler) dropModalities(r *rand.Rand, v *viewSpec) {
	has := s.modalitiesOf(v.artifact)
	left := len(has)
	for _, i := range r.Perm(len(has)) {
		if left > 1 && r.Float64() < s.views.ModalityDrop {
			v.hidden |= 1 << has[i]
			left--
		}
	}
}

// splitModalities gives each modality besides the record to one of two views; both show the record.
func (s *Sampler) splitModalities(r *rand.Rand, q, k *viewSpec) {
	for _, m := range s.modalitiesOf(q.artifact) {
		if m == 0 {
			continue
		}
		if r.IntN(2) == 0 {
			q.hidden |= 1 << m
		} else {
			k.hidden |= 1 << m
		}
	}
}

// edgesOf returns the edges that the item reads, by relation: those of the parts that are shown, and those that belong to
// no part, of its links and of media whose modality is shown.
func (s *Sampler) edgesOf(v *viewSpec) []Edge {
	a := &s.set.artifacts[v.artifact]
	byPart := map[Edge]bool{}
	for _, p := range a.Parts {
		for _, e := range p.Edges {
			byPart[e] = true
		}
	}
	var out []Edge
	for _, p := range v.parts {
		out = append(out, p.Edges...)
	}
	for _, e := range s.set.neighbours(a.Node) {
		if m, media := s.set.media[e.Relation]; !byPart[e] && (!media || v.hidden>>m&1 == 0) {
			out = append(out, e)
		}
	}
	sortEdges(out)
	return slices.Compact(out)
}

// writeFeatures writes to out the item's features of a modality; false says that the view shows none.
func (s *Sampler) writeFeatures(r *rand.Rand, v *viewSpec, m int, out []float32) bool {
	node := s.set.artifacts[v.artifact].Node
	row := s.set.rowOf[m][node]
	if row < 0 || v.hidden>>m&1 == 1 {
		return false
	}
	if m == 0 && s.set.encoder != nil {
		s.set.encoder.Encode(node, v.parts, out)
	} else {
		s.set.features[m].Rows[row].Scatter(out)
	}
	if v.mask && s.views.FeatureMask > 0 {
		for i := range out {
			if r.Float64() < s.views.FeatureMask {
				out[i] = 0
			}
		}
	}
	return true
}
