package theme

// Pair is how like two Works are in a theme, seen from both: Parts differ in which of the two is taken to have the theme, and in
// nothing else.
type Pair struct {
	// Asking is what Question.Compare says, and Asked what it says when the other Work asks.
	Asking, Asked Parts
}

// Respect is a Question in one theme.
type Respect struct {
	question *Question
	theme    int
}

// In is the Question in a theme. ok is false when the Model knows too few labels of it.
func (q *Question) In(theme string) (r Respect, ok bool) {
	i, ok := q.model.find(theme)
	return Respect{q, i}, ok
}

// aboveReach is more than a cosine of vectors of 32-bit numbers is above 1, and than sums of the same addends differ by.
const aboveReach = 1e-6

// Reach are upper bounds of the scores of a Pair, at a tenth of what it costs: the lesser parts, which are of all terms and words, are
// taken as large as they can be.
func (r Respect) Reach(p *Profile) (asking, asked float64) {
	own := r.question.asking
	probable, near := r.question.jaccards(r.theme, p)
	const lesser = profileCounts + wordsCount + aboveReach
	asking = p.probable.themes[r.theme].present*probable + nearCounts*p.near.themes[r.theme].present*near + lesser
	asked = own.probable.themes[r.theme].present*probable + nearCounts*own.near.themes[r.theme].present*near + lesser
	return asking, asked
}

// Most is above what is asked of the Work that asks, whoever it is that asks back: where it does not have the theme, that is little.
func (r Respect) Most() float64 {
	own := r.question.asking
	return own.probable.themes[r.theme].present + nearCounts*own.near.themes[r.theme].present + profileCounts + wordsCount + aboveReach
}

// Pair compares two Works. What the two have in common is the same to the bit whichever of them asks: sums over shared terms and words, in their
// order.
func (r Respect) Pair(p *Profile) Pair {
	own := r.question.asking
	probable, near := r.question.jaccards(r.theme, p)
	both := Parts{Profile: profileCounts * r.question.cosine(p), Words: wordsCount * own.words.dot(p.words)}
	asking, asked := both, both
	asking.Terms, asking.Neighbours = p.probable.themes[r.theme].present*probable, nearCounts*p.near.themes[r.theme].present*near
	asked.Terms, asked.Neighbours = own.probable.themes[r.theme].present*probable, nearCounts*own.near.themes[r.theme].present*near
	return Pair{asking, asked}
}
