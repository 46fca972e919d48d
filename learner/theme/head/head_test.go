package head

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kilim/graphstore/weave"
	"kilim/learner/tensor/vec"
	"kilim/learner/theme"
)

// world makes works whose words tell of topics, and of each topic a term: "few" has 6 terms, "many" 90.
func world(seed uint64, n int) ([]theme.Work, map[string]theme.Labels) {
	rng := rand.New(rand.NewPCG(seed, 17))
	works, labels := make([]theme.Work, n), map[string]theme.Labels{}
	for i := range works {
		w, own := theme.Work{ID: fmt.Sprintf("w:%d", i)}, theme.Labels{}
		var said []string
		for range 1 + rng.IntN(3) {
			topic := rng.IntN(90)
			said = append(said, fmt.Sprintf("word%dq%d", topic, rng.IntN(3)), fmt.Sprintf("noise%d", rng.IntN(50)))
			own["many"] = append(own["many"], fmt.Sprintf("term %d", topic))
			if topic < 45 {
				own["few"] = append(own["few"], fmt.Sprintf("term %d", topic%6))
			}
		}
		w.Title = weave.Text{Body: said[0]}
		w.Texts = []weave.Text{{Body: strings.Join(said, " ")}}
		works[i], labels[w.ID] = w, own
	}
	return works, labels
}

func without(labels map[string]theme.Labels, name string) map[string]theme.Labels {
	out := map[string]theme.Labels{}
	for id, own := range labels {
		out[id] = maps.Clone(own)
		delete(out[id], name)
	}
	return out
}

