package pair

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/learner/encode/text"
	"kilim/rerank"
)

func newReader(t testing.TB) *Reader {
	t.Helper()
	e, err := text.NewEncoder(text.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return NewReader(e)
}

func (r *Reader) set(title string) Set {
	return SetOf(r.words.Words(text.Text{Body: title, Language: "en"}))
}

func TestSetOf(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for title, want := range map[string]Set{
		"One of a Pair of Vases":              {Pair, "uase", 0},
		"Pair of Vases":                       {Pair, "uase", 0},
		"Vase":                                {Whole, "uase", 0},
		"Lid of a Vase":                       {Lid, "uase", 0},
		"Vase with Cover":                     {Lid, "uase", 0},
		"Fragments of an Oil Lamp":            {Fragment, "oil lamp", 0},
		"Leaf from Book of Hours, fol. 12":    {Leaf, "book hour", 12},
		"Plate IV: The Hunt":                  {Leaf, "hunt", 4},
		"Hunt, Plate XXXIX":                   {Leaf, "hunt", 39},
		"One of a Set of 8 Immortals, No. 3":  {Member, "immortal", 3},
		"J. M. W. Turner, i":                  {Whole, "j m w turner i", 0},
		"Glass of 1769":                       {Whole, "glass 1769", 0},
		"Pair of Leaves":                      {Pair, "", 0},
		"":                                    {},
		"Xiixi Civic":                         {Whole, "xiixi ciuic", 0},
		"99999999999999999999999999999999999": {Whole, "99999999999999999999999999999999999", 0},
	} {
		if got := r.set(title); got != want {
			t.Errorf("%q: %+v, want %+v", title, got, want)
		}
	}
}

func TestSetsBelongTogether(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, c := range []struct {
		a, b       string
		same, near float32
	}{
		{"One of a Pair of Vases", "One of a pair of vases", 1, 0},
		{"Lid of a Vase", "Vase", 0.5, 0},
		{"Leaf from Book of Hours, fol. 12", "Leaf from Book of Hours, fol. 14", 1, 0.5},
		{"Hunt 3", "Hunt 4", 0, 1},
		{"Hunt 3", "Hunt 3", 0, 0},
		{"Hunt 3", "Hunt", 0, 0},
		{"Vase", "Vase", 0, 0},
		{"Pair of Vases", "Pair of Bowls", 0, 0},
		{"Leaf", "Leaf", 0, 0},
	} {
		a, b := r.set(c.a), r.set(c.b)
		same, near := a.with(&b)
		back, nearBack := b.with(&a)
		if same != c.same || near != c.near || back != same || nearBack != near {
			t.Errorf("%q and %q: %v, %v (the other way %v, %v), want %v, %v", c.a, c.b, same, near, back, nearBack, c.same, c.near)
		}
	}
}

// Numbers are read as they are written, in both ways, and nothing else is one.
func TestRomanNumerals(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := 2; n < 40; n++ {
		w := folded(romanTens[n/10] + romanOnes[n%10])
		if seen[w] = true; len(w) > 1 && numberOf(w) != n {
			t.Errorf("%q is %d, want %d", w, numberOf(w), n)
		}
		if d := fmt.Sprint(n); numberOf(d) != n {
			t.Errorf("%q is %d", d, numberOf(d))
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		w := make([]byte, 2+rng.IntN(4))
		for i := range w {
			w[i] = "xiulc"[rng.IntN(5)]
		}
		if got := numberOf(string(w)); (got != 0) != seen[string(w)] {
			t.Errorf("%q is %d", w, got)
		}
	}
}

func number(v float64) *float64 { return &v }

// artifact is a random one of few terms, so that many are shared.
func artifact(rng *rand.Rand) (*profile.Artifact, text.Text, text.Text) {
	terms := func(most int) (out []profile.Term) {
		for range rng.IntN(most + 1) {
			out = append(out, profile.Term{Label: fmt.Sprintf("Term %d", rng.IntN(4))})
		}
		return out
	}
	a := &profile.Artifact{Creator: terms(2), Culture: terms(2), Period: terms(1), Dynasty: terms(1), Reign: terms(1), Style: terms(1), Place: terms(2),
		Material: terms(3), Technique: terms(2), Type: terms(3), Subject: terms(3), Collection: terms(1)}
	if rng.IntN(4) > 0 {
		a.Date = &profile.Date{Begin: number(float64(1600 + rng.IntN(5)))}
		if rng.IntN(2) == 0 {
			a.Date.End = number(float64(1605 + rng.IntN(5)))
		}
	}
	if rng.IntN(2) == 0 {
		a.Location = &profile.Location{Lat: float64(rng.IntN(3)), Lon: 179 + float64(rng.IntN(2))}
	}
	say := func(what string) text.Text {
		return text.Text{Body: []string{"", "One of a pair of ", "Lid of ", "Hunt IV of "}[rng.IntN(4)] + []string{"", what, "a " + what}[rng.IntN(3)], Language: "en"}
	}
	return a, say("vase"), say("long description")
}

// Rows are finite; but for the margins they are the same with the two exchanged; a row of Weighed does not depend on the other rows.
func TestRows(t *testing.T) {
	t.Parallel()
	r, rng := newReader(t), rand.New(rand.NewPCG(2, 2))
	counts := NewFrequencies()
	var all []*Facts
	for range 60 {
		f := r.Read(artifact(rng))
		all = append(all, f)
		counts.Add(f)
	}
	var rows, back Rows
	for i, f := range all {
		one := counts.Weigh(f)
		var candidates []Candidate
		for _, other := range all[:1+rng.IntN(len(all))] {
			c := Candidate{Weighed: counts.Weigh(other), Score: rng.Float32()}
			c.Parts = rerank.Parts{Cosine: rng.Float32(), Entities: rng.Float32(), Words: rng.Float32(), Date: rng.Float32()}
			candidates = append(candidates, c)
		}
		got := rows.Of(one, candidates)
		if len(got) != Width*len(candidates) || Width != len(Names()) {
			t.Fatalf("%d numbers for %d candidates, %d names", len(got), len(candidates), len(Names()))
		}
		for j := range candidates {
			row := got[j*Width : (j+1)*Width]
			c := Candidate{Weighed: one, Parts: candidates[j].Parts, Score: candidates[j].Score}
			mirrored := back.Of(candidates[j].Weighed, []Candidate{c})
			for f, v := range row {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("%s is %v", names[f], v)
				}
				if margin := f >= marginCosine && f <= marginTotal; !margin && mirrored[f] != v {
					t.Fatalf("%s is %v one way and %v the other", names[f], v, mirrored[f])
				}
				if f >= firstView && (v < 0 || v > 1) {
					t.Fatalf("%s is %v, out of [0, 1]", names[f], v)
				}
			}
			if all[j] == all[i] {
				for v := range numViews {
					if shared := row[firstView+int(v)]; len(f.shared[v]) > 0 && shared < 0.9999 {
						t.Fatalf("%s of an artifact with itself is %v", names[firstView+int(v)], shared)
					}
				}
			}
		}
	}
}

// A view's number is the cosine of idf vectors, computed here by the definition.
func TestViewsAgainstDullModel(t *testing.T) {
	t.Parallel()
	r, rng := newReader(t), rand.New(rand.NewPCG(3, 3))
	counts := NewFrequencies()
	var all []*Facts
	for range 40 {
		f := r.Read(artifact(rng))
		all = append(all, f)
		counts.Add(f)
	}
	idf := func(v view, fact uint64) float64 {
		n := 0
		for _, f := range all {
			if slices.Contains(f.shared[v], fact) {
				n++
			}
		}
		return math.Log(float64(1+len(all))/float64(1+n)) + 1
	}
	var rows Rows
	for range 100 {
		a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		row := rows.Of(counts.Weigh(a), []Candidate{{Weighed: counts.Weigh(b)}})
		for v := range numViews {
			var both, x, y float64
			for _, fact := range a.shared[v] {
				w := idf(v, fact) * idf(v, fact)
				x += w
				if slices.Contains(b.shared[v], fact) {
					both += w
				}
			}
			for _, fact := range b.shared[v] {
				y += idf(v, fact) * idf(v, fact)
			}
			want := 0.0
			if both > 0 {
				want = both / math.Sqrt(x*y)
			}
			if got := float64(row[firstView+int(v)]); math.Abs(got-want) > 1e-5 {
				t.Fatalf("%s: %v, want %v", names[firstView+int(v)], got, want)
			}
		}
	}
}

// What is added and removed again leaves no trace, in whatever order.
func TestFrequenciesAreCounts(t *testing.T) {
	t.Parallel()
	r, rng := newReader(t), rand.New(rand.NewPCG(4, 4))
	var kept, gone []*Facts
	for i := range 50 {
		if f := r.Read(artifact(rng)); i%2 == 0 {
			kept = append(kept, f)
		} else {
			gone = append(gone, f)
		}
	}
	want, got := NewFrequencies(), NewFrequencies()
	for _, f := range kept {
		want.Add(f)
	}
	for _, f := range slices.Concat(gone, kept) {
		got.Add(f)
	}
	for _, f := range gone {
		got.Remove(f)
	}
	if got.artifacts != want.artifacts || len(got.of) != len(want.of) {
		t.Fatalf("%d artifacts with %d facts, want %d with %d", got.artifacts, len(got.of), want.artifacts, len(want.of))
	}
	for fact, n := range want.of {
		if got.of[fact] != n {
			t.Errorf("fact %x: %d, want %d", fact, got.of[fact], n)
		}
	}
}

// Single features, by cases that a person can check.
func TestFeatures(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	counts := NewFrequencies()
	title := text.Text{Body: "Vase"}
	terms := func(labels ...string) (out []profile.Term) {
		for _, l := range labels {
			out = append(out, profile.Term{Label: l})
		}
		return out
	}
	facts := map[string]*Facts{}
	for name, a := range map[string]*profile.Artifact{
		"greek":   {Culture: terms("Greek"), Date: &profile.Date{Begin: number(-500), End: number(-450)}, Location: &profile.Location{Lat: 38, Lon: 179.99}},
		"Greek":   {Culture: terms("GREEK"), Date: &profile.Date{Begin: number(-500), End: number(-450)}, Location: &profile.Location{Lat: 38, Lon: -179.99}},
		"roman":   {Culture: terms("Roman"), Date: &profile.Date{End: number(-351)}},
		"both":    {Culture: terms("Roman", "Greek")},
		"unknown": {},
	} {
		facts[name] = r.Read(a, title, text.Text{})
		counts.Add(facts[name])
	}
	other := r.Read(&profile.Artifact{}, text.Text{Body: "Bowl"}, text.Text{Body: "A bowl."})
	counts.Add(other)
	facts["bowl"] = other
	var rows Rows
	for _, c := range []struct {
		a, b, feature string
		low, high     float32
	}{
		{"greek", "Greek", "culture_equal", 1, 1},
		{"greek", "roman", "culture_equal", -1, -1},
		{"greek", "both", "culture_equal", 0.1, 0.9},
		{"greek", "unknown", "culture_equal", 0, 0},
		{"greek", "Greek", "dates_equal", 1, 1},
		{"greek", "Greek", "years_apart", 0, 0},
		{"greek", "roman", "dates_equal", 0, 0},
		{"greek", "roman", "years_apart", 4.605, 4.606}, // ln 100
		{"greek", "unknown", "years_apart", 20, 20},
		{"greek", "Greek", "places_near", 0.98, 1}, // across the 180th meridian
		{"greek", "roman", "places_near", 0, 0},
		{"greek", "roman", "title_equal", 1, 1},
		{"greek", "roman", "title_frequency", 1.609, 1.610}, // ln 5
		{"greek", "bowl", "title_equal", 0, 0},
		{"greek", "bowl", "title_frequency", 0, 0},
		{"greek", "roman", "description_equal", 0, 0}, // neither has one
		{"bowl", "bowl", "description_equal", 1, 1},
	} {
		row := rows.Of(counts.Weigh(facts[c.a]), []Candidate{{Weighed: counts.Weigh(facts[c.b])}})
		if got := row[slices.Index(Names(), c.feature)]; got < c.low || got > c.high {
			t.Errorf("%s and %s: %s is %v, want %v to %v", c.a, c.b, c.feature, got, c.low, c.high)
		}
	}
}

// Margins are against the tenth of a query's candidates, in whatever order they come.
func TestMargins(t *testing.T) {
	t.Parallel()
	r, rng := newReader(t), rand.New(rand.NewPCG(5, 5))
	one := NewFrequencies().Weigh(r.Read(&profile.Artifact{}, text.Text{}, text.Text{}))
	var rows Rows
	for _, n := range []int{1, 9, 10, 40} {
		var candidates []Candidate
		for _, i := range rng.Perm(n) {
			candidates = append(candidates, Candidate{Weighed: one, Score: float32(i), Parts: rerank.Parts{Cosine: -float32(i)}})
		}
		tenth, cosineTenth := float32(max(0, n-10)), -float32(min(9, n-1))
		got := rows.Of(one, candidates)
		for i, c := range candidates {
			if row := got[i*Width:]; row[marginTotal] != c.Score-tenth || row[marginCosine] != c.Parts.Cosine-cosineTenth {
				t.Fatalf("of %d: margins %v and %v of score %v, want those to %v and %v", n, row[marginTotal], row[marginCosine], c.Score, tenth, cosineTenth)
			}
		}
	}
}
