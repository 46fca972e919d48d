package theme

import (
	"math"
	"slices"
	"unsafe"
)

// Model tells the Profiles of Works and compares them. It is not changed once made, and any number of goroutines may use it.
type Model struct {
	space *space
	vocabulary
	prior     []float32 // of a term: the share of the fitted Works that have it, 0 where it is not solved; and then of a theme
	weights   *matrix   // features x terms, and then themes
	gates     []gate    // by a theme's place among the spans
	byFeature *matrix   // features x fitted Works
	labels    [][]int32 // of a fitted Work: its terms, rising
	// apart is by term the place of its theme among the spans where that stands apart, else noTheme; nil: none does.
	apart []int32
}

const noTheme = -1

// Apart is the Model with some themes that stand apart: what others say of a Work, and how like it is to others in them, is the same to the bit as
// without these. What is said of one that stands apart goes by its own terms and those of the themes that don't. Themes that the Model does not know count
// for nothing.
//
// The obvious design, that each theme adds to what all go by, is what happens to those that don't stand apart: there a theme that came would change each
// score of every other.
func (m *Model) Apart(themes ...string) *Model {
	out := *m
	out.apart = nil
	for _, name := range themes {
		i, ok := m.find(name)
		if !ok {
			continue
		}
		if out.apart == nil {
			out.apart = slices.Repeat([]int32{noTheme}, len(m.terms))
		}
		for t := m.spans[i].from; t < m.spans[i].to; t++ {
			out.apart[t] = int32(i)
		}
	}
	return &out
}

// isApart tells whether the theme of a place stands apart.
func (m *Model) isApart(theme int) bool {
	return m.apart != nil && m.apart[m.spans[theme].from] != noTheme
}

// newModel is a Model without weights. Terms of fewer than enough Works are not solved: the nearest Works alone tell them.
func newModel(s *space, byFeature *matrix, v vocabulary) *Model {
	m := &Model{space: s, byFeature: byFeature, vocabulary: v, labels: v.byWork(byFeature.columns), gates: v.newGates(byFeature.columns), prior: make([]float32, len(v.terms))}
	for t, works := range v.works {
		if len(works) >= enough {
			m.prior[t] = float32(float64(len(works)) / float64(byFeature.columns))
		}
	}
	for i := range m.gates {
		m.prior = append(m.prior, m.gates[i].share)
	}
	return m
}

// Themes are those of which enough labels were known, by name.
func (m *Model) Themes() []string {
	out := make([]string, len(m.spans))
	for i, s := range m.spans {
		out[i] = s.theme
	}
	return out
}

// Terms is how many terms the Model predicts, of all themes.
func (m *Model) Terms() int { return len(m.terms) }

// Profile is what a Model tells of a Work: some 6 KB. It is compared with others of the same Model.
type Profile struct {
	probable forecast // by ridge regression
	near     forecast // by the nearest fitted Works
	words    vector   // the view of the words, of length 1
	excess   float64  // the length of the likely terms' excesses
}

// Bytes is about how much memory a Profile takes.
func (p *Profile) Bytes() int {
	return int(unsafe.Sizeof(*p)) + cap(p.words)*int(unsafe.Sizeof(coordinate{})) + p.probable.bytes() + p.near.bytes()
}

// maxWords is how many words and pairs of words a Profile keeps for comparisons, the rarest for their number.
const maxWords = 256

// Profile predicts the terms of a Work. What a fitted Work consists of and its labels are known to the Model, and its Profile shows it.
func (m *Model) Profile(w *Work) *Profile {
	o, probable := m.outline(w)
	return m.complete(o, probable)
}

// Outline is a Profile without what the nearest fitted Works tell, which is most of the work of one. Question.Bounds tells whether the rest is worth it.
type Outline struct {
	profile Profile
	at      vector
}

// Bytes is about how much memory an Outline takes.
func (o *Outline) Bytes() int { return o.profile.Bytes() + cap(o.at)*int(unsafe.Sizeof(coordinate{})) }

// Outline begins a Profile.
func (m *Model) Outline(w *Work) *Outline {
	o, _ := m.outline(w)
	return o
}

