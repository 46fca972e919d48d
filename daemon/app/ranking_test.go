package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kilim/daemon/browse"
	"kilim/daemon/judgments"
	"kilim/daemon/web"
)

// vases are in sets of three by subject, and each is most like those of another set by all else.
func vase(i int) (id, fields string) {
	look := i % 20
	return fmt.Sprintf("v/%d", i), fmt.Sprintf(`"title":"Vase","subject":["subject %d"],"material":["material %d"],"technique":["technique %d"],"description":"glaze%cx glaze%cy glaze%cz"`,
		i/3, look, look, 'a'+look, 'a'+look, 'a'+look)
}

func (d *daemon) body(path string) []byte {
	d.t.Helper()
	res, err := http.Get("http://" + d.app.HTTP().String() + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: status %d, %v: %s", path, res.StatusCode, err, b)
	}
	return b
}

// ranks waits until the learned order serves, or does not, and returns where it stands.
func (d *daemon) ranks(serves bool) (r web.Ranking) {
	d.t.Helper()
	for deadline := time.Now().Add(hang); ; time.Sleep(10 * time.Millisecond) {
		if d.get("/api/v1/ranking", &r) == http.StatusOK && r.Serving == serves {
			return r
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("serving is not %v: %+v", serves, r)
		}
	}
}

