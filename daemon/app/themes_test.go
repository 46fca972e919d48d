package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/profile"
	"kilim/daemon/web"
	"kilim/learner/theme"
	"kilim/learner/train/eval"
)

// labelledArchive is an invented one: each record is of some topics, which give it words, a technique and, by theme, terms. What labels it
// has is apart.
type labelledArchive struct {
	ids     []string
	records []map[string]any
	labels  []map[string][]string
}

func newLabelledArchive(seed uint64, n int) *labelledArchive {
	rng := rand.New(rand.NewPCG(seed, 41))
	a := &labelledArchive{}
	for i := range n {
		labels := map[string][]string{}
		var said, technique []string
		for range 1 + rng.IntN(2) {
			topic := rng.IntN(24)
			for range 3 {
				said = append(said, fmt.Sprintf("word%cq%d", 'a'+topic, rng.IntN(9)))
			}
			technique = append(technique, fmt.Sprintf("Technique %d", topic%7))
			name := []string{"motif", "religion, belief"}[topic%2]
			labels[name] = append(labels[name], fmt.Sprintf("term %d", topic))
		}
		for range 6 {
			said = append(said, fmt.Sprintf("noise%d", rng.IntN(40)))
		}
		id := fmt.Sprintf("t:%d", i)
		a.ids, a.labels = append(a.ids, id), append(a.labels, labels)
		a.records = append(a.records, map[string]any{"id": id, "title": said[0], "description": strings.Join(said, " "), "technique": technique})
	}
	return a
}

// messages are the records from one to another, with labels or without.
func (a *labelledArchive) messages(t *testing.T, from, to int, labelled bool) (out []kafka.Message) {
	t.Helper()
	for i := from; i < to; i++ {
		r := a.records[i]
		delete(r, "theme")
		if labelled {
			r["theme"] = a.labels[i]
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, kafka.Message{Key: []byte(a.ids[i]), Value: raw})
	}
	return out
}

