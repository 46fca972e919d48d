package pair

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/learner/encode/text"
)

// view is one of the ways in which two artifacts are compared by what they share.
type view uint8

// The views. Those from creator on are the catalogue's fields.
const (
	titleWords view = iota
	titleChars      // 3-grams of the characters of the title's words, with a mark at both ends
	creator
	culture
	period
	dynasty
	reign
	style
	place
	material
	technique
	kind
	subject
	collection
	numViews
)

// Facts are what is known of one artifact, each as a hash of view and content: 8 bytes a fact, some 100 facts an artifact.
type Facts struct {
	shared [numViews][]uint64 // strictly increasing
	// title and description are hashes of the whole, 0 where there is none.
	title, description uint64
	set                Set
	begin, end         float64 // NaN: not known
	lat, lon           float64 // degrees; NaN: not known
}

// Reader makes Facts. It is immutable, and safe for concurrent use.
type Reader struct{ words *text.Encoder }

// NewReader returns a Reader that cuts texts into words as the encoder does.
func NewReader(words *text.Encoder) *Reader { return &Reader{words} }

// Read makes the Facts of an artifact; title and description are its own as a person reads them, without markup.
func (r *Reader) Read(a *profile.Artifact, title, description text.Text) *Facts {
	f := &Facts{begin: math.NaN(), end: math.NaN(), lat: math.NaN(), lon: math.NaN()}
	words := r.words.Words(title)
	f.set = SetOf(words)
	f.title = whole("title", words)
	f.description = whole("description", r.words.Words(description))
	for _, w := range words {
		f.shared[titleWords] = append(f.shared[titleWords], hashOf(titleWords, w))
		marked := []rune(" " + w + " ")
		for i := 0; i+3 <= len(marked); i++ {
			f.shared[titleChars] = append(f.shared[titleChars], hashOf(titleChars, string(marked[i:i+3])))
		}
	}
	for i, terms := range [...][]profile.Term{
		a.Creator, a.Culture, a.Period, a.Dynasty, a.Reign, a.Style, a.Place, a.Material, a.Technique, a.Type, a.Subject, a.Collection,
	} {
		v := creator + view(i)
		for _, t := range terms {
			f.shared[v] = append(f.shared[v], r.term(v, &t))
		}
	}
	for v := range f.shared {
		slices.Sort(f.shared[v])
		f.shared[v] = slices.Clip(slices.Compact(f.shared[v]))
	}
	if d := a.Date; d != nil {
		f.begin, f.end = year(d.Begin, d.End), year(d.End, d.Begin)
	}
	if l := a.Location; l != nil {
		f.lat, f.lon = l.Lat, l.Lon
	}
	return f
}

// term tells terms apart by their identifiers, and those without by their words.
func (r *Reader) term(v view, t *profile.Term) uint64 {
	if t.ID != "" {
		return hashOf(v, "id "+t.ID)
	}
	return hashOf(v, "label "+strings.Join(r.words.Words(text.Text{Body: t.Label}), " "))
}

func year(first, second *float64) float64 {
	switch {
	case first != nil:
		return *first
	case second != nil:
		return *second
	}
	return math.NaN()
}

// whole is the hash of all words of a text, 0 of none.
func whole(what string, words []string) uint64 {
	if len(words) == 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(what))
	for _, w := range words {
		_, _ = h.Write([]byte(" " + w))
	}
	return h.Sum64()
}

// hashOf is the hash of a fact of a view. Two facts of one hash are taken for one; of a million facts, no two are, but for one archive in ten millions.
func hashOf(v view, content string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(v)})
	_, _ = h.Write([]byte(content))
	return h.Sum64()
}
