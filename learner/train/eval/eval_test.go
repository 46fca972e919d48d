package eval

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func TestMeasureByHand(t *testing.T) {
	t.Parallel()
	q := Query{ID: "q", Relevant: map[string]float64{"a": 3, "b": 1, "c": 2}}
	m := Measure(q, []string{"x", "a", "y", "b"})
	log := math.Log2
	want := Metrics{
		NDCG10:   (3/log(3) + 1/log(5)) / (3/log(2) + 2/log(3) + 1/log(4)),
		Recall10: 2.0 / 3, Recall50: 2.0 / 3, MRR: 0.5,
	}
	for i, v := range m.Values() {
		if math.Abs(v-want.Values()[i]) > 1e-12 {
			t.Errorf("%s is %v, want %v", Names()[i], v, want.Values()[i])
		}
	}
	if m := Measure(q, []string{"a", "c", "b"}); m != (Metrics{1, 1, 1, 1}) {
		t.Errorf("the best ranking has %+v", m)
	}
	if m := Measure(q, nil); m != (Metrics{}) {
		t.Errorf("no ranking has %+v", m)
	}
	long := make([]string, 60)
	for i := range long {
		long[i] = fmt.Sprint(i)
	}
	long[20], long[55] = "a", "b"
	if m := Measure(q, long); m.Recall10 != 0 || m.Recall50 != 1.0/3 || m.MRR != 1.0/21 || m.NDCG10 != 0 {
		t.Errorf("places 21 and 56: %+v", m)
	}
}

// TestBootstrapCoverage: of many samples of a known mean, about as many intervals hold it as they say.
func TestBootstrapCoverage(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	held := 0
	const samples = 400
	for s := range samples {
		v := make([]float64, 80)
		for i := range v {
			v[i] = 2 + rng.NormFloat64()
		}
		in := Bootstrap(v, uint64(s))
		if in.Low > in.Mean || in.High < in.Mean {
			t.Fatalf("the mean is outside: %+v", in)
		}
		if in.Low <= 2 && 2 <= in.High {
			held++
		}
	}
	if rate := float64(held) / samples; rate < Level-0.05 || rate > Level+0.04 {
		t.Errorf("%.3f of the intervals hold the mean, want about %.2f", rate, Level)
	}
	if Bootstrap(nil, 1) != (Interval{}) {
		t.Error("an interval of nothing")
	}
}

func TestPaired(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	a, same, better, worse := make([]float64, 200), make([]float64, 200), make([]float64, 200), make([]float64, 200)
	for i := range a {
		a[i] = 10 * rng.NormFloat64() // queries differ much more than systems do
		same[i] = a[i] + 0.5*rng.NormFloat64()
		better[i], worse[i] = a[i]+0.2+0.5*rng.NormFloat64(), a[i]-0.2+0.5*rng.NormFloat64()
	}
	for name, c := range map[string]struct {
		b    []float64
		want Verdict
	}{"same": {a, Same}, "noise": {same, Same}, "better": {better, Better}, "worse": {worse, Worse}} {
		if in, v := Paired(a, c.b, 3); v != c.want {
			t.Errorf("%s: %s, %+v", name, v, in)
		}
	}
}

