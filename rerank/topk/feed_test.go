package topk

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"kilim/annindex"
	"kilim/consumer/profile"
	"kilim/daemon/demo"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/learner/encode/text"
	"kilim/rerank"
)

// feedDim is that of the embeddings that a feed makes.
const feedDim = 256

// feed is an archive that real or invented records come to, one batch after another, kept in memory with its words and an exact index.
// Embeddings are random projections of what records say: near to each other as texts are, and of no model.
type feed struct {
	annindex.Index
	words     *vocabulary.Vocabulary
	artifacts map[uint64]*Artifact
	evidence  map[uint64]*rerank.Evidence
	members   map[uint64][]uint64
	links     map[uint64][]uint64
	rows      map[uint64][]byte
	lists     *Lists
	now       Time
	revision  uint64
	// order are the artifacts as they came.
	order []uint64
}

func newFeed(tb testing.TB, exactBytes int) *feed {
	tb.Helper()
	index, err := annindex.New(annindex.Config{Engine: "flat", Dim: feedDim})
	if err != nil {
		tb.Fatal(err)
	}
	words, err := vocabulary.New(text.Config{Dim: 64, Seed: 1}, false)
	if err != nil {
		tb.Fatal(err)
	}
	scorer, err := rerank.NewScorer(rerank.DefaultScoreWeights())
	if err != nil {
		tb.Fatal(err)
	}
	f := &feed{Index: index, words: words, artifacts: map[uint64]*Artifact{}, evidence: map[uint64]*rerank.Evidence{},
		members: map[uint64][]uint64{}, links: map[uint64][]uint64{}, rows: map[uint64][]byte{}}
	cfg := Config{Size: 10, Candidates: 200, RareMembers: 50, Sweep: 0.2, CacheBytes: 1 << 30, ExactBytes: exactBytes}
	if f.lists, err = New(cfg, scorer, f, words.Table, new(sync.Mutex)); err != nil {
		tb.Fatal(err)
	}
	return f
}

func (f *feed) NodeOf(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }

func (f *feed) Artifact(node uint64) (Artifact, bool, error) {
	if a := f.artifacts[node]; a != nil {
		return *a, true, nil
	}
	return Artifact{}, false, nil
}

func (f *feed) Artifacts() int { return len(f.artifacts) }

func (f *feed) Evidence(node uint64) (*rerank.Evidence, error) {
	if e := f.evidence[node]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("no evidence of %d", node)
}

func (f *feed) Entity(node uint64) (Entity, bool, error) {
	n := len(f.members[node])
	return Entity{Node: node, Members: n}, n > 0, nil
}

func (f *feed) Sharing(e Entity, fn func(uint64) bool) error { return until(f.members[e.Node], fn) }

func (f *feed) LinkedFrom(node uint64, fn func(uint64) bool) error { return until(f.links[node], fn) }

func (f *feed) Lists(node uint64) ([]byte, error) { return f.rows[node], nil }

func (f *feed) PutLists(node uint64, row []byte) error {
	f.rows[node] = row
	return nil
}

func (f *feed) DeleteLists(uint64) error       { panic("nothing is deleted") }
func (f *feed) SetDrift(uint64, float64) error { return nil }

// embed sums, for each word and entity, a direction of its own.
func (f *feed) embed(e *rerank.Evidence) []float32 {
	sums := make([]float64, feedDim)
	add := func(key uint64, weight float64) {
		rng := rand.NewPCG(key, 17)
		for i := 0; i < feedDim; i += 64 {
			for j, bits := i, rng.Uint64(); j < i+64; j++ {
				sums[j] += weight * float64(int(bits&1)*2-1)
				bits >>= 1
			}
		}
	}
	for _, w := range e.Words {
		add(uint64(w.Bucket), 1/math.Sqrt(float64(1+f.words.Table.DF(w.Bucket))))
	}
	for _, n := range e.Entities {
		add(n, 2/math.Sqrt(float64(1+len(f.members[n]))))
	}
	length := 0.0
	for _, x := range sums {
		length += x * x
	}
	v := make([]float32, feedDim)
	for i, x := range sums {
		v[i] = float32(x / math.Sqrt(max(length, 1e-12)))
	}
	return v
}

// record is what a feed takes of an artifact.
type record struct {
	id        string
	extracted *vocabulary.Extracted
}

// arrive begins a pass of a batch up to the point where lists are made, and gives who arrived.
func (f *feed) arrive(tb testing.TB, batch []record) (*Pass, []uint64) {
	tb.Helper()
	f.revision++
	p := f.lists.Begin(f, Unit{Revision: f.revision})
	var nodes []uint64
	for _, r := range batch {
		e := r.extracted.Evidence
		f.words.Count(r.extracted, 1)
		f.evidence[e.Node] = e
		for _, n := range e.Links {
			f.links[n] = append(f.links[n], e.Node)
		}
		for _, n := range e.Entities {
			f.members[n] = append(f.members[n], e.Node)
		}
		p.Arrived(e.Node, e, rerank.Cause{ID: r.id})
		a := &Artifact{ID: r.id, Embedding: f.embed(e)}
		f.artifacts[e.Node] = a
		if err := f.Put(e.Node, a.Embedding); err != nil {
			tb.Fatal(err)
		}
		f.now.Encode += 1 / float64(len(f.artifacts))
		f.now.Rank = f.now.Encode
		if err := p.Moved(e.Node, 1); err != nil {
			tb.Fatal(err)
		}
		nodes = append(nodes, e.Node)
	}
	f.order = append(f.order, nodes...)
	return p, nodes
}

// rank makes the lists of a pass and returns the messages, with the processor time that the lists took.
func (f *feed) rank(tb testing.TB, p *Pass) (told []*rerank.Update, took time.Duration) {
	tb.Helper()
	before := processor()
	err := p.Rank(f.now, nil, 0)
	took = processor() - before
	if err == nil {
		err = p.Write(func(u *rerank.Update) error {
			told = append(told, u)
			return nil
		})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return told, took
}

// processor is the processor time that the process has taken.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// extract makes records of JSON, on all cores.
func (f *feed) extract(tb testing.TB, raw [][]byte) []record {
	tb.Helper()
	out, failed := make([]record, len(raw)), make([]error, len(raw))
	var w sync.WaitGroup
	share := (len(raw) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for from := 0; from < len(raw); from += share {
		w.Go(func() {
			for i := from; i < min(from+share, len(raw)); i++ {
				a, err := profile.Parse(raw[i], "", profile.DefaultLimits())
				if err != nil {
					failed[i] = err
					continue
				}
				out[i] = record{a.ID, f.words.Extract(a)}
			}
		})
	}
	w.Wait()
	for _, err := range failed {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// waltersRecords are the first n records of a museum, or all.
func waltersRecords(tb testing.TB, n int) (raw [][]byte) {
	file, err := os.Open("../../../shared/data/walters.jsonl.gz")
	if err != nil {
		tb.Skip("needs ../shared/data: ", err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && len(raw) < n {
		raw = append(raw, append([]byte{}, lines.Bytes()...))
	}
	return raw
}

// demoRecords are n records of the demo archive, without media.
func demoRecords(tb testing.TB, n int) (raw [][]byte) {
	if err := demo.Each(demo.Options{Artifacts: n, Seed: 1}, func(b []byte, _ string) error {
		raw = append(raw, append([]byte{}, b...))
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return raw
}
