package publish

import (
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/rerank"
)

// byReflection is JSON as encoding/json makes each of its values.
func byReflection(t testing.TB, u *rerank.Update) string {
	value := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	member := func(out *string, name string, text string) {
		if (*out)[len(*out)-1] != '{' {
			*out += ","
		}
		*out += value(name) + ":" + text
	}
	lists, changes := "{", "{"
	for _, l := range u.Lists {
		member(&lists, l.Name, value(append([]rerank.Entry{}, l.Entries...)))
	}
	for _, name := range slices.Sorted(maps.Keys(u.Changes)) {
		c := u.Changes[name]
		member(&changes, name, value(rerank.Changes{Entered: append([]string{}, c.Entered...), Left: append([]string{}, c.Left...), Moved: append([]string{}, c.Moved...)}))
	}
	out := "{"
	member(&out, "id", value(u.ID))
	member(&out, "revision", value(u.Revision))
	member(&out, "epoch", value(u.Epoch))
	member(&out, "lists", lists+"}")
	member(&out, "changes", changes+"}")
	member(&out, "cause", value(append([]string{}, u.Cause...)))
	return out + "}"
}

// TestJSONIsThatOfEncodingJSON writes numbers of all sizes and strings of all characters.
func TestJSONIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(13, 13))
	number := func() float32 {
		for {
			v := math.Float32frombits(rng.Uint32())
			if rng.IntN(2) == 0 {
				v = rng.Float32()
			}
			if v == v && !math.IsInf(float64(v), 0) {
				return v
			}
		}
	}
	edges := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 1e-6, -1e-6, math.Nextafter32(1e-6, 0), 1e21, -1e21, math.Nextafter32(1e21, 0), 1e20, math.SmallestNonzeroFloat32, math.MaxFloat32, 16777216, 0.1}
	word := func() (s string) {
		for range rng.IntN(6) {
			switch rng.IntN(6) {
			case 0:
				s += string(rune(rng.IntN(0x3000))) // surrogates and what no UTF-8 is come below
			case 1:
				s += string([]byte{byte(rng.IntN(256))})
			default:
				s += string(rune(' ' + rng.IntN('~'-' '+1)))
			}
		}
		return s
	}
	words := func() (out []string) {
		for range rng.IntN(4) {
			out = append(out, word())
		}
		return out
	}
	for i := range 3000 {
		u := &rerank.Update{ID: word(), Revision: rng.Uint64(), Epoch: rng.Uint32(), Cause: words(), Changes: map[string]rerank.Changes{}}
		for range rng.IntN(3) {
			l := rerank.List{Name: word()}
			for range rng.IntN(4) {
				l.Entries = append(l.Entries, rerank.Entry{ID: word(), Score: edges[i%len(edges)], Parts: rerank.Parts{
					Cosine: number(), Entities: number(), Words: number(), Date: number(), Link: number()}})
			}
			u.Lists = append(u.Lists, l)
			u.Changes[l.Name] = rerank.Changes{Entered: words(), Left: words(), Moved: words()}
		}
		got, err := JSON(u)
		if want := byReflection(t, u); err != nil || string(got) != want {
			t.Fatalf("%+v:\n got %s, %v\nwant %s", u, got, err, want)
		}
	}
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		u := &rerank.Update{Lists: rerank.Lists{{Name: "total", Entries: []rerank.Entry{{Score: v}}}}}
		if got, err := JSON(u); err == nil {
			t.Errorf("%v is written: %s", v, got)
		}
	}
}
