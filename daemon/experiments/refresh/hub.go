package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/internal/cputime"
	"kilim/learner/encode"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/tensor/sparse"
)

// hub is an entity whose members grow, with the daemon's model of records without media.
type hub struct {
	g       *graph
	r       *refresh.Refresher
	model   *infer.Model
	id      graphstore.NodeID
	rng     *rand.Rand
	words   int
	drifts  bool
	epsilon float32
}

const culture = graphstore.Relation(graphstore.Culture)

// newHub makes an entity without members. With drifts, what its members write about changes as they grow in number, by the
// same amount each time that their number doubles: their mean never comes to rest. Without, they are all of one kind.
func newHub(epsilon float32, drifts bool) (*hub, error) {
	_, cfg := pipeline.Sizes(encode.Encoders{})
	model, err := infer.Seeded(cfg)
	if err != nil {
		return nil, err
	}
	h := &hub{g: new(graph), model: model, words: cfg.Text, drifts: drifts, epsilon: epsilon, rng: rand.New(rand.NewPCG(1, 1))}
	h.r, err = refresh.New(refresh.Config{Epsilon: epsilon}, model, noLabels{})
	h.id = h.g.add(graphstore.Culture, "hub")
	return h, err
}

// wordsOfText and topicWords are how many words a text has, and among how many neighbouring ones most of them are drawn.
const wordsOfText, topicWords = 100, 256

// text draws features like those of a record's words.
func (h *hub) text() sparse.Vector {
	v, topic := make([]float32, h.words), 0
	if h.drifts {
		topic = int(topicWords / 2 * math.Log2(float64(len(h.g.nodes))))
	}
	for range wordsOfText {
		at := h.rng.IntN(h.words)
		if h.drifts && h.rng.IntN(4) > 0 {
			at = (topic + h.rng.IntN(topicWords)) % h.words
		}
		v[at] += float32(h.rng.ExpFloat64())
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(square))
	}
	return sparse.NonZeros(v)
}

// newcomer adds a member to the graph, without its edge to the refresh.
func (h *hub) newcomer() (id graphstore.NodeID, inputs []float32) {
	inputs = h.r.Inputs([]infer.Features{{Text: h.text()}})[0]
	id = h.g.add(graphstore.Artifact, "")
	h.g.connect(graphstore.Edge{From: id, Rel: culture, To: h.id})
	return id, inputs
}

// load adds members all at once.
func (h *hub) load(n int) error {
	p := h.r.Begin(h.g)
	for range n {
		id, inputs := h.newcomer()
		if err := p.Attach(id, inputs); err != nil {
			return err
		}
	}
	if _, err := p.Embed(n); err != nil {
		return err
	}
	return h.settle(nil)
}

// backgroundUnit is how many artifacts a unit of background work embeds.
const backgroundUnit = 256

// settle does what is left over in units as the daemon's background does, and adds to embedded, where given, how many it
// embedded.
func (h *hub) settle(embedded *int) error {
	for h.r.Pending() > 0 {
		moved, err := h.r.Begin(h.g).Embed(backgroundUnit)
		if err != nil {
			return err
		}
		if embedded != nil {
			*embedded += len(moved)
		}
	}
	return nil
}

// growth is what insertions took while the hub grew to a size.
type growth struct {
	from, to  int
	own       []float64 // µs of each insertion's own unit
	wall, cpu time.Duration
	embedded  int // artifacts that were embedded in all
}

// grow inserts members one at a time, each with all that it sets off, until there are so many.
func (h *hub) grow(to int) (*growth, error) {
	t := &growth{from: len(h.g.nodes) - 1, to: to}
	begun, cpu := time.Now(), cputime.Spent()
	var drawing time.Duration // the features are drawn outside of what is measured
	for len(h.g.nodes)-1 < to {
		start := time.Now()
		id, inputs := h.newcomer()
		made := time.Now()
		drawing += made.Sub(start)
		p := h.r.Begin(h.g)
		if err := p.Attach(id, inputs); err != nil {
			return nil, err
		}
		moved, err := p.Embed(1) // one a record, as a batch of the feed
		if err != nil {
			return nil, err
		}
		t.own = append(t.own, float64(time.Since(made).Nanoseconds())/1e3)
		t.embedded += len(moved)
		if err := h.settle(&t.embedded); err != nil {
			return nil, err
		}
	}
	wall := time.Since(begun)
	t.wall, t.cpu = wall-drawing, time.Duration(float64(cputime.Spent()-cpu)*float64(wall-drawing)/float64(wall))
	return t, nil
}

// deviation is how far the hub's pushed vector is from the exact one (RMS a coordinate, as epsilon is), and how far the
// embeddings of some members are at most and on average.
type deviation struct{ pushed, most, mean float64 }

func (h *hub) deviation(members int) (d deviation, err error) {
	n, err := h.g.Node(h.id)
	if err != nil {
		return d, err
	}
	width := h.model.Width(0)
	mean, count := make([]float64, width), len(h.g.nodes)-1
	for _, m := range h.g.nodes[1:] {
		h0, _ := infer.Halves(m.Features)
		for j, x := range h0 {
			mean[j] += float64(x) / float64(count)
		}
	}
	message := infer.Message{Relation: refresh.RelationIndex(culture | graphstore.Inverse), Mean: make([]float32, width)}
	for j, x := range mean {
		message.Mean[j] = float32(x)
	}
	exact := h.model.Layer(0, []infer.Input{{Self: n.Features, Messages: []infer.Message{message}}}, 0)[0]
	for j, x := range exact {
		d.pushed += math.Pow(float64(x)-float64(n.Hidden[j]), 2)
	}
	if d.pushed = math.Sqrt(d.pushed / float64(width)); d.pushed > float64(h.epsilon)+1e-6 {
		return d, fmt.Errorf("the hub's vector is %v from the exact one, more than epsilon %v", d.pushed, h.epsilon)
	}
	for i := range members {
		off, err := h.r.Audit(h.g, graphstore.NodeID(2+i*count/members))
		if err != nil {
			return d, err
		}
		d.most, d.mean = max(d.most, off), d.mean+off/float64(members)
	}
	return d, nil
}