// Complete is the Profile of which an Outline is the beginning.
func (m *Model) Complete(o *Outline) *Profile {
	probable, _ := m.regression(o.at)
	return m.complete(o, probable)
}

// regression predicts: terms are the probabilities of all terms, themes what is predicted of the themes, which may be above 1 or below 0.
func (m *Model) regression(at vector) (terms, themes []float32) {
	out := slices.Clone(m.prior)
	m.weights.timesVector(at, out)
	terms, themes = out[:len(m.terms)], out[len(m.terms):]
	for t, p := range terms {
		terms[t] = probability(p)
	}
	return terms, themes
}

// outline returns the probabilities of all terms besides.
func (m *Model) outline(w *Work) (o *Outline, probable []float32) {
	at := m.space.vector(w)
	probable, themes := m.regression(at)
	o = &Outline{Profile{probable: m.forecast(probable, themes), words: m.space.only(words, at).largest(maxWords)}, at}
	p := &o.profile
	squared := 0.0
	for _, c := range p.probable.likely {
		squared += float64(m.excess(c)) * float64(m.excess(c))
	}
	p.excess = math.Sqrt(squared)
	if length := math.Sqrt(p.words.dot(p.words)); length > 0 {
		for i := range p.words {
			p.words[i].value = float32(float64(p.words[i].value) / length)
		}
	}
	return o, probable
}

func (m *Model) complete(o *Outline, probable []float32) *Profile {
	p := o.profile
	p.near = m.forecast(m.nearest(o.at, probable, p.probable.length), nil)
	return &p
}

// excess is by how much a term is likelier than it is of any Work; 0 of a theme that stands apart.
func (m *Model) excess(c chance) float32 {
	if m.apart != nil && m.apart[c.term] != noTheme {
		return 0
	}
	return max(0, c.p-m.prior[c.term])
}

// neighbours is how many of the nearest fitted Works tell their terms.
const neighbours = 40

// nearest are the terms' shares of the nearest fitted Works. One counts by the square of its kernel, and by how well its terms
// agree, by their cosine, with the probabilities: near in words alone it may be of something else. A fitted Work is the nearest to itself.
func (m *Model) nearest(at vector, probable []float32, length float64) []float32 {
	kernels := make([]float32, m.byFeature.columns)
	m.byFeature.timesVector(at, kernels)
	out := make([]float32, len(m.terms))
	best := largestOf(kernels, neighbours)
	m.tell(out, best, kernels, probable, length, noTheme)
	for i, s := range m.spans {
		if !m.isApart(i) {
			continue
		}
		squared := length * length
		for _, p := range probable[s.from:s.to] {
			squared += float64(p) * float64(p)
		}
		m.tell(out, best, kernels, probable, math.Sqrt(squared), int32(i))
	}
	return out
}

// tell writes to out what the best Works tell of the themes that don't stand apart or, by these and its own terms, of one that does. length is that of the
// probabilities of all that are looked at.
func (m *Model) tell(out []float32, best []int, kernels, probable []float32, length float64, apart int32) {
	of := func(term int32) int32 {
		if m.apart == nil {
			return noTheme
		}
		return m.apart[term]
	}
	counts, total := make([]float32, len(best)), float32(0)
	for k, i := range best {
		agree, n := 0.0, 0
		for _, term := range m.labels[i] {
			if theme := of(term); theme == noTheme || theme == apart {
				agree += float64(probable[term])
				n++
			}
		}
		if n > 0 {
			agree /= length * math.Sqrt(float64(n))
		}
		counts[k] = kernels[i] * kernels[i] * float32(agree)
		total += counts[k]
	}
	for k, i := range best {
		for _, term := range m.labels[i] {
			if of(term) == apart {
				out[term] += counts[k] / total
			}
		}
	}
}

// largestOf are the places of the n largest values above 0, the largest first, of equal ones the first place first.
func largestOf(values []float32, n int) []int {
	var best []int
	for i, v := range values {
		if v <= 0 || len(best) == n && v <= values[best[n-1]] {
			continue
		}
		if len(best) < n {
			best = append(best, i)
		}
		at := len(best) - 1
		for ; at > 0 && values[best[at-1]] < v; at-- {
			best[at] = best[at-1]
		}
		best[at] = i
	}
	return best
}
