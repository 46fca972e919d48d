package refresh

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/graphstore"
	"kilim/learner/model/infer"
)

// mostContents is how many contents there are in a history: few, so that artifacts share them.
const mostContents = 8

// contentOf is a picture, or of odd numbers a recording.
func contentOf(i int) Content {
	rng := rand.New(rand.NewPCG(uint64(i), 9))
	vector := func(n int) []float32 {
		out := make([]float32, n)
		for k := range out {
			out[k] = float32(rng.NormFloat64()) / float32(math.Sqrt(float64(n)))
		}
		return out
	}
	c := Content{Held: graphstore.Held{Type: graphstore.Picture, Content: graphstore.Content{byte(i), 1}}}
	if i%2 == 1 {
		c.Type = graphstore.Recording
		c.Features.Audio = vector(7)
		return c
	}
	c.Features.Image = vector(9)
	return c
}

func contentsOf(holds []int) (out []Content) {
	for _, i := range holds {
		out = append(out, contentOf(i))
	}
	return out
}

func someContents(rng *rand.Rand) (holds []int) {
	for range rng.IntN(4) {
		holds = append(holds, rng.IntN(mostContents))
	}
	return holds
}

// meansOf are the features of an artifact that holds contents.
func meansOf(holds []int) (image, audio []float32) {
	for _, c := range contentsOf(holds) {
		for _, v := range []struct {
			to   *[]float32
			from []float32
		}{{&image, c.Features.Image}, {&audio, c.Features.Audio}} {
			if v.from != nil && *v.to == nil {
				*v.to = make([]float32, len(v.from))
			}
			for k, x := range v.from {
				(*v.to)[k] += x / float32(len(holds))
			}
		}
	}
	return image, audio
}

// TestSamePictureJoins: the same picture in two records lets the text of one move the embedding of the other, at once and when the
// record is replaced; when it is deleted, nothing of it is left. Pictures of which nobody has a second don't.
func TestSamePictureJoins(t *testing.T) {
	t.Parallel()
	embedding := func(w *world) []float32 { return slices.Clone(w.vectors()["artifact/a"].Embedding) }
	rug := func(version int, holds ...int) *artifact { return &artifact{version: version, holds: holds} }
	w := newWorldOf(t, 0, kind{media: true})
	put := func(id string, a *artifact) []float32 {
		w.batch(map[string]*artifact{id: a}, 10)
		w.settle()
		return embedding(w)
	}
	alone := put("a", rug(1, 0, 2))
	if other := put("b", rug(2, 4)); !slices.Equal(other, alone) {
		t.Error("an artifact of another picture moves the first")
	}
	joined := put("b", rug(2, 4, 2))
	if slices.Equal(joined, alone) {
		t.Error("an artifact of the same picture moves nothing")
	}
	if other := put("b", rug(7, 4, 2)); slices.Equal(other, joined) {
		t.Error("another text beside the same picture moves nothing")
	}
	answered := rug(7, 4)
	answered.answered = true
	if left := put("b", answered); !slices.Equal(left, alone) {
		t.Error("a picture that is gone from one still joins")
	}
	put("b", rug(2, 4, 2))
	if left := put("b", nil); !slices.Equal(left, alone) {
		t.Error("a deleted artifact has left something")
	}
	if _, held := w.vectors()["picture/"+contentOf(4).Content.Key()]; held {
		t.Error("a picture that nobody holds is still there")
	}
}

// TestTransientHolds: an artifact that is not stored has the embedding that it gets when it is, but for what it tells others itself.
func TestTransientHolds(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, 0, kind{media: true})
	w.batch(map[string]*artifact{"b": {version: 2, holds: []int{2, 5}}, "c": {version: 3, holds: []int{2}}}, 10)
	w.settle()
	transient := func(contents []Content) (v []float32) {
		if err := w.store.View(func(r *graphstore.Reader) (err error) {
			v, _, err = w.r.Transient(r, artifact{version: 1}.features("a"), nil, contents)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return v
	}
	none, shared, own := transient(nil), transient(contentsOf([]int{2})), transient(contentsOf([]int{6, 6}))
	if slices.Equal(none, shared) || slices.Equal(none, own) || slices.Equal(shared, own) {
		t.Error("what a query holds does not count")
	}
	w.batch(map[string]*artifact{"c": nil, "b": nil}, 10)
	if lonely := transient(contentsOf([]int{2})); slices.Equal(lonely, shared) {
		t.Error("who holds the same picture does not count")
	}
}

// TestCheckContents finds what artifacts hold and their media don't say, and features of another vector.
func TestCheckContents(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, 0, kind{media: true})
	w.batch(map[string]*artifact{"a": {version: 1, holds: []int{0, 1}}}, 10)
	faults := func(contents []Content) (out []string) {
		if err := w.store.View(func(r *graphstore.Reader) error {
			n, err := r.Node(graphstore.ID(graphstore.Artifact, "a"))
			if err != nil {
				return err
			}
			return w.r.CheckContents(r, n, contents, func(f string) { out = append(out, f) })
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	other := contentsOf([]int{0, 1})
	other[0].Features = infer.Features{Image: contentOf(2).Features.Image}
	for name, c := range map[string]struct {
		contents []Content
		want     int
	}{
		"all": {contentsOf([]int{1, 0, 0}), 0}, "one too many": {contentsOf([]int{0}), 1}, "one missing": {contentsOf([]int{0, 1, 2}), 1},
		"another vector": {other, 1},
	} {
		if got := faults(c.contents); len(got) != c.want {
			t.Errorf("%s: %q, want %d faults", name, got, c.want)
		}
	}
}
