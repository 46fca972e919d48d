package topk

import (
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"kilim/annindex"
	"kilim/rerank"
	"kilim/rerank/topk/bound"
)

// truth is what lists are when everyone is scored with everyone, by the weights of the time at which a newcomer comes.
type truth struct {
	f *feed
	// lists are by artifact and name; prepared is the evidence as weighed in the epoch at.
	lists    map[uint64]*[listCount][]rerank.Entry
	prepared map[uint64]*rerank.Prepared
	at       float64
	// scored is the number of pairs.
	scored int
}

// pair says that other is in the named list of node.
type pair struct{ node, list, other string }

// arrive takes newcomers up when their pass has weighed, and returns who has entered whose list.
func (x *truth) arrive(weights *bound.Table, nodes []uint64) map[pair]bool {
	if x.at != weights.Epoch() {
		x.at, x.prepared = weights.Epoch(), map[uint64]*rerank.Prepared{}
	}
	before := map[uint64][listCount][]rerank.Entry{}
	var c rerank.Comparison
	for _, node := range nodes {
		x.lists[node] = new([listCount][]rerank.Entry)
	}
	for _, node := range nodes {
		c.Begin(x.f.lists.scorer, x.of(weights, node))
		a := x.f.artifacts[node]
		for _, other := range x.f.order {
			if other == node {
				continue
			}
			b := x.f.artifacts[other]
			cosine := annindex.Dot(a.Embedding, b.Embedding)
			score, parts := c.Score(x.of(weights, other), cosine)
			x.scored++
			for i, value := range [listCount]float32{score, cosine} {
				x.offer(before, node, i, rerank.Entry{ID: b.ID, Score: value, Parts: parts})
				if !slices.Contains(nodes, other) {
					x.offer(before, other, i, rerank.Entry{ID: a.ID, Score: value, Parts: parts})
				}
			}
		}
	}
	entered := map[pair]bool{}
	for node, was := range before {
		for i, name := range x.f.lists.names {
			for _, id := range rerank.Diff(was[i], x.lists[node][i]).Entered {
				entered[pair{x.f.artifacts[node].ID, name, id}] = true
			}
		}
	}
	return entered
}

func (x *truth) of(weights *bound.Table, node uint64) *rerank.Prepared {
	p := x.prepared[node]
	if p == nil {
		p = rerank.Prepare(x.f.evidence[node], weights)
		x.prepared[node] = p
	}
	return p
}

func (x *truth) offer(before map[uint64][listCount][]rerank.Entry, node uint64, list int, e rerank.Entry) {
	size := x.f.lists.cfg.Size
	entries := x.lists[node][list]
	if len(entries) >= size && !rerank.Before(&e, &entries[size-1]) {
		return
	}
	if _, ok := before[node]; !ok {
		before[node] = [listCount][]rerank.Entry{slices.Clone(x.lists[node][0]), slices.Clone(x.lists[node][1])}
	}
	x.lists[node][list] = rerank.Insert(slices.Clone(entries), e, size)
}

// entered are the pairs that messages tell of.
func entered(told []*rerank.Update) map[pair]bool {
	out := map[pair]bool{}
	for _, u := range told {
		for list, changes := range u.Changes {
			for _, id := range changes.Entered {
				out[pair{u.ID, list, id}] = true
			}
		}
	}
	return out
}

// replayed is how what was told compares with the truth.
type replayed struct{ changes, missed, wrong, pairs int }

// replay feeds records in batches, and holds what each tells of against everyone scored with everyone. The truth is weighed as
// lists that miss nobody are; others are compared by those.
func replay(tb testing.TB, records [][]byte, batch int, exactBytes int) (r replayed) {
	tb.Helper()
	f, exact := newFeed(tb, exactBytes), newFeed(tb, 1<<40)
	x := &truth{f: exact, lists: map[uint64]*[listCount][]rerank.Entry{}}
	for some := range slices.Chunk(f.extract(tb, records), batch) {
		p, nodes := exact.arrive(tb, some)
		told, _ := exact.rank(tb, p)
		want := x.arrive(exact.lists.everyone.table, nodes)
		if exactBytes == 0 {
			p, _ := f.arrive(tb, some)
			told, _ = f.rank(tb, p)
		}
		got := entered(told)
		r.changes += len(want)
		for one := range want {
			if !got[one] {
				r.missed++
			}
		}
		for one := range got {
			if !want[one] {
				r.wrong++
			}
		}
	}
	r.pairs = x.scored
	return r
}

// TestReplay feeds real records: each batch tells all that has entered any list, and nothing else.
func TestReplay(t *testing.T) {
	t.Parallel()
	r := replay(t, waltersRecords(t, 600), 32, 1<<30)
	if r.missed > 0 || r.wrong > 0 || r.changes < 10_000 {
		t.Errorf("%+v", r)
	}
}

// records is KILIM_RECORDS, or the given number.
func records(b *testing.B, n int) int {
	if text := os.Getenv("KILIM_RECORDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal("KILIM_RECORDS: ", err)
		}
	}
	return n
}

