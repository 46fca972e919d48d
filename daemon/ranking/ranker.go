package ranking

import (
	"cmp"
	"math"
	"slices"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"

	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/rerank"
	"kilim/rerank/rank/pair"
)

// Ranker is a model that serves, as the lists that are published are ordered by it: unit by unit, one at a time.
type Ranker struct {
	*learned
	reader  *pair.Reader
	metrics *Metrics
	facts   *factCache
}

// Kept is the Ranker that was kept in a folder, with the State that it is for, nil: none was. It is for who checks what was published by it.
func Kept(folder string, words *text.Encoder, cacheBytes int) (*Ranker, State, error) {
	d, err := read(fileIn(folder))
	if err != nil || d == nil {
		return nil, State{}, err
	}
	return newRanker(d.learned, pair.NewReader(words), cacheBytes, NewMetrics(prometheus.NewRegistry())), d.State, nil
}

func newRanker(l *learned, reader *pair.Reader, cacheBytes int, metrics *Metrics) *Ranker {
	if l == nil {
		return nil
	}
	return &Ranker{l, reader, metrics, newFactCache(cacheBytes)}
}

// Over orders lists by the documents of a unit.
func (r *Ranker) Over(documents weave.Documents) *Ordering {
	return &Ordering{by: r, documents: documents, changed: map[string]*pair.Weighed{}}
}

// Ordering is what a Ranker does within one unit.
type Ordering struct {
	by        *Ranker
	documents weave.Documents
	// changed are the artifacts that the unit's records change, with what is known of them by it, nil: not yet. Nothing of it is kept: the unit may
	// fail.
	changed    map[string]*pair.Weighed
	rows       pair.Rows
	candidates []pair.Candidate
}

// Ranker names the model with the frequencies that it reads.
func (o *Ordering) Ranker() uint64 { return o.by.name }

// Best is how many of a list are ordered.
func (o *Ordering) Best() int { return Best }

// Changed says that the unit's records changed or removed an artifact.
func (o *Ordering) Changed(id string) {
	o.by.facts.lru.Remove(id)
	o.changed[id] = nil
}

// Rank returns the first size of an artifact's list by stated weights in the learned order.
func (o *Ordering) Rank(id string, stated []rerank.Entry, size int) ([]rerank.OrderedEntry, error) {
	one, err := o.weighed(id)
	if err != nil {
		return nil, err
	}
	o.candidates = o.candidates[:0]
	for _, e := range stated[:min(Best, len(stated))] {
		w, err := o.weighed(e.ID)
		if err != nil {
			return nil, err
		}
		o.candidates = append(o.candidates, pair.Candidate{Weighed: w, Parts: e.Parts, Score: e.Score})
	}
	o.by.metrics.ordered.Inc()
	return o.by.order(stated, o.rows.Of(one, o.candidates), size), nil
}

// weighed is what the model reads of an artifact, of which nothing is known if it can't be read.
func (o *Ordering) weighed(id string) (*pair.Weighed, error) {
	was, own := o.changed[id]
	if was == nil && !own {
		was, _ = o.by.facts.lru.Get(id)
	}
	if was != nil {
		return was, nil
	}
	a, err := weave.ReadIfSound(o.documents, id)
	if err != nil {
		return nil, err
	}
	w := o.by.counts.Weigh(factsOf(o.by.reader, a))
	if own {
		o.changed[id] = w
	} else {
		o.by.facts.put(id, w)
	}
	return w, nil
}

// order puts the Best of a list, of which features are those of the pairs, into the learned order, ties as they are stated; those behind
// them follow as they are stated, with the stated score for their only part. It returns the first size of all.
func (l *learned) order(stated []rerank.Entry, features []float32, size int) []rerank.OrderedEntry {
	best := stated[:min(Best, len(stated))]
	scores, places := make([]float64, len(best)), make([]int, len(best))
	for i, e := range best {
		scores[i], places[i] = l.model.Score(e.Score, features[i*pair.Width:(i+1)*pair.Width]), i
	}
	slices.SortStableFunc(places, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	out := make([]rerank.OrderedEntry, 0, min(size, len(stated)))
	parts := make([]float64, 1+pair.Width)
	for _, i := range places[:min(size, len(places))] {
		placed := rerank.OrderedEntry{ID: best[i].ID, Score: l.model.Explain(best[i].Score, features[i*pair.Width:(i+1)*pair.Width], parts)}
		for p, v := range parts {
			if p == 0 || v != 0 {
				placed.Parts = append(placed.Parts, rerank.OrderedPart{Name: partNames[p], Value: v})
			}
		}
		out = append(out, placed)
	}
	for _, e := range stated[len(best):max(len(best), min(size, len(stated)))] {
		score := float64(e.Score)
		out = append(out, rerank.OrderedEntry{ID: e.ID, Score: score, Parts: []rerank.OrderedPart{{Name: Stated, Value: score}}})
	}
	return out
}

// partNames are those of the parts as a model explains them.
var partNames = append([]string{Stated}, pair.Names()...)

// factCache keeps what a model reads of the artifacts that were met last, bounded by the bytes that it takes: to read and parse fifty documents takes as long as
// to order thirty lists.
type factCache struct {
	lru          *simplelru.LRU[string, *pair.Weighed]
	bytes, limit int
}

func newFactCache(limit int) *factCache {
	c := &factCache{limit: limit}
	lru, err := simplelru.NewLRU(math.MaxInt, func(id string, w *pair.Weighed) { c.bytes -= factBytes(id, w) })
	if err != nil {
		panic("ranking: " + err.Error()) // the size is a positive constant
	}
	c.lru = lru
	return c
}

func (c *factCache) put(id string, w *pair.Weighed) {
	c.lru.Remove(id) // so that its bytes are taken off
	c.lru.Add(id, w)
	c.bytes += factBytes(id, w)
	for c.bytes > c.limit && c.lru.Len() > 0 {
		c.lru.RemoveOldest()
	}
}

// factBytes is what is kept of an artifact, with its place in the cache, about.
func factBytes(id string, w *pair.Weighed) int { return 160 + 2*len(id) + w.Bytes() }
