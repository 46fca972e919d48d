package search

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kilim/daemon/demo"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
)

// archive is a store in which artifacts are put without edges: the index reads documents alone.
type archive struct {
	t     testing.TB
	store *graphstore.Store
}

func newArchive(t testing.TB) *archive {
	t.Helper()
	s, err := graphstore.Open(t.TempDir(), graphstore.Options{CacheMB: 1, MemtableMB: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &archive{t, s}
}

func (a *archive) View(fn func(*graphstore.Reader) error) error { return a.store.View(fn) }

// put stores records, by id; an empty one deletes.
func (a *archive) put(records map[string]string) {
	a.t.Helper()
	tx := a.store.Begin()
	for id, raw := range records {
		var err error
		if raw == "" {
			_, err = tx.DeleteArtifact(id)
		} else {
			_, err = tx.PutArtifact(graphstore.Doc{ID: id, Raw: []byte(raw)}, nil)
		}
		if err != nil {
			a.t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		a.t.Fatal(err)
	}
}

func newIndex(t testing.TB, a Archive) *Index {
	t.Helper()
	words, err := text.NewEncoder(text.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return New(a, words)
}

// filled is an index that has read an archive.
func filled(t testing.TB, a Archive) *Index {
	t.Helper()
	x := newIndex(t, a)
	if err := x.scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestFind(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.put(map[string]string{"old": `{"title":"Red kilim","culture":["Vadrosk"],"type":["kilim"],"media":[{"kind":"image","uri":"https://a.example/x"}]}`})
	x := filled(t, a)
	for _, r := range []struct{ id, record string }{
		{"body", `{"title":"A cloth","description":"much like a <b>red</b> <i>kil</i>im","culture":["vadrosk "]}`},
		{"ota", `{"title":"قاليچه","language":"ota","period":["عصر"],"media":[{"kind":"text","text":"kilim"},{"kind":"audio","uri":"https://a.example/y"}]}`},
		{"new kilim", `{"title":"Kilim, red: a star","type":["Kilim"]}`},
	} {
		a.put(map[string]string{r.id: r.record})
		if err := x.read([]string{r.id}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		q    Query
		want []string
	}{
		{Query{}, []string{"new kilim", "ota", "body", "old"}},
		{Query{Words: "kilim"}, []string{"new kilim", "old", "ota", "body"}},
		{Query{Words: "RED Kilim"}, []string{"new kilim", "old", "body"}},
		{Query{Words: "kilim purple"}, nil},
		{Query{Words: "قاليچه"}, []string{"ota"}},
		{Query{Words: " old "}, []string{"old"}},
		{Query{Words: "new kilim"}, []string{"new kilim"}},
		{Query{Words: "?!"}, nil},
		{Query{Fields: map[string]string{Culture: "VADROSK"}}, []string{"body", "old"}},
		{Query{Words: "kilim", Fields: map[string]string{Type: "kilim"}}, []string{"new kilim", "old"}},
		{Query{Fields: map[string]string{Period: "عصر", Culture: ""}}, []string{"ota"}},
		{Query{Fields: map[string]string{Period: "kilim"}}, nil},
		{Query{Media: []string{"image"}}, []string{"old"}},
		{Query{Media: []string{"audio", "text"}}, []string{"ota"}},
		{Query{Words: "kilim", Limit: 2, After: "old"}, []string{"ota", "body"}},
		{Query{Words: "kilim", Limit: 3, After: "body"}, nil},
		{Query{Words: "kilim", Limit: 1, After: "gone"}, []string{"new kilim"}},
	} {
		if c.q.Limit == 0 {
			c.q.Limit = 10
		}
		if a := x.Find(c.q); !slices.Equal(a.IDs, c.want) {
			t.Errorf("%+v: %q, want %q", c.q, a.IDs, c.want)
		}
	}
	if got := x.Find(Query{Words: "kilim", Limit: 2}); got.Total != 4 || !got.More || !got.Ready || got.Indexed != 4 {
		t.Errorf("%+v", got)
	}
	want := map[string][]Value{Culture: {{"Vadrosk", 2}}, Period: {{"عصر", 1}}, Type: {{"kilim", 2}}}
	if got := x.Values(5); !reflect.DeepEqual(got, want) {
		t.Errorf("values %v, want %v", got, want)
	}
}

// TestHistories: whatever came and went, the index finds what one does that a map of the records is searched for.
func TestHistories(t *testing.T) {
	t.Parallel()
	vocabulary := strings.Fields("ala bil cim dor eke fil gul hap iki jet")
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := newArchive(t)
		x := filled(t, a)
		now, at, clock := map[string][]string{}, map[string]int{}, 0 // the first two words are the title
		for range 60 {
			batch, ids := map[string]string{}, []string{}
			for range 1 + r.IntN(80) {
				id := fmt.Sprint("a", r.IntN(900))
				if _, again := batch[id]; again {
					continue
				}
				ids = append(ids, id)
				if r.IntN(3) == 0 {
					batch[id] = ""
					delete(now, id)
					continue
				}
				words := []string{vocabulary[r.IntN(10)], vocabulary[r.IntN(10)], vocabulary[r.IntN(10)]}
				now[id] = words
				batch[id] = fmt.Sprintf(`{"title":%q,"description":%q,"culture":[%q]}`, words[0]+" "+words[1], words[2], words[0])
			}
			a.put(batch)
			for _, id := range ids {
				clock++
				at[id] = clock
			}
			if err := x.read(ids); err != nil {
				t.Fatal(err)
			}
		}
		for range 40 {
			q := Query{Words: vocabulary[r.IntN(10)], Limit: 7, Fields: map[string]string{}}
			if r.IntN(2) == 0 {
				q.Words += " " + vocabulary[r.IntN(10)]
			}
			if r.IntN(3) == 0 {
				q.Fields[Culture] = strings.ToUpper(vocabulary[r.IntN(10)])
			}
			var want []string
			for id, words := range now {
				all := q.Fields[Culture] == "" || strings.EqualFold(words[0], q.Fields[Culture])
				for _, w := range strings.Fields(q.Words) {
					all = all && slices.Contains(words, w)
				}
				if all {
					want = append(want, id)
				}
			}
			elsewhere := func(id string) int { // 0: all words are in the title
				if slices.ContainsFunc(strings.Fields(q.Words), func(w string) bool { return !slices.Contains(now[id][:2], w) }) {
					return 1
				}
				return 0
			}
			slices.SortFunc(want, func(a, b string) int { return cmp.Or(elsewhere(a)-elsewhere(b), at[b]-at[a]) })
			var got []string
			for {
				page := x.Find(q)
				got = append(got, page.IDs...)
				if page.Total != len(want) || !page.More {
					break
				}
				q.After = page.IDs[len(page.IDs)-1]
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, %+v: %q, want %q", seed, q, got, want)
			}
		}
		for _, v := range x.Values(100)[Culture] {
			n := 0
			for _, words := range now {
				if words[0] == v.Label {
					n++
				}
			}
			if v.Count != n {
				t.Errorf("seed %d: %d artifacts of %s, want %d", seed, v.Count, v.Label, n)
			}
		}
		l, labels, cultures := x.Labels(Culture), map[graphstore.NodeID]string{}, map[graphstore.NodeID]string{}
		for i, node := range l.Nodes {
			labels[node] = l.Names[l.Of[i]]
		}
		for id, words := range now {
			cultures[graphstore.ID(graphstore.Artifact, id)] = words[0]
		}
		if !maps.Equal(labels, cultures) || len(l.Nodes) != len(cultures) {
			t.Errorf("seed %d: the cultures are %v, want %v", seed, labels, cultures)
		}
		if len(x.ids)-1 > 2*len(x.numbers)+leastDead+1 {
			t.Errorf("seed %d: %d numbers for %d artifacts", seed, len(x.ids), len(x.numbers))
		}
	}
}

// TestCompact: when more are gone than are there, the numbers of the others change and what is found does not.
func TestCompact(t *testing.T) {
	t.Parallel()
	x := newIndex(t, nil)
	for n := range 3 * leastDead {
		x.put(entry{id: fmt.Sprint(n), terms: []string{"all", fmt.Sprint("w", n%7)}, facets: []facet{{Culture, fmt.Sprint("c", n%3)}}})
	}
	for n := range 2*leastDead + 10 {
		x.remove(fmt.Sprint(n))
	}
	if len(x.ids) > 2*leastDead {
		t.Errorf("%d numbers are kept for %d artifacts", len(x.ids), len(x.numbers))
	}
	for n := 2*leastDead + 10; n < 3*leastDead; n++ {
		a := x.Find(Query{Words: fmt.Sprint(n), Limit: 1})
		if !slices.Equal(a.IDs, []string{fmt.Sprint(n)}) {
			t.Fatalf("%d: %+v", n, a)
		}
	}
	if a := x.having([]string{"all", "w3"}); len(a) == 0 || x.ids[a[0]] != fmt.Sprint(newest(3, 3*leastDead)) {
		t.Errorf("%d found", len(a))
	}
}

// newest is the largest number below n that is rest modulo 7.
func newest(rest, n int) int {
	for n--; n%7 != rest; n-- {
	}
	return n
}

// TestRun: what changes while the index reads, and after, is in it; a flood of changes has it read all again.
func TestRun(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.put(map[string]string{"first": `{"title":"one"}`, "goes": `{"title":"one"}`})
	x := newIndex(t, a)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := x.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	settled := func(want ...string) {
		t.Helper()
		var got Answer
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			got = x.Find(Query{Words: "one", Limit: 10})
			slices.Sort(got.IDs)
			if slices.Equal(got.IDs, want) && got.Ready {
				return
			}
		}
		t.Errorf("%+v, want %q", got, want)
	}
	settled("first", "goes")
	a.put(map[string]string{"second": `{"title":"one"}`, "goes": ""})
	x.Changed([]string{"second", "goes", "never there"})
	settled("first", "second")
	a.put(map[string]string{"third": `{"title":"one"}`, "first": `{"title":"two"}`})
	flood := make([]string, mostPending+1)
	for n := range flood {
		flood[n] = fmt.Sprint(n)
	}
	x.Changed(flood)
	settled("second", "third")
	stop()
	wait.Wait()
}

// TestExtremes: an artifact's share of the index is bounded, and no text breaks a word's end.
func TestExtremes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	var many strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&many, "w%d ", n)
	}
	record, err := json.Marshal(map[string]any{
		"title": strings.Repeat("ş", 300) + "\u0000", "description": many.String(), "culture": []string{strings.Repeat("c", 5000), "\x01", "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.put(map[string]string{"big": string(record)})
	x := filled(t, a)
	if n := len(x.terms); n > mostWords+8 {
		t.Errorf("%d terms of one artifact", n)
	}
	for _, q := range []string{"w0", strings.Repeat("ş", 300), strings.Repeat("ş", 299)} {
		if got := x.Find(Query{Words: q, Limit: 1}); len(got.IDs) != 1 { // words are as long as wordBytes
			t.Errorf("%.10s is not found", q)
		}
	}
}

// TestCost prints what an artifact of the demo archive takes, and holds it.
func TestCost(t *testing.T) {
	x := newIndex(t, nil)
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	const artifacts = 3000
	x.wordsOf(weave.Text{Body: "çengel", Language: "tr"}) // which makes the analyzer's own memory
	before, terms := heap(), 0
	err := demo.Each(demo.Options{Artifacts: artifacts, Seed: 1}, func(record []byte, id string) error {
		a, err := weave.Parse(&graphstore.Doc{ID: id, Raw: record})
		if err != nil {
			return err
		}
		e := x.entryOf(a)
		terms += len(e.terms)
		x.put(e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	taken := (heap() - before) / artifacts
	t.Logf("%d terms an artifact, %d in all, %.0f bytes an artifact", terms/artifacts, len(x.terms), taken)
	if taken > 600 {
		t.Errorf("%.0f bytes an artifact", taken)
	}
	runtime.KeepAlive(x)
}