func model(t testing.TB, works []theme.Work, labels map[string]theme.Labels) (*theme.Model, []*theme.Profile) {
	t.Helper()
	b, err := theme.NewBasis(theme.DefaultConfig(), works)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.Fit(t.Context(), labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, profiles(m, works)
}

func profiles(m *theme.Model, works []theme.Work) []*theme.Profile {
	out := make([]*theme.Profile, len(works))
	for i := range works {
		out[i] = m.Profile(&works[i])
	}
	return out
}

func fitted(t testing.TB, m *theme.Model, name string, of []*theme.Profile) *Head {
	t.Helper()
	h, err := Fit(context.Background(), m, name, of)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func on(t testing.TB, h *Head, m *theme.Model) *Projector {
	t.Helper()
	p, err := h.On(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func marshal(t testing.TB, h *Head) []byte {
	t.Helper()
	data, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCosinesAreInnerProducts: of a theme of so few terms that the axes keep all, the cosine of what asks with what is in the index is the
// inner product of their Coordinates, but for the length of what asks; and all vectors are of length 1.
func TestCosinesAreInnerProducts(t *testing.T) {
	t.Parallel()
	works, labels := world(1, 200)
	m, of := model(t, works[:150], labels)
	of = append(of, profiles(m, works[150:])...)
	p := on(t, fitted(t, m, "few", of[:150]), m)
	for i := range 40 {
		asking := p.Asking(of[i])
		own := m.Coordinates("few", of[i])
		length := math.Sqrt(inner(own, own))
		for j := range of {
			v := p.Vector(of[j])
			if d := math.Abs(math.Sqrt(squared(v)) - 1); d > 1e-6 || len(v) != Width {
				t.Fatalf("%d: %d numbers of length 1 but for %g", j, len(v), d)
			}
			if got, want := float64(vec.Dot(asking, v))*length, inner(own, m.Coordinates("few", of[j])); math.Abs(got-want) > 1e-5 {
				t.Fatalf("%d asks, %d: %g, the inner product is %g", i, j, got, want)
			}
		}
	}
}

func inner(a, b []theme.Coordinate) float64 {
	sum := 0.0
	for _, x := range a {
		for _, y := range b {
			if x.Place == y.Place {
				sum += float64(x.Value) * float64(y.Value)
			}
		}
	}
	return sum
}

// TestAxesArePrincipal: the axes are orthonormal, and keep as much of the works' coordinates as the eigenvectors that are found exactly.
func TestAxesArePrincipal(t *testing.T) {
	t.Parallel()
	works, labels := world(2, 400)
	m, of := model(t, works, labels)
	h := fitted(t, m, "many", of)
	places := 2 * len(h.terms)
	x := mat.NewDense(len(of), places, nil)
	for i, p := range of {
		for _, c := range m.Coordinates("many", p) {
			x.Set(i, c.Place, float64(c.Value))
		}
	}
	rows := mat.NewDense(places, axes, nil)
	for i, v := range h.rows {
		rows.Set(i/axes, i%axes, float64(v))
	}
	var gram, covariance, kept mat.Dense
	covariance.Mul(x.T(), x)
	symmetric := mat.NewSymDense(places, nil)
	for i := range places {
		for j := range i + 1 {
			symmetric.SetSym(i, j, covariance.At(i, j))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(symmetric, false) {
		t.Fatal("no eigenvalues")
	}
	values := eigen.Values(nil)
	slices.Reverse(values)
	exact := 0.0
	for _, v := range values[:axes] {
		exact += v
	}
	gram.Mul(rows.T(), rows)
	for i := range axes {
		for j := range axes {
			want := 0.0
			if i == j && values[i] > 1e-6*values[0] { // an axis more than the works have directions is nothing
				want = 1
			}
			if math.Abs(gram.At(i, j)-want) > 1e-5 {
				t.Fatalf("axes %d and %d have the inner product %g", i, j, gram.At(i, j))
			}
		}
	}
	kept.Mul(x, rows)
	if got := mat.Norm(&kept, 2); got*got < 0.995*exact {
		t.Errorf("the axes keep %g, the exact ones %g", got*got, exact)
	}
}

// TestANewThemeTrainsItsHeadAlone: when a theme is declared, its Head is all that is fitted. The others are not touched, to the byte, and serve on under
// the Model that knows the theme; and a Head is the same whatever others are fitted beside it.
func TestANewThemeTrainsItsHeadAlone(t *testing.T) {
	t.Parallel()
	works, labels := world(3, 200)
	b, err := theme.NewBasis(theme.DefaultConfig(), works)
	if err != nil {
		t.Fatal(err)
	}
	before, err := b.Fit(t.Context(), without(labels, "few"), nil)
	if err != nil {
		t.Fatal(err)
	}
	old := fitted(t, before, "many", profiles(before, works))
	kept := marshal(t, old)
	now, err := b.Fit(t.Context(), labels, before)
	if err != nil {
		t.Fatal(err)
	}
	of := profiles(now, works)
	alone := marshal(t, fitted(t, now, "few", of))
	if !bytes.Equal(marshal(t, old), kept) {
		t.Error("the head of the theme that was there has changed")
	}
	if v := on(t, old, now).Vector(of[0]); squared(v[:axes]) == 0 {
		t.Error("the head of the theme that was there tells nothing under the new model")
	}
	var beside [4][]byte
	var all sync.WaitGroup
	for i := range beside {
		all.Go(func() { beside[i] = marshal(t, fitted(t, now, []string{"few", "many"}[i%2], of)) })
	}
	all.Wait()
	if !bytes.Equal(beside[0], alone) || !bytes.Equal(beside[2], alone) || !bytes.Equal(beside[1], beside[3]) {
		t.Error("heads that are fitted beside one another differ from one that is fitted alone")
	}
}

// TestTermsThatComeLater: a Head serves under a Model with more and with fewer terms, by those that both know.
func TestTermsThatComeLater(t *testing.T) {
	t.Parallel()
	works, labels := world(4, 200)
	fewer := map[string]theme.Labels{}
	for id, own := range labels {
		fewer[id] = maps.Clone(own)
		fewer[id]["many"] = slices.DeleteFunc(slices.Clone(own["many"]), func(term string) bool { return term < "term 5" })
	}
	small, ofSmall := model(t, works, fewer)
	large, ofLarge := model(t, works, labels)
	for _, c := range []struct {
		head *Head
		on   *theme.Model
		of   []*theme.Profile
	}{{fitted(t, small, "many", ofSmall), large, ofLarge}, {fitted(t, large, "many", ofLarge), small, ofSmall}} {
		p := on(t, c.head, c.on)
		names := c.on.TermsOf("many")
		for _, own := range c.of {
			want := make([]float32, Width)
			for _, x := range c.on.Coordinates("many", own) {
				k, known := slices.BinarySearch(c.head.terms, names[x.Place%len(names)])
				if known {
					k += x.Place / len(names) * len(c.head.terms)
					vec.Axpy(x.Value, c.head.rows[k*axes:][:axes], want[:axes])
				}
			}
			if got := p.project(own); !slices.Equal(got, want) {
				t.Fatalf("%v, by the terms' names %v", got, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	works, labels := world(5, 60)
	m, of := model(t, works, without(labels, "few"))
	if _, err := Fit(t.Context(), m, "few", of); err == nil || !strings.Contains(err.Error(), `"few"`) {
		t.Errorf("a theme that the model does not know: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Fit(ctx, m, "many", of); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	full, all := model(t, works, labels)
	if _, err := fitted(t, full, "few", all).On(m); err == nil || !strings.Contains(err.Error(), `"few"`) {
		t.Errorf("a head of a theme that the model does not know: %v", err)
	}
	if v := on(t, fitted(t, m, "many", nil), m).Asking(of[0]); len(v) != Width {
		t.Errorf("a head of no profiles: %v", v)
	}
}

// TestCodec: what was written and read is written in the same bytes, and no cut and no flipped bit is read.
func TestCodec(t *testing.T) {
	t.Parallel()
	works, labels := world(6, 60)
	m, of := model(t, works, labels)
	h := fitted(t, m, "few", of)
	data := marshal(t, h)
	read, err := Unmarshal(data)
	if err != nil || read.Theme() != "few" || !bytes.Equal(marshal(t, read), data) {
		t.Fatalf("read %v: %v", read, err)
	}
	for i := range data {
		if _, err := Unmarshal(data[:i]); err == nil {
			t.Errorf("%d of %d bytes are read", i, len(data))
		}
		flipped := bytes.Clone(data)
		flipped[i] ^= 1 << (i % 8)
		if _, err := Unmarshal(flipped); err == nil {
			t.Errorf("a flipped bit in byte %d is not noticed", i)
		}
	}
	later := bytes.Clone(data)
	later[len(magic)]++
	if _, err := Unmarshal(later); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("version %d", format+1)) {
		t.Errorf("a later version: %v", err)
	}
}

// FuzzDecode: whatever stands between version and checksum is refused, or is a Head that is written in bytes that are read again.
func FuzzDecode(f *testing.F) {
	works, labels := world(7, 40)
	m, of := model(f, works, labels)
	data := marshal(f, fitted(f, m, "few", of))
	body := data[len(magic)+1 : len(data)-crc32.Size]
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add(binary.AppendUvarint([]byte{0}, math.MaxUint64))
	f.Add(binary.AppendUvarint(nil, math.MaxUint64))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decode(body)
		if err != nil {
			return
		}
		again, err := Unmarshal(marshal(t, h))
		if err != nil || !bytes.Equal(marshal(t, again), marshal(t, h)) {
			t.Errorf("%d bytes are read, and what is written of them is not: %v", len(body), err)
		}
	})
}