// BenchmarkChanges replays a real feed against everyone scored with everyone, with and without bounds. KILIM_RECORDS asks for
// another number of records.
func BenchmarkChanges(b *testing.B) {
	raw := waltersRecords(b, records(b, 15252))
	for _, way := range []struct {
		name  string
		bytes int
	}{{"bounds", 1 << 40}, {"candidates", 0}} {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				r := replay(b, raw, 64, way.bytes)
				b.ReportMetric(float64(r.changes), "changes")
				b.ReportMetric(float64(r.missed), "missed")
				b.ReportMetric(float64(r.wrong), "wrong")
				b.ReportMetric(float64(r.pairs), "pairs")
			}
		})
	}
}

// BenchmarkNewcomers tells what a newcomer costs as an archive grows, of the museum's records and of the demo archive: the columns and
// postings that are read, the artifacts that are scored, and processor time. KILIM_RECORDS asks for another size of the demo archive.
func BenchmarkNewcomers(b *testing.B) {
	b.Run("walters", func(b *testing.B) {
		for b.Loop() {
			newcomers(b, waltersRecords(b, 15252))
		}
	})
	b.Run("demo", func(b *testing.B) {
		for b.Loop() {
			newcomers(b, demoRecords(b, records(b, 100_000)))
		}
	})
}

// newcomers feeds records in batches of 64, and logs what the last thousand before each of some sizes cost.
func newcomers(b *testing.B, raw [][]byte) {
	const batch, measured = 64, 1024
	f := newFeed(b, 1<<40)
	all := f.extract(b, raw)
	sizes := []int{1000, 2000, 4000, 8000, 15252, 30_000, 60_000, 100_000}
	var took time.Duration
	for from := 0; from < len(all); from += batch {
		to := min(from+batch, len(all))
		p, nodes := f.arrive(b, all[from:to])
		_, one := f.rank(b, p)
		took += one
		i := slices.IndexFunc(sizes, func(size int) bool { return size > from && size <= to })
		if i < 0 {
			if next := slices.IndexFunc(sizes, func(size int) bool { return size > to && size-to <= measured }); next < 0 {
				took = 0
			}
			continue
		}
		w, parts := f.scan(nodes)
		n := len(nodes)
		each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(n) }
		b.Logf("%d artifacts, %d bytes each. A newcomer: %d postings in %.0f µs, %d columns in %.0f, of which %d looked at closer and %d named in %.0f, these scored in %.0f; %.0f of processor to make its lists and change those of others",
			sizes[i], f.lists.everyone.table.Bytes()/f.lists.everyone.table.Len(), w.Postings/n, each(parts.postings), w.Columns/n, each(parts.columns), w.Refined/n, w.Named/n, each(parts.named), each(parts.scored),
			float64(took.Nanoseconds())/1e3/measured)
		took = 0
	}
}

// parts are what the time of a scan goes to.
type parts struct{ postings, columns, named, scored time.Duration }

// scan goes over all for some artifacts once more, four at a time as when they came, and scores those that are named. It returns what was done, and the time by part: the
// least of many rounds, which others on the machine have disturbed least.
func (f *feed) scan(nodes []uint64) (w bound.Work, p parts) {
	t := f.lists.everyone.table
	var scans []*bound.Scan
	var queries, bare []bound.Query // bare have no evidence, and so no postings, and no list to be offered to
	for _, node := range nodes {
		scans = append(scans, new(bound.Scan))
		v := f.artifacts[node].Embedding
		queries = append(queries, bound.Query{Node: node, Evidence: rerank.Prepare(f.evidence[node], t), Vector: v, Best: 10, Offered: true})
		bare = append(bare, bound.Query{Node: node, Evidence: rerank.Prepare(&rerank.Evidence{Begin: math.NaN(), End: math.NaN()}, t), Vector: v})
	}
	const together, rounds = 4, 20
	least := func(run func()) time.Duration {
		least := time.Duration(math.MaxInt64)
		for range rounds {
			start := time.Now()
			run()
			least = min(least, time.Since(start))
		}
		return least
	}
	for at := 0; at < len(scans); at += together {
		to := min(at+together, len(scans))
		some := scans[at:to]
		columns := least(func() { bound.Begin(t, some, bare[at:to]) })
		unoffered := slices.Clone(queries[at:to])
		for i := range unoffered {
			unoffered[i].Offered, unoffered[i].Best = false, 0
		}
		p.columns += columns
		p.postings += max(0, least(func() { bound.Begin(t, some, unoffered) })-columns)
		for _, s := range some {
			s.Work = bound.Work{}
		}
		named := make([][]uint64, len(some))
		all := least(func() {
			bound.Begin(t, some, queries[at:to])
			for i, s := range some {
				named[i] = append(named[i][:0], s.Found()...)
				named[i] = append(named[i], s.Rest(t.Least(nodes[at+i]))...)
			}
		})
		p.named += all
		for i, s := range some {
			w.Postings, w.Columns, w.Refined, w.Named = w.Postings+s.Work.Postings/rounds, w.Columns+s.Work.Columns/rounds, w.Refined+s.Work.Refined/rounds, w.Named+s.Work.Named/rounds
			against := make([]*rerank.Prepared, len(named[i]))
			for j, node := range named[i] {
				against[j] = rerank.Prepare(f.evidence[node], t)
			}
			var c rerank.Comparison
			p.scored += least(func() {
				c.Begin(f.lists.scorer, queries[at+i].Evidence)
				for j, other := range against {
					c.Score(other, annindex.Dot(queries[at+i].Vector, f.artifacts[named[i][j]].Embedding))
				}
			})
		}
	}
	p.named = max(0, p.named-p.columns-p.postings)
	return w, p
}