// TestJudgmentsOrderLists: what people judge alike comes first in the lists of what nobody judged, with parts that sum to each score, in every answer and by
// another model too; while too few judgments are left, every answer is to the byte what it was.
func TestJudgmentsOrderLists(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Rank.Least = 13
	// The ranker reads words as the state does, and who checks the folder in the end by the same spellings.
	cfg.Encoders.Text.Spellings = filepath.Join(t.TempDir(), "spellings")
	if err := os.WriteFile(cfg.Encoders.Text.Spellings, []byte("kilim-spellings 1\nwords glazeax glazebx glazecx\nwords glazeay glazeby\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// So that lists are a function of the archive, whenever they are computed.
	cfg.Refresh.Sweep, cfg.Refresh.Epsilon, cfg.Lists.Tolerance = 0, 0, 0
	d := start(t, cfg)
	for i := range 60 {
		d.feed(artifact(vase(i)))
	}
	d.settle(60)
	const asked = "/api/v1/artifacts/v%2F57"
	paths := []string{asked + "/similar", asked + "/similar?k=55", asked + "/similar?list=general", asked + "/list", asked + "/view", "/api/v1/artifacts/v%2F3/similar?k=1"}
	before := map[string][]byte{}
	for _, path := range paths {
		before[path] = d.body(path)
	}
	if r := d.ranks(false); r.Judgments != 0 || r.Last != nil {
		t.Errorf("without judgments: %+v", r)
	}
	if s := d.settle(60); s.Ranking != nil {
		t.Errorf("without judgments: %+v", s.Ranking)
	}
	stated := d.publishedIn("")
	d.judge(0, 13)
	r := d.ranks(true)
	d.settle(60)
	d.republished(stated, d.publishedIn("ranker"))
	if r.Last.Gate == nil || !(r.Last.Gate.Gain.Low > 0) || r.Judgments == 0 {
		t.Errorf("%+v", r)
	}
	d.inLearnedOrder(asked)
	is, id := d.described(), map[string]string{"id": "v/57"}
	for _, q := range []question{
		{operation: "similar", path: id, query: url.Values{"k": {"55"}}, want: 200}, {operation: "view", path: id, want: 200}, {operation: "list", path: id, want: 200},
		{operation: "similarTo", body: `{"title":"Vase"}`, want: 200}, {operation: "ranking", want: 200},
	} {
		is.holds(q)
	}
	var asking web.Asked
	if err := json.Unmarshal(is.holds(question{operation: "ask", body: `{"title":"Vase","subject":["subject 19"]}`, want: 200}), &asking); err != nil || asking.Lists[0].Learned != 13 || asking.Lists[1].Learned != 0 {
		t.Errorf("what is asked for something new: %v, %+v", err, asking)
	}
	if !bytes.Equal(d.body(asked+"/similar?list=general"), before[asked+"/similar?list=general"]) {
		t.Error("the list general has changed")
	}
	for _, other := range []string{"v/1", "v/2"} {
		if err := d.app.judgments.Undo(t.Context(), "v/0", other, ""); err != nil {
			t.Fatal(err)
		}
	}
	d.ranks(false)
	d.settle(60) // stored lists are as long as before, and so is in how many an artifact is
	for _, path := range paths {
		if after := d.body(path); !bytes.Equal(after, before[path]) {
			t.Errorf("%s: %s\nbefore judgments %s", path, after, before[path])
		}
	}
	// Each artifact is told when the ranker serves and when it does not any more. What was judged between the two that were taken back is enough for one more ranker,
	// which serves in between if there is time for its fit.
	for id, last := range d.publishedIn("") {
		if was, told := stated[id], last.messages-stated[id].messages; told < 2 || told > 3 || last.scores("total") != was.scores("total") {
			t.Errorf("%s is told %d times, %d before judgments: %s, then %s", id, last.messages, was.messages, last.scores("total"), was.scores("total"))
		}
	}
	d.judge(0, 1)
	d.ranks(true)
	other := d.another()
	d.post(fmt.Sprintf("/api/v1/models/%d/promote", other.Epoch), http.StatusAccepted)
	d.serves(other.Epoch)
	for d.ranks(true).Last.Epoch != other.Epoch {
	}
	d.inLearnedOrder(asked)
	d.settle(60)
	d.end()
}

// judge says that the vases of some sets are alike.
func (d *daemon) judge(from, to int) {
	d.t.Helper()
	for set := from; set < to; set++ {
		for _, other := range []int{1, 2} {
			if err := d.app.judgments.Write(d.t.Context(), &judgments.Judgment{A: fmt.Sprintf("v/%d", 3*set), B: fmt.Sprintf("v/%d", 3*set+other), Grade: 1, By: "Ada"}); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// inLearnedOrder checks the lists of an artifact of which nobody judged anything.
func (d *daemon) inLearnedOrder(path string) {
	d.t.Helper()
	var a web.LearnedAnswer
	for _, k := range []int{10, 55} {
		if err := json.Unmarshal(d.body(fmt.Sprintf("%s/similar?k=%d", path, k)), &a); err != nil {
			d.t.Fatal(err)
		}
		if a.ID != "v/57" || len(a.Items) != k || a.Order.Questions != 13 {
			d.t.Fatalf("%d places, %+v", len(a.Items), a.Order)
		}
	}
	first := map[string]bool{a.Items[0].ID: true, a.Items[1].ID: true}
	if !first["v/58"] || !first["v/59"] {
		d.t.Errorf("first are %v", first)
	}
	for _, item := range a.Items {
		sum := 0.0
		for _, part := range item.Parts { // in any order
			sum += part
		}
		if sum != item.Score {
			d.t.Errorf("the parts of %s sum to %v, its score is %v", item.ID, sum, item.Score)
		}
	}
	var v browse.View
	if err := json.Unmarshal(d.body(path+"/view"), &v); err != nil {
		d.t.Fatal(err)
	}
	if total := v.Lists[0]; total.Learned != 13 || total.Items[0].ID != a.Items[0].ID || total.Items[0].Score != a.Items[0].Score || v.Lists[1].Learned != 0 {
		d.t.Errorf("the page shows %+v", v.Lists)
	}
	_, fields := vase(57)
	res, err := http.Post("http://"+d.app.HTTP().String()+"/api/v1/similar", "application/json", bytes.NewReader([]byte(fmt.Sprintf(`{"title":"New",%s}`, fields[len(`"title":"Vase",`):]))))
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil || a.ID != "query" || a.Order.Questions != 13 {
		d.t.Errorf("what is not stored: %v, %+v", err, a)
	}
}