// truth are the labels of the records from one to another, for who ranks these.
func (a *labelledArchive) truth(t *testing.T, from, to int) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := from; i < to; i++ {
		if err := json.NewEncoder(&b).Encode(map[string]any{"id": a.ids[i], "theme": a.labels[i]}); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// figure is the nDCG@10 of a theme's list that the daemon tells of itself.
func (d *daemon) figure(name string, truth []byte) float64 {
	d.t.Helper()
	var r eval.Report
	d.send("/api/v1/evaluate?list="+queryEscape("theme:"+name), truth, 200, &r)
	return r.Systems[0].Metrics[0].Mean
}

func queryEscape(s string) string { return strings.NewReplacer(" ", "%20", ",", "%2C").Replace(s) }

// send posts a body and reads the answer.
func (d *daemon) send(path string, body []byte, want int, out any) {
	d.t.Helper()
	res, err := http.Post("http://"+d.app.HTTP().String()+path, "application/json", bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != want {
		d.t.Fatalf("%s: status %d, want %d", path, res.StatusCode, want)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		d.t.Fatal(err)
	}
}

// learned waits until the model was fitted to so many works, and all that has changed is in its profiles.
func (d *daemon) learned(works int) {
	d.t.Helper()
	var now web.Themes
	for deadline := time.Now().Add(hang); ; time.Sleep(20 * time.Millisecond) {
		if d.get("/api/v1/themes", &now); now.Model != nil && now.Model.Works == works && now.Waiting == 0 && now.Phase == "idle" {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("no model of %d works: %+v", works, now)
		}
	}
}

// modelFigure is the nDCG@10 of a model that knows the labels of the records before labelled, as package theme alone ranks.
func (a *labelledArchive) modelFigure(t *testing.T, name string, truth []byte, labelled, from, to int) float64 {
	t.Helper()
	work := func(i int) theme.Work {
		parsed, err := profile.Parse(a.messages(t, i, i+1, false)[0].Value, "", profile.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		return theme.WorkOf(parsed)
	}
	var works []theme.Work
	labels := map[string]theme.Labels{}
	for i := range labelled {
		works, labels[a.ids[i]] = append(works, work(i)), a.labels[i]
	}
	basis, err := theme.NewBasis(theme.DefaultConfig(), works)
	if err != nil {
		t.Fatal(err)
	}
	model, err := basis.Fit(t.Context(), labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := modelRanker{model, name, map[string]*theme.Profile{}}
	for i := from; i < to; i++ {
		w := work(i)
		r.profiles[w.ID] = model.Profile(&w)
	}
	parsed, err := eval.Read(bytes.NewReader(truth))
	if err != nil {
		t.Fatal(err)
	}
	report, err := eval.Compare(t.Context(), parsed, "theme:"+name, 1, eval.System{Name: "model", Ranker: r})
	if err != nil {
		t.Fatal(err)
	}
	return report.Systems[0].Metrics[0].Mean
}

type modelRanker struct {
	model    *theme.Model
	name     string
	profiles map[string]*theme.Profile
}

func (r modelRanker) Rank(_ context.Context, id string, k int) (out []string, err error) {
	question := r.model.Ask(r.profiles[id])
	scores := map[string]float64{}
	for other, p := range r.profiles {
		if other != id {
			parts, _ := question.Compare(r.name, p)
			scores[other] = parts.Score()
			out = append(out, other)
		}
	}
	sortByScore(out, scores)
	return out[:min(k, len(out))], nil
}

// TestThemesOfTheDaemon feeds records with labels and others without through a running daemon: its lists by theme are as good as the model's
// own rankings, to the last digit; labels that come later make them better; a declared theme, another model, a deletion and a start are
// followed.
func TestThemesOfTheDaemon(t *testing.T) {
	t.Parallel()
	const labelled, later, all = 60, 260, 400
	a := newLabelledArchive(1, all)
	truth := a.truth(t, later, all)
	cfg := testConfig(t)
	cfg.Themes.Least = 20
	d := start(t, cfg)
	d.feed(append(a.messages(t, 0, labelled, true), a.messages(t, labelled, all, false)...)...)
	d.settle(all)
	d.learned(labelled)
	before := map[string]float64{}
	for _, name := range []string{"motif", "religion, belief"} {
		before[name] = d.figure(name, truth)
		if want := a.modelFigure(t, name, truth, labelled, later, all); before[name] != want {
			t.Errorf("%s: nDCG@10 of %v by the daemon, %v by the model", name, before[name], want)
		}
	}

	d.feed(a.messages(t, labelled, later, true)...)
	d.settle(all)
	d.learned(later)
	for name, was := range before {
		now := d.figure(name, truth)
		if want := a.modelFigure(t, name, truth, later, later, all); now != want {
			t.Errorf("%s: nDCG@10 of %v by the daemon, %v by the model", name, now, want)
		}
		if now < was+0.05 {
			t.Errorf("%s: labels that came later made %.3f of %.3f", name, now, was)
		}
	}

	var one web.ThemeAnswer
	path := "/api/v1/artifacts/t:300/similar?k=5&list=" + queryEscape("theme:religion, belief")
	if code := d.get(path, &one); code != 200 || one.Model.Works != later || one.Applies != (len(one.Items) == 5) {
		t.Errorf("status %d, %+v", code, one)
	}
	for _, item := range one.Items {
		if p := item.Parts; item.Score != p.Terms+p.Neighbours+p.Profile+p.Words {
			t.Errorf("the parts of %+v are another sum", item)
		}
	}
	if code := d.get("/api/v1/artifacts/t:300/similar?list=theme:craft", nil); code != 404 {
		t.Errorf("a theme that is not there: status %d", code)
	}
	var posted web.ThemeAnswer
	d.send("/api/v1/similar?k=5&list=theme:motif", a.messages(t, 300, 301, true)[0].Value, 200, &posted)
	var stored web.ThemeAnswer
	d.get("/api/v1/artifacts/t:300/similar?k=5&list=theme:motif", &stored)
	if fmt.Sprint(posted) != fmt.Sprint(stored) {
		t.Errorf("the record in a body, with its labels, has %+v, stored without them it has %+v", posted, stored)
	}
	var sum web.WeightedAnswer
	if code := d.get("/api/v1/artifacts/t:300/similar?k=20&weights="+queryEscape("motif:1,religion, belief:0.2"), &sum); code != 200 || len(sum.Items) != 20 {
		t.Errorf("weights: status %d, %d items", code, len(sum.Items))
	}
	var byGate web.WeightedAnswer
	if code := d.get("/api/v1/artifacts/t:300/similar?k=20&weights=auto", &byGate); code != 200 || len(byGate.Items) != 20 || len(byGate.Applies) == 0 {
		t.Errorf("weights by the gate: status %d, %+v", code, byGate)
	}
	for _, item := range append(sum.Items, byGate.Items...) {
		if p := item.Parts; item.Score != p["evidence"]+p["theme:motif"]+p["theme:religion, belief"] {
			t.Errorf("the parts of %+v are another sum", item)
		}
	}

	// A theme without any label, by its fields.
	var now web.Themes
	d.send("/api/v1/themes", []byte(`{"name":"craft","weak":["technique"]}`), 202, &now)
	d.learned(all)
	if code := d.get("/api/v1/artifacts/t:300/similar?list=theme:craft", &one); code != 200 || len(one.Items) != 10 || len(one.Items[0].Shared) == 0 {
		t.Errorf("a declared theme: status %d, %+v", code, one)
	}

	// Another model of embeddings takes over, and what the themes tell is the same: they are of the records.
	want := d.figure("motif", truth)
	other := d.another()
	d.post(fmt.Sprintf("/api/v1/models/%d/promote", other.Epoch), 202)
	d.serves(other.Epoch)
	d.feed(kafka.Message{Key: []byte(one.Items[0].ID)})
	d.settle(all - 1)
	gone := one.Items[0].ID
	if d.get("/api/v1/artifacts/t:300/similar?list=theme:craft", &one); one.Items[0].ID == gone || one.Epoch != other.Epoch {
		t.Errorf("after the deletion of %s: %+v", gone, one)
	}
	d.learned(all - 1)
	d.end()

	d = start(t, cfg)
	d.settle(all - 1)
	d.learned(all - 1)
	if got := d.figure("motif", truth); got < want-0.05 {
		t.Errorf("%.3f after a start, before it %.3f", got, want)
	}
	d.end()
	parsed, err := eval.Read(bytes.NewReader(truth))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Evaluate(t.Context(), cfg, parsed, "theme:motif", d.app.log)
	if err != nil || report.Systems[0].Metrics[0].Mean < want-0.05 {
		t.Errorf("without a daemon: %v, %+v", err, report)
	}
}

func sortByScore(ids []string, scores map[string]float64) {
	slices.SortFunc(ids, func(x, y string) int { return cmp.Or(cmp.Compare(scores[y], scores[x]), cmp.Compare(x, y)) })
}
