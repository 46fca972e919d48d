package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/cultures"
	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/web"
)

// culturesTold waits until what the topic of cells ends with is what is served, each cosine to within a step, overall and in themes, and returns it with how many
// messages there are.
func (d *daemon) culturesTold(themes ...string) (last map[string]cultures.Cell, messages int) {
	d.t.Helper()
	d.await("the cells are told", func() error {
		var status web.Status
		if d.get("/api/v1/status", &status); status.Outbox > 0 || status.RefreshQueue > 0 {
			return fmt.Errorf("%d messages and %d refreshes wait", status.Outbox, status.RefreshQueue)
		}
		all := d.read(d.cfg.Kafka.Topics.Cultures)
		last, messages = map[string]cultures.Cell{}, len(all)
		for _, m := range all {
			var c cultures.Cell
			if m.Value == nil {
				delete(last, string(m.Key))
			} else if err := json.Unmarshal(m.Value, &c); err != nil {
				d.t.Fatalf("%s: %v", m.Value, err)
			} else {
				last[string(m.Key)] = c
			}
		}
		served := 0
		for _, theme := range append([]string{""}, themes...) {
			for _, kind := range atlas.Kinds() {
				query := url.Values{"kind": {kind}, "k": {"20"}}
				if theme != "" {
					query.Set("theme", theme)
				}
				var a atlas.Answer
				if code := d.get("/api/v1/cultures?"+query.Encode(), &a); code != 200 || a.Theme != theme {
					return fmt.Errorf("%s, theme %q: status %d", kind, theme, code)
				}
				for _, c := range a.Cells {
					served++
					t, ok := last[cultures.Key(kind, theme, c.A, c.B)]
					if !ok || t.Model != a.Model || theme == "" && t.Epoch != a.Epoch || c.Since == nil || !c.Since.Equal(t.Since) || !says(&t, &c) {
						return fmt.Errorf("%s, theme %q: told is %+v, served %+v", kind, theme, t, c)
					}
				}
			}
		}
		if served != len(last) || served == 0 {
			return fmt.Errorf("%d cells are told, %d served", len(last), served)
		}
		return nil
	})
	return last, messages
}

// says tells whether what was told of a cell is what is served: nothing of it is still to be told.
func says(told *cultures.Cell, served *atlas.Cell) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) <= cultures.Step }
	return near(told.Mean, served.Mean) && near(told.Low, served.Low) && near(told.High, served.High) && near(told.Contrast, served.Contrast) &&
		math.Abs(float64(told.Pairs-served.Pairs)) <= 0.1*float64(told.Pairs) && slices.EqualFunc(told.Nearest, served.Nearest, func(t, s atlas.Pair) bool {
		same := t.A == s.A && t.B == s.B || served.B < served.A && t.A == s.B && t.B == s.A
		return same && near(t.Cosine, s.Cosine)
	})
}

// TestCulturesAreTold feeds records of three cultures: the topic of cells ends with what is served, overall and in a theme, as artifacts come, go to another culture and
// leave one empty, and after a start, which tells nothing again. A check of the folder agrees.
func TestCulturesAreTold(t *testing.T) {
	t.Parallel()
	const all, labelled = 48, 36
	a := newLabelledArchive(3, all)
	cultureOf := func(i int, name string) kafka.Message {
		a.records[i]["culture"] = []string{name}
		return a.messages(t, i, i+1, i < labelled)[0]
	}
	cfg := testConfig(t)
	cfg.Themes.Least = 10
	d := start(t, cfg)
	var records []kafka.Message
	for i := range all {
		if i < labelled {
			records = append(records, cultureOf(i, []string{"Oruvel", "Tamsheri | the old"}[i%2]))
		} else {
			records = append(records, cultureOf(i, "Kelunda")) // without labels: what is done to them has no other model fitted
		}
	}
	d.feed(records...)
	d.settle(all)
	d.learned(labelled)
	const theme = "religion, belief"
	cells, _ := d.culturesTold("motif", theme)
	key := cultures.Key("culture", theme, "tamsheri | the old", "oruvel")
	if c := cells[key]; key != "culture|oruvel|tamsheri %7C the old|religion, belief" || c.A.Label != "Oruvel" || c.Pairs == 0 || len(c.Nearest) == 0 || c.Low > c.Mean || c.High < c.Mean {
		t.Errorf("%q is %+v", key, c)
	}

	for i := labelled; i < all; i++ { // Kelunda is left
		records[i] = cultureOf(i, "Oruvel")
	}
	d.feed(append(records[labelled:], kafka.Message{Key: []byte(a.ids[labelled])})...)
	d.settle(all - 1)
	cells, _ = d.culturesTold("motif", theme)
	if c := cells[cultures.Key("culture", "", "oruvel", "oruvel")]; c.A.Artifacts != 18+11 || len(cells) != 9 {
		t.Errorf("%d cells, and of Oruvel %+v", len(cells), c)
	}

	_, before := d.culturesTold("motif", theme)
	d.end()
	waiting, err := Check(cfg, slog.New(slog.DiscardHandler), func(fault string) { t.Error(fault) })
	if err != nil || waiting != 0 {
		t.Errorf("%d wait (%v)", waiting, err)
	}
	d = start(t, cfg)
	d.settle(all - 1)
	if _, after := d.culturesTold("motif", theme); after != before {
		t.Errorf("after a start there are %d messages, before %d", after, before)
	}
	d.end()
}
