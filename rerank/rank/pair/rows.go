package pair

import (
	"cmp"
	"math"
	"slices"

	"kilim/rerank"
)

// features are the columns of a row.
const (
	cosine = iota
	entities
	words
	date
	link
	marginCosine
	marginEntities
	marginWords
	marginTotal
	titleEqual
	titleFrequency
	descriptionEqual
	descriptionFrequency
	cultureEqual
	datesEqual
	datesApart
	nearPlaces
	sameSet
	setNumbers
	firstView
	width = firstView + int(numViews)
)

// names of the features as a published part is to read, and of the views behind them.
var names = [width]string{
	cosine: "cosine", entities: "entities", words: "words", date: "date", link: "link",
	marginCosine: "cosine_above_tenth", marginEntities: "entities_above_tenth", marginWords: "words_above_tenth", marginTotal: "total_above_tenth",
	titleEqual: "title_equal", titleFrequency: "title_frequency",
	descriptionEqual: "description_equal", descriptionFrequency: "description_frequency",
	cultureEqual: "culture_equal", datesEqual: "dates_equal", datesApart: "years_apart", nearPlaces: "places_near",
	sameSet: "set", setNumbers: "set_numbers",
	firstView + int(titleWords): "title_words", firstView + int(titleChars): "title_characters",
	firstView + int(creator): "creator", firstView + int(culture): "culture", firstView + int(period): "period",
	firstView + int(dynasty): "dynasty", firstView + int(reign): "reign", firstView + int(style): "style", firstView + int(place): "place",
	firstView + int(material): "material", firstView + int(technique): "technique", firstView + int(kind): "type",
	firstView + int(subject): "subject", firstView + int(collection): "collection",
}

// Names are those of the features, in the order of a row.
func Names() []string { return slices.Clone(names[:]) }

// Width is the number of features.
const Width = width

// Weighed are Facts with the weights of one state of the archive: each view a unit vector of idf.
type Weighed struct {
	*Facts
	weights [numViews][]float32
	// titles and descriptions are how many artifacts have the same.
	titles, descriptions int32
}

// Weigh multiplies the frequencies in. Artifacts that are compared should be weighed by nearly the same ones.
func (q *Frequencies) Weigh(f *Facts) *Weighed {
	w := &Weighed{Facts: f, titles: q.of[f.title], descriptions: q.of[f.description]}
	for v, facts := range f.shared {
		if len(facts) == 0 {
			continue
		}
		w.weights[v] = make([]float32, len(facts))
		sum := 0.0
		for _, fact := range facts {
			idf := q.idf(fact)
			sum += idf * idf
		}
		for i, fact := range facts {
			w.weights[v][i] = float32(q.idf(fact) / math.Sqrt(sum))
		}
	}
	return w
}

// Bytes is about what they take in memory.
func (w *Weighed) Bytes() int {
	const fixed, fact = 1024, 8 + 4
	n := fixed + len(w.set.Base)
	for _, facts := range w.shared {
		n += fact * len(facts)
	}
	return n
}

// Candidate is one that stage 2 has scored.
type Candidate struct {
	*Weighed
	Parts rerank.Parts
	Score float32
}

// Rows compares artifacts with their candidates. It may be used again and again, by one goroutine at a time.
type Rows struct {
	sorted []float32
	rows   []float32
}

// Of returns a row of features for each candidate of one artifact, one behind the other, until the next call.
func (r *Rows) Of(one *Weighed, candidates []Candidate) []float32 {
	r.rows = slices.Grow(r.rows[:0], width*len(candidates))[:width*len(candidates)]
	tenth := [...]float32{
		r.tenth(candidates, func(c *Candidate) float32 { return c.Parts.Cosine }),
		r.tenth(candidates, func(c *Candidate) float32 { return c.Parts.Entities }),
		r.tenth(candidates, func(c *Candidate) float32 { return c.Parts.Words }),
		r.tenth(candidates, func(c *Candidate) float32 { return c.Score }),
	}
	for i := range candidates {
		c := &candidates[i]
		row := r.rows[i*width : (i+1)*width]
		row[cosine], row[entities], row[words] = c.Parts.Cosine, c.Parts.Entities, c.Parts.Words
		row[date], row[link] = c.Parts.Date, c.Parts.Link
		row[marginCosine], row[marginEntities] = c.Parts.Cosine-tenth[0], c.Parts.Entities-tenth[1]
		row[marginWords], row[marginTotal] = c.Parts.Words-tenth[2], c.Score-tenth[3]
		compare(one, c.Weighed, row)
	}
	return r.rows
}