// TestBM25AgainstFormula scores every document by the words of the formula.
func TestBM25AgainstFormula(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	const docs, words = 40, 30
	x := NewBM25()
	texts := make([]map[uint32]int, docs)
	total := 0
	terms := func(m map[uint32]int) (out []Term) {
		for w := range uint32(words) {
			if m[w] > 0 {
				out = append(out, Term{w, m[w]})
			}
		}
		return out
	}
	for d := range texts {
		texts[d] = map[uint32]int{}
		for range 1 + rng.IntN(20) {
			texts[d][uint32(rng.IntN(1+rng.IntN(words)))]++
			total++
		}
		x.Add(fmt.Sprintf("%02d", d), terms(texts[d]))
	}
	score := func(q, d map[uint32]int) float64 {
		s, length := 0.0, 0
		for _, n := range d {
			length += n
		}
		for w := range uint32(words) {
			n := 0
			for _, o := range texts {
				if o[w] > 0 {
					n++
				}
			}
			tf := float64(d[w])
			s += float64(q[w]) * math.Log(1+(docs-float64(n)+0.5)/(float64(n)+0.5)) * tf * 2.2 / (tf + 1.2*(0.25+0.75*float64(length)/(float64(total)/docs)))
		}
		return s
	}
	for q := range texts {
		odd := func(id string) bool { return (id[1]-'0')%2 == 1 }
		for name, keep := range map[string]func(string) bool{"all": nil, "odd": odd} {
			got := x.Rank(terms(texts[q]), 15, keep)
			var want []string
			for d := range texts {
				if id := fmt.Sprintf("%02d", d); (keep == nil || keep(id)) && score(texts[q], texts[d]) > 0 {
					want = append(want, id)
				}
			}
			at := func(id string) float64 {
				var d int
				if _, err := fmt.Sscan(strings.TrimLeft(id, "0")+" ", &d); err != nil {
					d = 0
				}
				return score(texts[q], texts[d])
			}
			slices.SortStableFunc(want, func(a, b string) int {
				if d := at(b) - at(a); math.Abs(d) > 1e-9 {
					return int(math.Copysign(1, d))
				}
				return strings.Compare(a, b)
			})
			if !slices.Equal(got, want[:min(15, len(want))]) {
				t.Fatalf("query %d, %s: %v, want %v", q, name, got, want)
			}
		}
	}
}

const labels = `{"id":"a","theme":{"motif":["star","cross"],"craft":["wool"]},"title":"ignored"}
{"id":"b","theme":{"motif":["star"],"craft":["silk"]}}

{"id":"c","theme":{"motif":["star","cross","wave"]}}
{"id":"d"}
`

