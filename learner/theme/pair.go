package theme

// Pair is how like two Works are in a theme, seen from both: Parts differ in which of the two is taken to have the theme, and in
// nothing else.
type Pair struct {
	// Asking is what Question.Compare says, and Asked what it says when the other Work asks.
	Asking, Asked Parts
}

// Meeting is a Work that asks beside another, in any theme. It is used by one goroutine.
type Meeting struct {
	question *Question
	other    *Profile
	// lesser are the parts that are the same in every theme, once they are known.
	lesser Parts
	known  bool
}

// Meet begins to compare with another Work.
func (q *Question) Meet(p *Profile) Meeting { return Meeting{question: q, other: p} }

// Respect is a theme of a Model, by its place.
type Respect int

// Respect returns that of a theme. ok is false when the Model knows too few labels of it.
func (m *Model) Respect(theme string) (r Respect, ok bool) {
	i, ok := m.find(theme)
	return Respect(i), ok
}

// aboveReach is more than a cosine of vectors of 32-bit numbers is above 1, and than sums of the same addends differ by.
const aboveReach = 1e-6

// Reach are upper bounds of the scores of a Pair. Those of the lesser parts, which are of all terms and words and most of what a comparison takes, are
// what they can be at most until a Pair of the two was wanted.
func (m *Meeting) Reach(r Respect) (asking, asked float64) {
	probable, near := m.question.jaccards(int(r), m.other)
	lesser := profileCounts + wordsCount + aboveReach
	if m.known {
		lesser = m.lesser.Profile + m.lesser.Words + aboveReach
	}
	own := m.question.asking
	return m.other.most(r, probable, near) + lesser, own.most(r, probable, near) + lesser
}

// Bounds are between what the score of a comparison with an Outline is, once it is complete: what its nearest fitted Works say of a theme adds nothing at least, and no more at
// most than as if they said the term alone that is the likeliest of those of the Work that asks. ok is false when the Model knows too few labels of the theme.
//
// For it takes part in the score as the expected Jaccard similarity J = s/(a+b-s) of a and b terms, of which s are shared. With a term's probabilities x <= m and y <= 1, given that both have
// the theme, s = sum of x*y is at most m*b, and at most a. J rises with s, and at either bound it is m at most: m*b/(a+b-m*b) where m*b <= a, else a/b.
func (q *Question) Bounds(theme string, o *Outline) (low, high float64, ok bool) {
	i, ok := q.model.find(theme)
	if !ok {
		return 0, 0, false
	}
	p := &o.profile
	low = q.lesser(p).Score() + p.probable.themes[i].present*q.predicted(i, p)
	likeliest := float32(0)
	for _, c := range q.asking.near.of(i) {
		likeliest = max(likeliest, c.p)
	}
	return low - aboveReach, low + nearCounts*float64(likeliest)/q.asking.near.themes[i].present + aboveReach, true
}

// most is what two Jaccard similarities make of a score when the Work is the one that is not taken to have the theme.
func (p *Profile) most(r Respect, probable, near float64) float64 {
	return p.probable.themes[r].present*probable + nearCounts*p.near.themes[r].present*near
}

// Pair compares the two. What they have in common is the same to the bit whichever of them asks: sums over shared terms and words, in their order.
func (m *Meeting) Pair(r Respect) Pair {
	if !m.known {
		m.lesser, m.known = m.question.lesser(m.other), true
	}
	probable, near := m.question.jaccards(int(r), m.other)
	one := func(p *Profile) Parts {
		parts := m.lesser
		parts.Terms, parts.Neighbours = p.probable.themes[r].present*probable, nearCounts*p.near.themes[r].present*near
		return parts
	}
	return Pair{Asking: one(m.other), Asked: one(m.question.asking)}
}