// tenth is the tenth best of a query's candidates, the last of fewer: what it takes to get into a list of that order.
func (r *Rows) tenth(candidates []Candidate, of func(*Candidate) float32) float32 {
	r.sorted = r.sorted[:0]
	for i := range candidates {
		r.sorted = append(r.sorted, of(&candidates[i]))
	}
	if len(r.sorted) == 0 {
		return 0
	}
	slices.SortFunc(r.sorted, func(a, b float32) int { return cmp.Compare(b, a) })
	return r.sorted[min(9, len(r.sorted)-1)]
}

// compare fills in what is symmetric.
func compare(a, b *Weighed, row []float32) {
	row[titleEqual], row[titleFrequency] = equal(a.title, b.title, a.titles)
	row[descriptionEqual], row[descriptionFrequency] = equal(a.description, b.description, a.descriptions)
	row[datesEqual], row[datesApart] = dates(a.Facts, b.Facts)
	row[nearPlaces] = near(a.Facts, b.Facts)
	row[sameSet], row[setNumbers] = a.set.with(&b.set)
	for v := range numViews {
		row[firstView+int(v)] = dot(a.shared[v], b.shared[v], a.weights[v], b.weights[v])
	}
	row[cultureEqual] = agreement(a.shared[culture], b.shared[culture], row[firstView+int(culture)])
}

// equal tells whether two texts are the same, and of how many artifacts: ln of the number, 0 where they differ.
func equal(a, b uint64, frequency int32) (same, log float32) {
	if a == 0 || a != b {
		return 0, 0
	}
	return 1, float32(math.Log(float64(max(frequency, 1))))
}

// agreement is 1 of the same terms, -1 of terms that have nothing in common, and between for others: 0 where one side says nothing.
func agreement(a, b []uint64, shared float32) float32 {
	switch {
	case len(a) == 0 || len(b) == 0:
		return 0
	case slices.Equal(a, b):
		return 1
	case shared == 0:
		return -1
	}
	return shared
}

// unknownApart stands for years apart where one has no date: further than artifacts are, so that a split can tell.
const unknownApart = 20

// dates tells whether two spans are the same, and ln(1 + the years between them).
func dates(a, b *Facts) (same, apart float32) {
	gap := max(a.begin, b.begin) - min(a.end, b.end)
	if math.IsNaN(gap) || math.IsInf(gap, 0) {
		return 0, unknownApart
	}
	if a.begin == b.begin && a.end == b.end {
		return 1, 0
	}
	return 0, float32(math.Log1p(max(gap, 0)))
}

// nearScale is the distance, in km, at which two places are 1/e as near as one and the same.
const nearScale = 200

// near is exp(-distance/nearScale), 0 where a place is not known. The distance is the chord's, which is that on the ground where it matters.
func near(a, b *Facts) float32 {
	const radius = 6371
	var sum float64
	p, q := onSphere(a), onSphere(b)
	for i := range p {
		sum += (p[i] - q[i]) * (p[i] - q[i])
	}
	if math.IsNaN(sum) {
		return 0
	}
	return float32(math.Exp(-radius * math.Sqrt(sum) / nearScale))
}

func onSphere(f *Facts) [3]float64 {
	sin, cos := math.Sincos(f.lat * math.Pi / 180)
	east, north := math.Sincos(f.lon * math.Pi / 180)
	return [3]float64{cos * north, cos * east, sin}
}

// dot sums the products of the weights of shared facts, cut to at most 1.
func dot(a, b []uint64, x, y []float32) (sum float32) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			sum += float32(x[i] * y[j])
			i, j = i+1, j+1
		}
	}
	return min(sum, 1)
}
