package browse

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/rerank"
)

// shelf is a Shelf over a store, in which records are put with their edges.
type shelf struct {
	*Shelf
	t     *testing.T
	store *graphstore.Store
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	store, err := graphstore.Open(t.TempDir(), graphstore.Options{CacheMB: 1, MemtableMB: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := NewShelf(store)
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{s, t, store}
}

// put stores a record, and says so.
func (s *shelf) put(id, record string) {
	s.t.Helper()
	doc := graphstore.Doc{ID: id, Raw: []byte(record)}
	a, err := weave.Parse(&doc)
	if err != nil {
		s.t.Fatal(err)
	}
	tx := s.store.Begin()
	if _, err := tx.PutArtifact(doc, weave.Edges(a)); err != nil {
		s.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		s.t.Fatal(err)
	}
	s.Changed([]string{id})
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCard(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for record, want := range map[string]string{
		`{"title":"A <i>kilim</i> &amp; more","language":"en-GB","culture":["x",{"id":"https://a.example/y"}],"date":{"text":"c. 1900"},"media":[{"kind":"image","embedding":[1],"encoder":"e"},{"kind":"image","uri":"https://a.example/b"},{"kind":"audio","uri":"https://a.example/c"}]}`: `{"id":"a","title":"A kilim \u0026 more","language":"en-GB","culture":"x","date":"c. 1900","picture":1,"sound":true}`,
		`{"description":"no title here","language":"en\" onclick=\"x"}`:                                       `{"id":"a","title":"no title here"}`,
		`{"title":"\u202eevil\u2066\u0007","media":[{"kind":"text","text":"t"}]}`:                             `{"id":"a","title":"evil","text":true}`,
		`{"title":"` + strings.Repeat("ق", 10_000) + `"}`:                                                     `{"id":"a","title":"` + strings.Repeat("ق", titleRunes) + `…"}`,
		`{"location":{"lat":1,"lon":2},"type":[{"id":"https://a.example/` + strings.Repeat("z", 200) + `"}]}`: `{"id":"a","title":"https://a.example/` + strings.Repeat("z", 62) + `…","type":"https://a.example/` + strings.Repeat("z", 62) + `…"}`,
	} {
		s.put("a", record)
		c, err := s.Card("a")
		if got := text(t, c); err != nil || got != want {
			t.Errorf("%.60s: %s, want %s (%v)", record, got, want, err)
		}
	}
	if _, err := s.Card("b"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// reading is an Archive in which something happens while a card is read.
type reading struct {
	Archive
	meanwhile func()
}

func (r reading) View(fn func(*graphstore.Reader) error) error {
	err := r.Archive.View(fn)
	r.meanwhile()
	return err
}

// TestCardsAreCurrent: a card is kept, and is not what a record was before, whatever comes while it is read.
func TestCardsAreCurrent(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put("a", `{"title":"one"}`)
	title := func() string {
		t.Helper()
		c, err := s.Card("a")
		if err != nil {
			t.Fatal(err)
		}
		return c.Title
	}
	s.archive = reading{s.store, func() { s.put("a", `{"title":"two"}`) }}
	if got := title(); got != "one" {
		t.Error(got)
	}
	reads := 0
	s.archive = reading{s.store, func() { reads++ }}
	if a, b := title(), title(); a != "two" || b != "two" || reads != 1 {
		t.Errorf("%s, %s, %d reads", a, b, reads)
	}
	s.put("a", `{"title":"three"}`)
	if got := title(); got != "three" {
		t.Error(got)
	}
}

func TestViewAndWhy(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put("a", `{"title":"One","description":"A <b>red</b> one","language":"en","culture":["Vadrosk","Oruvel"],"type":["kilim"],"date":{"begin":1900,"end":1910},`+
		`"theme":{"motif":["star"]},"link":[{"type":"copy_of","target":"b"},{"type":"part_of","target":"gone"}],`+
		`"media":[{"kind":"text","text":"متن","language":"ota"},{"kind":"audio","uri":"https://a.example/x"}]}`)
	s.put("b", `{"title":"Two","culture":["VADROSK"],"type":["kilim"]}`)
	s.put("c", `{"title":"Three","type":["Kilim","kilim"],"culture":["else"]}`)
	total := ListOf(rerank.DefaultScoreWeights(), rerank.List{Name: rerank.ListTotal, Entries: []rerank.Entry{{ID: "b", Score: 0.5, Parts: rerank.Parts{Words: 1, Link: 1}}, {ID: "gone", Score: 0.4}}})
	v, err := s.View("a", total, List{Name: "theme:motif", Items: []Item{}})
	if err != nil {
		t.Fatal(err)
	}
	want := View{
		Card: Card{ID: "a", Title: "One", Language: "en", Culture: "Vadrosk", Type: "kilim", Sound: true, Text: true}, Description: &Text{"A red one", "en"},
		Texts: []Text{{"متن", "ota"}}, Media: []Media{{1, "audio", "https://a.example/x"}},
		Fields: []Field{
			{"culture", []Term{{"Vadrosk", 2}, {"Oruvel", 1}}}, {"type", []Term{{"kilim", 3}}}, {"date", []Term{{Label: "1900 to 1910"}}}, {"theme: motif", []Term{{Label: "star"}}},
		},
		Links: []Link{{"copy_of", "b", &Card{ID: "b", Title: "Two", Culture: "VADROSK", Type: "kilim"}}, {Type: "part_of", Target: "gone"}},
		Lists: []List{
			{rerank.ListTotal, 0, []Item{
				{ID: "b", Score: 0.5, Parts: map[string]float64{"words": float64(float32(0.3)), "link": float64(float32(0.05))}, Card: &Card{ID: "b", Title: "Two", Culture: "VADROSK", Type: "kilim"}},
				{ID: "gone", Score: float64(float32(0.4)), Parts: map[string]float64{}},
			}},
			{"theme:motif", 0, []Item{}},
		},
	}
	if !reflect.DeepEqual(*v, want) {
		t.Errorf("%s, want\n%s", text(t, v), text(t, want))
	}
	for _, c := range []struct{ one, other, want string }{
		{"a", "b", `{"shared":[{"type":"culture","label":"VADROSK","artifacts":2},{"type":"type","label":"kilim","artifacts":3}],"linked":true}`},
		{"b", "a", `{"shared":[{"type":"culture","label":"VADROSK","artifacts":2},{"type":"type","label":"kilim","artifacts":3}],"linked":true}`},
		{"b", "c", `{"shared":[{"type":"type","label":"kilim","artifacts":3}],"linked":false}`},
	} {
		why, err := s.Why(c.one, c.other)
		if err != nil || text(t, why) != c.want {
			t.Errorf("%s and %s: %s (%v)", c.one, c.other, text(t, why), err)
		}
	}
	for _, err := range []error{second(s.View("gone")), second(s.Why("a", "gone")), second(s.Why("gone", "a"))} {
		if !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestScoresAreSumsOfParts: what is shown adds up to the score that lists are ordered by.
func TestScoresAreSumsOfParts(t *testing.T) {
	t.Parallel()
	weights := rerank.ScoreWeights{Cosine: 0.1, Entities: 0.6, Words: 0.1, Date: 0.1, Link: 0.1, DateScale: 50}
	scorer, err := rerank.NewScorer(weights)
	if err != nil {
		t.Fatal(err)
	}
	one := &rerank.Evidence{Node: 1, Entities: []uint64{5, 6}}
	score, p := scorer.Score(one, &rerank.Evidence{Node: 2, Entities: []uint64{5}}, 0.7, even{})
	w := Weights(weights, rerank.ListTotal)
	sum := w.Cosine*p.Cosine + w.Entities*p.Entities + w.Words*p.Words + w.Date*p.Date + w.Link*p.Link
	if d := sum - score; d > 1e-6 || d < -1e-6 || p.Entities == 0 {
		t.Errorf("%v of %+v, want %v", sum, p, score)
	}
	if Weights(weights, "theme:x") != nil || *Weights(weights, rerank.ListGeneral) != (rerank.Parts{Cosine: 1}) {
		t.Error("weights")
	}
}

// even has all entities and words tell as much.
type even struct{}

func (even) EntityIDF(uint64) float32 { return 1 }
func (even) WordIDF(uint32) float32   { return 1 }