func TestLabels(t *testing.T) {
	t.Parallel()
	truth, err := Read(strings.NewReader(labels))
	if err != nil {
		t.Fatal(err)
	}
	if got := truth.Themes(); !slices.Equal(got, []string{"craft", "motif"}) {
		t.Errorf("themes %v", got)
	}
	if got := truth.Candidates(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("candidates %v", got)
	}
	for list, want := range map[string]map[string]map[string]float64{
		"theme:motif": {"a": {"b": 0.5, "c": 2.0 / 3}, "b": {"a": 0.5, "c": 1.0 / 3}, "c": {"a": 2.0 / 3, "b": 1.0 / 3}},
		"total":       {"a": {"b": 0.25, "c": 1.0 / 3}, "b": {"a": 0.25, "c": 1.0 / 6}, "c": {"a": 2.0 / 3, "b": 1.0 / 3}},
	} {
		queries, err := truth.Queries(list, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(queries) != len(want) {
			t.Errorf("%s: %d queries, want %d", list, len(queries), len(want))
		}
		for _, q := range queries {
			for id, g := range want[q.ID] {
				if math.Abs(q.Relevant[id]-g) > 1e-12 {
					t.Errorf("%s: %s to %s is %v, want %v", list, q.ID, id, q.Relevant[id], g)
				}
			}
			if len(q.Relevant) != len(want[q.ID]) {
				t.Errorf("%s: %s has %v", list, q.ID, q.Relevant)
			}
		}
	}
	if _, err := truth.Queries("theme:craft", 1); err == nil || !strings.Contains(err.Error(), "no query") {
		t.Errorf("a theme in which nothing is alike: %v", err)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(labels)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := zipped.Bytes()
	truth, err := Read(bytes.NewReader(whole))
	if err != nil || !slices.Equal(truth.Candidates(), []string{"a", "b", "c", "d"}) {
		t.Errorf("%v, %v", truth, err)
	}
	for _, n := range []int{2, 12, len(whole) - 4} {
		if _, err := Read(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("%d of %d bytes: no error", n, len(whole))
		}
	}
}

func TestManyQueriesAreSampled(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 700 {
		fmt.Fprintf(&b, `{"id":"%d","theme":{"x":["t%d"]}}`+"\n", i, i%7)
	}
	truth, err := Read(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	ids := func(seed uint64) (out []string) {
		queries, err := truth.Queries("theme:x", seed)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range queries {
			out = append(out, q.ID)
		}
		return out
	}
	if a := ids(1); len(a) != 500 || !slices.Equal(a, ids(1)) || slices.Equal(a, ids(2)) {
		t.Errorf("%d queries; the seed must decide which", len(a))
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	truth, err := Read(strings.NewReader(`{"a":"1","b":"2","grade":3,"theme":"motif"}
{"a":"2","b":"1","grade":1,"theme":"craft"}
{"a":"1","b":"3","grade":2}`))
	if err != nil {
		t.Fatal(err)
	}
	if truth.Candidates() != nil {
		t.Error("pairs restrict the candidates")
	}
	queries, err := truth.Queries("general", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(queries); got != "[{1 map[2:2 3:2]} {2 map[1:2]} {3 map[1:2]}]" {
		t.Errorf("general: %s", got)
	}
	if queries, err = truth.Queries("theme:motif", 1); err != nil || fmt.Sprint(queries) != "[{1 map[2:3]} {2 map[1:3]}]" {
		t.Errorf("motif: %v %v", queries, err)
	}
}

func TestBadTruths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                      "empty",
		"{":                                     "line 1",
		`{"id":"x"}` + "\n" + `{"id":"x"}`:      `line 2: id "x": comes twice`,
		`{"theme":{}}`:                          "id: is missing",
		`{"id":"x","theme":["a"]}`:              "theme: want {name: [terms]}",
		`{"a":"x","grade":1}`:                   "b: is missing",
		`{"b":"x","grade":1}`:                   "a: is missing",
		`{"a":"x","b":"x","grade":1}`:           `both "x"`,
		`{"a":"x","b":"y"}`:                     "grade: want a number above 0",
		`{"a":"x","b":"y","grade":-1}`:          "grade",
		`{"a":"x","b":"y","grade":1,"theme":3}`: "theme: want a name",
		`{"a":"x","b":"y","grade":1}` + "\n" + `{"id":"z"}`: "line 2: an id among pairs",
		`{"id":"z"}` + "\n" + `{"a":"x","b":"y","grade":1}`: "line 2: a pair",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	truth, err := Read(strings.NewReader(labels))
	if err != nil {
		t.Fatal(err)
	}
	for list, want := range map[string]string{"best": `"best"`, "theme:music": `no theme "music"`} {
		if _, err := truth.Queries(list, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("list %s: %v", list, err)
		}
	}
}

// fixed is a Ranker by a table.
type fixed map[string][]string

func (f fixed) Rank(_ context.Context, id string, k int) ([]string, error) {
	list, ok := f[id]
	if !ok {
		return nil, ErrUnknown
	}
	return list[:min(k, len(list))], nil
}

func TestCompare(t *testing.T) {
	t.Parallel()
	truth, err := Read(strings.NewReader(labels))
	if err != nil {
		t.Fatal(err)
	}
	good := fixed{"a": {"c", "b"}, "b": {"a", "c"}}
	bad := fixed{"a": {"d", "b"}, "b": {"d"}}
	r, err := Compare(context.Background(), truth, "theme:motif", 1, System{"good", good}, System{"bad", bad})
	if err != nil {
		t.Fatal(err)
	}
	if r.Queries != 2 || r.Unknown != 1 || r.Systems[0].Metrics[0].Mean != 1 || r.Systems[1].Metrics[3].Mean != 0.25 || r.Systems[1].Metrics[0].Verdict != "better" {
		t.Errorf("%+v", r)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "good - bad") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if _, err := Compare(context.Background(), truth, "theme:motif", 1, System{"nobody", fixed{}}); err == nil {
		t.Error("no query is known, and there is a report")
	}
}
