package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"kilim/graphstore"
	"kilim/internal/cputime"
	"kilim/learner/refresh"
	"kilim/learner/tensor/sparse"
)

// stream is a workload's graph with the engine that keeps its embeddings, in exact mode.
type stream struct {
	w *workload
	g *graph
	r *refresh.Refresher
	// x are the features as they are now, edges the number of edges of the workload that are there.
	x     [][]float32
	edges int
	model *sage
}

// noLabels is the encoder of a graph without entities.
type noLabels struct{}

func (noLabels) Label(string) sparse.Vector { return sparse.Vector{} }

// newStream computes the embeddings with the edges that are there at the start.
func newStream(w *workload) (*stream, error) {
	s := &stream{w: w, g: new(graph), model: newSage(w.weights), edges: w.start}
	for range w.nodes {
		s.g.add(graphstore.Artifact, "")
	}
	for i := range w.start {
		s.g.connect(s.edge(i))
	}
	var err error
	if s.r, err = refresh.New(refresh.Config{Epsilon: 0}, s.model, noLabels{}); err != nil {
		return nil, err
	}
	p, width := s.r.Begin(s.g), s.model.Width(0)
	for i := range w.nodes {
		s.x = append(s.x, w.x[i*width:(i+1)*width])
		if err := p.Attach(graphstore.NodeID(i+1), inputs(s.x[i])); err != nil {
			return nil, err
		}
	}
	_, err = s.settle(p)
	return s, err
}

// inputs are a node's Inputs: its features, and nothing for Output.
func inputs(x []float32) []float32 {
	return append(append(make([]float32, 0, 2*len(x)), x...), make([]float32, len(x))...)
}

// edge is the workload's edge of an index.
func (s *stream) edge(i int) graphstore.Edge {
	return graphstore.Edge{From: graphstore.NodeID(s.w.src[i] + 1), Rel: graphstore.RelLink, To: graphstore.NodeID(s.w.dst[i] + 1)}
}

// settle embeds what a Pass changed and what that reaches, until nothing is pending. It returns how many embeddings were
// computed.
func (s *stream) settle(p *refresh.Pass) (embedded int, err error) {
	for {
		moved, err := p.Embed(len(s.g.nodes))
		if err != nil {
			return 0, err
		}
		embedded += len(moved)
		if s.r.Pending() == 0 {
			return embedded, nil
		}
		p = s.r.Begin(s.g)
	}
}

// insert adds the next n edges, remove takes the last n away.
func (s *stream) insert(n int) (embedded int, err error) {
	p := s.r.Begin(s.g)
	for i := s.edges; i < s.edges+n; i++ {
		s.g.connect(s.edge(i))
		if err := p.Connect(s.edge(i)); err != nil {
			return 0, err
		}
	}
	s.edges += n
	return s.settle(p)
}

func (s *stream) remove(n int) (embedded int, err error) {
	p := s.r.Begin(s.g)
	for i := s.edges - n; i < s.edges; i++ {
		if err := p.Disconnect(s.edge(i)); err != nil {
			return 0, err
		}
		s.g.disconnect(s.edge(i))
	}
	s.edges -= n
	return s.settle(p)
}

// change gives nodes other features.
func (s *stream) change(x map[int][]float32) (embedded int, err error) {
	p := s.r.Begin(s.g)
	for i := range x {
		if err := p.Detach(graphstore.NodeID(i + 1)); err != nil {
			return 0, err
		}
	}
	for i, v := range x {
		if s.x[i] = v; len(v) != s.model.Width(0) {
			return 0, fmt.Errorf("features of %d numbers", len(v))
		}
		if err := p.Attach(graphstore.NodeID(i+1), inputs(v)); err != nil {
			return 0, err
		}
	}
	return s.settle(p)
}

// timing is what a series of batches took.
type timing struct {
	updates, embedded int
	batches           []time.Duration
	cpu               time.Duration
}

