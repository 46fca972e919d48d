package standby

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/learner/train/registry"
)

// TestCutOverAfterAUnitFailed cuts over at the moment at which the Manager hears that a unit of the engine that serves has failed, of
// a batch or of the record alone: the cutover meets the engine that has taken the failed one's place, and the rest of the batch
// is applied to the standby.
func TestCutOverAfterAUnitFailed(t *testing.T) {
	t.Parallel()
	for _, failure := range []string{"a batch can't be applied", "a record can't be applied"} {
		t.Run(failure, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := models.Add(registry.Model{Seed: 2}); err != nil {
				t.Fatal(err)
			}
			heard := func(slog.Record) {}
			l, err := openWith(t, dir, newTopic(), models, nil, func(c *Config) {
				c.Log = slog.New(&listener{func(r slog.Record) { heard(r) }})
			})
			if err != nil {
				t.Fatal(err)
			}
			l.ctx = t.Context()
			m := l.manager
			changes, _ := history(13, 40, 20)
			l.must(l.apply(changes, 30, 8), m.Promote(2))
			building, b := m.nextBuild(t.Context())
			if b.standby, err = m.openStandby(b.id); err != nil {
				t.Fatal(err)
			}
			b.from.follow(b.changes.add)
			l.must(b.backfill(building), b.complete(building))

			times := 0
			heard = func(r slog.Record) {
				if strings.HasPrefix(r.Message, failure) {
					times++
					if err := b.cutOver(); err != nil {
						t.Errorf("the cutover after %q: %v", r.Message, err)
					}
				}
			}
			bad := 33
			l.must(l.applyItems(func(i int) consumer.Item {
				it := item(changes[i], int64(i))
				if i == bad {
					it = poisoned(item(change{changes[i].id, map[string]any{"title": "star"}}, int64(i)))
				}
				return it
			}, len(changes), len(changes)))
			if times != 1 || m.Status().Serving.Number != 2 {
				t.Errorf("%d cutovers, and %+v serves: want one cutover, to instance 2", times, m.Status().Serving)
			}
			ended, end := context.WithCancel(t.Context())
			end()
			l.must(l.publish(ended)) // what there is
			refused := l.topic.reasons()
			if r := refused[changes[bad].id]; len(refused) != 1 || len(r) != 1 || !strings.Contains(r[0], profile.ReasonUnprocessable) {
				t.Errorf("refused are %v, want record %d alone", refused, bad)
			}
			l.check()
			b.cancel(nil)
			l.must(m.Close())
		})
	}
}
