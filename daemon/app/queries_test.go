package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/queries"
	"kilim/daemon/web"
	"kilim/internal/cputime"
)

// toldList is a list in a message of a standing query.
type toldList struct {
	ID       string                         `json:"id"`
	Revision uint64                         `json:"revision"`
	Lists    map[string][]web.LearnedItem   `json:"lists"`
	Changes  map[string]map[string][]string `json:"changes"`
	Cause    []string                       `json:"cause"`
}

func (d *daemon) change(method, path, body string, want int) []byte {
	d.t.Helper()
	_, res, answer := d.request(method, path, "application/json", []byte(body))
	if res.StatusCode != want {
		d.t.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, answer, want)
	}
	return answer
}

// standsAsAsked waits until each query's topic ends, and the daemon tells of it, with what an ask is answered, and returns what was told of them.
func (d *daemon) standsAsAsked(records map[string]string) (told map[string][]toldList) {
	d.t.Helper()
	d.await("the queries are told", func() error {
		var status web.Status
		if d.get("/api/v1/status", &status); status.Outbox > 0 || status.RefreshQueue > 0 {
			return fmt.Errorf("%d messages and %d refreshes wait", status.Outbox, status.RefreshQueue)
		}
		told = map[string][]toldList{}
		for _, m := range d.read(d.cfg.Kafka.Topics.QueryLists) {
			var u toldList
			if m.Value != nil {
				if err := json.Unmarshal(m.Value, &u); err != nil || u.ID != string(m.Key) {
					d.t.Fatalf("%s: %s (%v)", m.Key, m.Value, err)
				}
			}
			told[string(m.Key)] = append(told[string(m.Key)], u)
		}
		for name, record := range records {
			var asked web.Asked
			if err := json.Unmarshal(d.change(http.MethodPost, "/api/v1/ask", record, http.StatusOK), &asked); err != nil {
				d.t.Fatal(err)
			}
			var one web.StandingQuery
			d.get("/api/v1/queries/"+name, &one)
			all := told[name]
			if len(all) == 0 || one.Revision != all[len(all)-1].Revision || one.Failure != "" {
				return fmt.Errorf("%q: %d are told, and it stands at revision %d: %q", name, len(all), one.Revision, one.Failure)
			}
			for _, list := range asked.Lists[:2] {
				is, served := all[len(all)-1].Lists[list.Name], one.Lists[list.Name]
				if len(is) != len(list.Items) || len(served) != len(is) {
					return fmt.Errorf("%q: %d are told in %s, %d served, %d found", name, len(is), list.Name, len(served), len(list.Items))
				}
				for i := range is {
					if is[i].ID != list.Items[i].ID || math.Abs(is[i].Score-list.Items[i].Score) > d.cfg.Lists.Tolerance || served[i].ID != is[i].ID {
						return fmt.Errorf("%q: told in %s is %+v, found %+v", name, list.Name, is[i], list.Items[i])
					}
				}
			}
		}
		return nil
	})
	return told
}

// TestQueriesAreTold: standing queries, one with a picture, are told what an ask is answered with, as artifacts come, change and go, with the cause; they are nobody's entry and no
// artifact; after a start nothing is told again, and a query that is removed ends with a tombstone. A check of the folder agrees.
func TestQueriesAreTold(t *testing.T) {
	t.Parallel()
	const all = 30
	a := newLabelledArchive(4, all)
	records := map[string]string{
		"words":   `{"title":"wordaq0 noise1 noise2","description":"noise3 wordaq4"}`,
		"t1":      `{"id":"t:1","title":"wordcq1 noise5"}`, // without the artifact itself
		"picture": `{"title":"noise1","media":[{"kind":"image","data":"` + dot + `"}]}`,
	}
	cfg := testConfig(t)
	d := start(t, cfg)
	for name, record := range records {
		d.change(http.MethodPost, "/api/v1/queries", fmt.Sprintf(`{"name":%q,"record":%s}`, name, record), http.StatusOK)
	}
	d.feed(a.messages(t, 0, all-5, false)...)
	d.settle(all - 5)
	d.standsAsAsked(records)
	d.feed(a.messages(t, all-5, all, false)...)
	d.feed(kafka.Message{Key: []byte(a.ids[0])})
	d.feed(artifact("new", `"title":"wordaq0 noise1 noise2","description":"noise3 wordaq4"`))
	s := d.settle(all)
	told := d.standsAsAsked(records)
	last := told["words"][len(told["words"])-1]
	if best := last.Lists["total"][0]; best.ID != "new" || s.Artifacts != all {
		t.Errorf("the best of what is asked is %+v, of %d artifacts", best, s.Artifacts)
	}
	caused := false
	for _, u := range told["words"] {
		for _, id := range u.Cause {
			caused = caused || id == "new"
		}
	}
	if !caused {
		t.Errorf("the newcomer is no cause: %+v", told["words"])
	}
	for _, name := range []string{"words", "query", "picture"} {
		if code := d.get("/api/v1/artifacts/"+name, nil); code != http.StatusNotFound {
			t.Errorf("artifact %q: %d", name, code)
		}
	}
	for _, list := range last.Lists {
		for _, e := range list {
			if e.ID == "" || e.ID == "words" {
				t.Errorf("%+v", e)
			}
		}
	}
	d.change(http.MethodPost, "/api/v1/queries", `{"name":"x","record":{}}`, http.StatusBadRequest)
	d.end()
	waiting, err := Check(cfg, slog.New(slog.DiscardHandler), func(fault string) { t.Error(fault) })
	if err != nil || waiting != 0 {
		t.Errorf("%d wait (%v)", waiting, err)
	}

	d = start(t, cfg)
	d.settle(all)
	d.await("the topic is read", func() error {
		var now web.StandingQueries
		if d.get("/api/v1/queries", &now); !now.Complete || len(now.Queries) != len(records) {
			return fmt.Errorf("%+v", now)
		}
		return nil
	})
	again := d.standsAsAsked(records)
	for name := range records {
		if len(again[name]) != len(told[name]) {
			t.Errorf("%q: %d messages, before the start %d", name, len(again[name]), len(told[name]))
		}
	}
	d.change(http.MethodDelete, "/api/v1/queries/t1", "", http.StatusNoContent)
	d.change(http.MethodDelete, "/api/v1/queries/t1", "", http.StatusNotFound)
	d.await("the tombstone", func() error {
		msgs := d.read(cfg.Kafka.Topics.QueryLists)
		if m := msgs[len(msgs)-1]; string(m.Key) != "t1" || m.Value != nil {
			return fmt.Errorf("%s: %s", m.Key, m.Value)
		}
		return nil
	})
	d.end()
}

// TestWhatAQueryCosts prints what it takes to ask one of an archive of so many.
func TestWhatAQueryCosts(t *testing.T) {
	if testing.Short() || !testing.Verbose() {
		t.Skip("prints a figure: go test -v -run TestWhatAQueryCosts ./daemon/app")
	}
	const all = 3000
	a := newLabelledArchive(4, all)
	d := start(t, testConfig(t))
	d.feed(a.messages(t, 0, all, false)...)
	d.settle(all)
	q := queries.Query{Name: "q", Record: json.RawMessage(`{"title":"wordaq0 noise1 noise2","description":"wordbq1 wordcq2 noise9"}`)}
	artifact, err := q.Artifact()
	if err != nil {
		t.Fatal(err)
	}
	const asks = 50
	before := cputime.Spent()
	for range asks {
		if _, err := (askedOf{d.app}).Ask(t.Context(), artifact); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d artifacts: %v of a processor an answer", all, (cputime.Spent()-before)/asks)
	d.end()
}