// repeat runs batches of a size, of up to limit updates, for at most so long.
func repeat(size, limit int, most time.Duration, batch func(n int) (embedded int, err error)) (*timing, error) {
	t, begun, cpu := new(timing), time.Now(), cputime.Spent()
	for t.updates+size <= limit && time.Since(begun) < most {
		start := time.Now()
		n, err := batch(size)
		if err != nil {
			return nil, err
		}
		t.batches = append(t.batches, time.Since(start))
		t.updates, t.embedded = t.updates+size, t.embedded+n
	}
	t.cpu = cputime.Spent() - cpu
	return t, nil
}

// streamTimes are of one size of batch: edges are inserted, the same are removed again, nodes get other features, and get back what they had.
type streamTimes struct {
	size                    int
	insert, remove, feature *timing
	worst                   float64 // largest difference of an embedding's number from the full recomputation's
	worstOfPeer             float64 // of the peer's, where the stream reached its end; else NaN
}

// run measures a size of batch. It compares the embeddings with those of a full recomputation after the insertions and after the changes,
// and the whole state, bit for bit, with that at the start after what was done is undone.
func (s *stream) run(size int, most time.Duration) (*streamTimes, error) {
	t, start, first := &streamTimes{size: size, worstOfPeer: math.NaN()}, s.digest(), s.edges
	compare := func(after string) error {
		d := difference(s.embeddings(), s.recompute())
		if t.worst = max(t.worst, d); !(d <= s.w.tolerance) {
			return fmt.Errorf("batches of %d: after %s an embedding is %v from that of a full recomputation, more than %v", size, after, d, s.w.tolerance)
		}
		return nil
	}
	undone := func(what string) error {
		if s.digest() != start {
			return fmt.Errorf("batches of %d: after all %s were undone the state is not that of the start", size, what)
		}
		return nil
	}
	var err error
	if t.insert, err = repeat(size, len(s.w.src)-s.edges, most, s.insert); err != nil {
		return nil, err
	}
	if err := compare("insertions"); err != nil {
		return nil, err
	}
	if s.edges == len(s.w.src) && s.w.expectedFinal != nil {
		if t.worstOfPeer = difference(s.embeddings(), s.w.expectedFinal); !(t.worstOfPeer <= s.w.tolerance) {
			return nil, fmt.Errorf("with all edges an embedding is %v from the peer's, more than %v", t.worstOfPeer, s.w.tolerance)
		}
	}
	if t.remove, err = repeat(size, s.edges-first, time.Hour, s.remove); err != nil {
		return nil, err
	}
	if err := undone("insertions"); err != nil {
		return nil, err
	}
	rng, was := rand.New(rand.NewPCG(uint64(size), 1)), map[int][]float32{}
	if t.feature, err = repeat(size, s.w.nodes, most, func(n int) (int, error) {
		return s.change(s.otherFeatures(rng, n, was))
	}); err != nil {
		return nil, err
	}
	if err := compare("changes of features"); err != nil {
		return nil, err
	}
	if _, err := s.change(was); err != nil {
		return nil, err
	}
	return t, undone("changes of features")
}

// otherFeatures draws features for n nodes, and keeps in was what they had at first.
func (s *stream) otherFeatures(rng *rand.Rand, n int, was map[int][]float32) map[int][]float32 {
	x := map[int][]float32{}
	for len(x) < n {
		i := rng.IntN(s.w.nodes)
		if was[i] == nil {
			was[i] = s.x[i]
		}
		v := make([]float32, s.model.Width(0))
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		x[i] = v
	}
	return x
}

// embeddings are all embeddings, in the order of the nodes.
func (s *stream) embeddings() []float32 {
	var out []float32
	for _, n := range s.g.nodes {
		out = append(out, n.Embedding...)
	}
	return out
}

// digest is of all vectors and sums of the state.
func (s *stream) digest() (sum [sha256.Size]byte) {
	h, raw := sha256.New(), []byte(nil)
	for _, n := range s.g.nodes {
		raw = raw[:0]
		for _, v := range [][]float32{n.Features, n.Hidden, n.Embedding} {
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
		}
		for _, v := range [][]int64{n.Sum1, n.Sum2} {
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
			}
		}
		h.Write(raw)
	}
	h.Sum(sum[:0])
	return sum
}

// difference is the largest of two vectors' numbers, infinite when their lengths differ.
func difference(a, b []float32) (most float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if !(d <= most) {
			most = d
		}
	}
	return most
}
