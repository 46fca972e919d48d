package app

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/browse"
	"kilim/daemon/themes/stored"
	"kilim/daemon/web"
)

// told is what a theme's topic ends with for an artifact.
type told struct {
	Model   string
	Lists   map[string][]struct{ ID string }
	Changes map[string]struct{ Entered []string }
	Cause   []string
}

// themeLists waits until the lists of themes are all made and published, and holds each that is told against the one that is served. It returns all
// messages of a theme's topic and what that ends with.
func (d *daemon) themeLists(theme string) (all []kafka.Message, last map[string]told) {
	d.t.Helper()
	d.await("the lists of themes are published", func() error {
		var now web.Themes
		var status web.Status
		d.get("/api/v1/themes", &now)
		if d.get("/api/v1/status", &status); now.Model == nil || now.Waiting > 0 || now.Phase != "idle" || now.Due > 0 || now.Lists == 0 || status.Outbox > 0 {
			return fmt.Errorf("%+v, %d messages wait", now, status.Outbox)
		}
		return nil
	})
	var now web.Themes
	d.get("/api/v1/themes", &now)
	all, last = d.read(stored.Topic(d.cfg.Kafka.Topics.Similar, theme)), map[string]told{}
	for _, m := range all {
		if m.Value == nil {
			delete(last, string(m.Key))
			continue
		}
		var l told
		if err := json.Unmarshal(m.Value, &l); err != nil {
			d.t.Fatalf("%v: %s", err, m.Value)
		}
		last[string(m.Key)] = l
	}
	name := "theme:" + theme
	for id, l := range last {
		var a web.ThemeAnswer
		if code := d.get("/api/v1/artifacts/"+id+"/similar?list="+queryEscape(name), &a); code != 200 || a.Model.ID != l.Model || l.Model != now.Model.ID || len(a.Items) != len(l.Lists[name]) {
			d.t.Fatalf("%s of %s: status %d, served is %+v, told was %+v", name, id, code, a, l)
		}
		for i, item := range l.Lists[name] {
			if a.Items[i].ID != item.ID {
				d.t.Fatalf("%s of %s: served is %+v, told was %+v", name, id, a, l)
			}
		}
	}
	return all, last
}

// themePasts wants each list of a theme to have a history whose turns are the messages of its topic, and pairs to have scores in it. It returns the histories.
func (d *daemon) themePasts(theme string, messages []kafka.Message, last map[string]told) map[string]browse.History {
	d.t.Helper()
	list := "theme:" + theme
	turns := map[string]int{}
	before := map[string]string{}
	for _, m := range messages {
		var l told
		if m.Value == nil {
			delete(turns, string(m.Key))
			delete(before, string(m.Key))
			continue
		}
		if err := json.Unmarshal(m.Value, &l); err != nil {
			d.t.Fatal(err)
		}
		if now := fmt.Sprint(l.Lists[list]); before[string(m.Key)] != now {
			before[string(m.Key)] = now
			turns[string(m.Key)]++
		}
	}
	out := map[string]browse.History{}
	changed := 0
	for id, l := range last {
		var h browse.History
		if code := d.get("/api/v1/artifacts/"+id+"/history?list="+queryEscape(list)+"&since=1999-12-31", &h); code != 200 {
			d.t.Fatalf("history of %s: status %d", id, code)
		}
		// The first list of all is a turn too, since a day before it.
		if out[id] = h; h.Complete && len(h.Turns) != turns[id] || len(h.Turns) > turns[id] || h.KnownSince.Year() < 2020 {
			d.t.Errorf("history of %s: %+v; %d lists were told", id, h, turns[id])
		}
		changed += max(0, len(h.Turns)-1)
		if len(l.Lists[list]) == 0 {
			continue
		}
		var why browse.Why
		d.get("/api/v1/artifacts/"+id+"/why?with="+l.Lists[list][0].ID, &why)
		if why.Met == nil || !slices.ContainsFunc(why.Met.Scores, func(s browse.Scored) bool { return s.List == list && s.Until == nil && s.Score > 0 }) {
			d.t.Errorf("%s and %s: %+v", id, l.Lists[list][0].ID, why.Met)
		}
	}
	if changed == 0 {
		d.t.Error("no list of the theme has changed")
	}
	return out
}

// TestThemeListsAreTold declares themes on a daemon that works: their lists are published in topics of their own, a newcomer is told into the
// lists of others, a deletion out of them, and another model of embeddings, which they do not depend on, changes nothing.
func TestThemeListsAreTold(t *testing.T) {
	t.Parallel()
	const labelled, all = 60, 66
	a := newLabelledArchive(2, all)
	cfg := testConfig(t)
	d := start(t, cfg)
	d.feed(a.messages(t, 0, labelled, true)...)
	d.settle(labelled)
	for _, name := range []string{"motif", "religion, belief"} {
		d.send("/api/v1/themes", fmt.Appendf(nil, `{"name":%q}`, name), 202, new(web.Themes))
	}
	d.await("both themes are learned", func() error {
		var now web.Themes
		if d.get("/api/v1/themes", &now); now.Served < 2 {
			return fmt.Errorf("%+v", now)
		}
		return nil
	})
	for _, name := range []string{"motif", "religion, belief"} {
		if messages, last := d.themeLists(name); len(last) == 0 || len(messages) < len(last) {
			t.Errorf("%s: %d messages, of %d artifacts", name, len(messages), len(last))
		}
	}
	d.feed(a.messages(t, labelled, all, false)...)
	d.settle(all)
	messages, last := d.themeLists("motif")
	others := 0
	for _, m := range messages {
		var l told
		if m.Value == nil || json.Unmarshal(m.Value, &l) != nil || slices.Contains(a.ids[labelled:], string(m.Key)) {
			continue
		}
		for _, id := range l.Changes["theme:motif"].Entered {
			if slices.Contains(a.ids[labelled:], id) && slices.Contains(l.Cause, id) {
				others++
			}
		}
	}
	if others == 0 {
		t.Error("no newcomer was told into another's list because of its record")
	}

	gone := "" // one without labels: else another model would be fitted
	for _, id := range a.ids[labelled:] {
		if len(last[id].Lists) > 0 {
			gone = id
		}
	}
	d.feed(kafka.Message{Key: []byte(gone)})
	d.settle(all - 1)
	messages, last = d.themeLists("motif")
	if _, there := last[gone]; there {
		t.Errorf("%s is gone, and its list is told", gone)
	}
	for id, l := range last {
		for _, item := range l.Lists["theme:motif"] {
			if item.ID == gone {
				t.Errorf("%s is gone, and in the list of %s", gone, id)
			}
		}
	}

	pasts := d.themePasts("motif", messages, last)
	if code := d.get("/api/v1/artifacts/"+gone+"/history?list=theme:motif", nil); code != 404 {
		t.Errorf("history of what is gone: status %d", code)
	}

	other := d.another()
	d.post(fmt.Sprintf("/api/v1/models/%d/promote", other.Epoch), 202)
	d.serves(other.Epoch)
	if now, _ := d.themeLists("motif"); len(now) != len(messages) {
		t.Errorf("%d messages after a cutover, before it %d", len(now), len(messages))
	}
	if again := d.themePasts("motif", messages, last); !reflect.DeepEqual(again, pasts) {
		t.Error("histories differ after a cutover")
	}
	d.end()
}
