package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/consumer"
	"kilim/daemon/demo"
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/feature"
	picture "kilim/learner/encode/image"
	"kilim/learner/model"
)

// withMediaNodes is withMedia of a model that reads media as nodes.
func withMediaNodes() Config {
	cfg := withMedia()
	cfg.Model.Media = model.MediaNodes
	return cfg
}

// compareNodes compares which nodes two sites have, with their degrees, and the features of contents to the bit.
func compareNodes(t testing.TB, got, want *site) {
	t.Helper()
	nodes := func(s *site) map[string]*graphstore.Node {
		out := map[string]*graphstore.Node{}
		s.must(s.store.View(func(r *graphstore.Reader) error {
			return r.EachNode(func(n *graphstore.Node) bool {
				out[n.Type.String()+" "+n.Key] = n
				return true
			})
		}))
		return out
	}
	have, fresh := nodes(got), nodes(want)
	if len(have) != len(fresh) {
		t.Errorf("%d nodes, want %d", len(have), len(fresh))
	}
	for key, w := range fresh {
		n := have[key]
		if n == nil {
			t.Errorf("no %s", key)
			continue
		}
		if n.Degree != w.Degree || n.Type.IsContent() && !slices.Equal(n.Features, w.Features) {
			t.Errorf("%s: degree %d, want %d, or other features", key, n.Degree, w.Degree)
		}
	}
}

// TestTwoPicturesOfOneVector: another picture is a node of its own, also where its vector leaves the artifact's features as they are.
func TestTwoPicturesOfOneVector(t *testing.T) {
	t.Parallel()
	cfg := withMediaNodes()
	cfg.Encoders.Image = blind{newFake("eye", 12)}
	s := newSite(t, cfg)
	s.must(s.apply([]change{{"a", withMediaOf("a rug", image("star"), image("hook"))}, {"b", withMediaOf("a tile", image("hook"))}}))
	for _, task := range s.tasks() { // each in a unit of its own
		a, err := s.ask(task)
		s.must(err)
		s.must(s.engine.MediaState().Answer(context.Background(), []encode.Answer{a}))
	}
	s.must(s.settle())
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for picture, members := range map[string]uint32{"star": 1, "hook": 2} {
			n, err := r.Node(graphstore.Held{Type: graphstore.Picture, Content: graphstore.ContentOf([]byte(picture))}.ID())
			if err != nil {
				return err
			}
			if n == nil || n.Members != members {
				t.Errorf("%s: %+v, want %d members", picture, n, members)
			}
		}
		return nil
	}))
}

// blind sees the same in every picture.
type blind struct{ *fakeEncoder }

func (b blind) Encode(_ context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i := range items {
		out[i].Vector = b.vector("dark")
	}
	return out
}

// TestStandbyOfMediaNodes: a state of media as features goes on as one of nodes, and back, in which records and answers that come
// meanwhile count.
func TestStandbyOfMediaNodes(t *testing.T) {
	t.Parallel()
	changes, live := mediaHistory(5, 80, 25)
	from, to := newSite(t, withMedia()), withMediaNodes()
	from.must(from.apply(changes[:60]))
	from.must(from.encodeAll())
	to.Epoch = 2
	standby := from.openStandby(t.TempDir(), to)
	standby.copyFrom(from, from.ids(), 9)
	from.must(from.apply(changes[60:]))
	standby.copyFrom(from, append(from.ids(), standby.ids()...), 9)
	standby.must(standby.encodeAll())
	standby.must(standby.engine.Standby().EndBackfill())
	standby.complete()
	standby.must(standby.engine.Standby().CutOver(from.engine, func() []string { return nil }, func() error { return nil }))
	standby.must(standby.settle())
	fresh := newSite(t, to)
	fresh.must(fresh.apply(liveChanges(live)))
	fresh.must(fresh.encodeAll())
	fresh.must(fresh.settle())
	compareKnown(t, "standby", standby.known(), fresh.known())
	compareLists(t, "standby", standby.lists(), fresh.lists())
	compareNodes(t, standby, fresh)
	standby.close()
}

// TestQueryIsJoined: a query with a picture that the archive has is joined to those that hold it, whether its bytes are encoded for one
// list or, by Embed, for all.
func TestQueryIsJoined(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMediaNodes())
	var changes []change
	for i, picture := range []string{"star", "hook", "comb", "star"} {
		changes = append(changes, change{fmt.Sprintf("a%d", i), withMediaOf(fmt.Sprintf("rug %d", i), image(picture))})
	}
	s.must(s.apply(changes))
	s.must(s.encodeAll())
	s.must(s.settle())
	answer := func(embed bool) (out []float32) {
		a := change{"q", withMediaOf("a tile", image("star"))}.item(0).Artifact
		if embed {
			_, err := s.engine.Queries().Embed(context.Background(), a)
			s.must(err)
		}
		got, err := s.engine.Queries().SimilarTo(context.Background(), a, "general", 4)
		s.must(err)
		for _, item := range got.Items {
			out = append(out, item.Score)
		}
		return out
	}
	once, all := answer(false), answer(true)
	if !slices.Equal(once, all) {
		t.Errorf("encoded for one list it scores %v, for all %v", once, all)
	}
}

// TestCheckFindsContentFaults breaks what an artifact holds and looks for the complaint.
func TestCheckFindsContentFaults(t *testing.T) {
	t.Parallel()
	star := graphstore.Held{Type: graphstore.Picture, Content: graphstore.ContentOf([]byte("star"))}
	for name, c := range map[string]struct {
		breaks func(tx *graphstore.Tx, a graphstore.NodeID) error
		want   string
	}{
		"not held": {func(tx *graphstore.Tx, a graphstore.NodeID) error {
			_, err := tx.PutContents(a, nil)
			return err
		}, "does not hold"},
		"another one": {func(tx *graphstore.Tx, a graphstore.NodeID) error {
			_, err := tx.PutContents(a, []graphstore.Held{star, {Type: graphstore.Recording, Content: star.Content}})
			return err
		}, "none of its media"},
		"other features": {func(tx *graphstore.Tx, _ graphstore.NodeID) error {
			n, err := tx.Edit(star.ID())
			if err == nil {
				n.Features[0]++
			}
			return err
		}, "not those of its vector"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := openSite(t, t.TempDir(), withMediaNodes(), graphstore.Options{SyncWrites: graphstore.NoSync})
			if err != nil {
				t.Fatal(err)
			}
			defer s.store.Close()
			s.must(s.apply([]change{{"a", withMediaOf("a", image("star"))}}))
			s.must(s.encodeAll())
			tx := s.store.Begin()
			defer tx.Discard()
			s.must(c.breaks(tx, graphstore.ID(graphstore.Artifact, "a")))
			s.must(tx.Commit())
			var faults []string
			s.must(s.engine.Check(func(f string) { faults = append(faults, f) }))
			if !strings.Contains(strings.Join(faults, "\n"), c.want) {
				t.Errorf("faults %q, want one with %q", faults, c.want)
			}
		})
	}
}

// BenchmarkMedia applies the demo archive, with its pictures and melodies by the built-in encoders, to a model that reads them as features
// and to one that reads them as nodes too: what a newcomer costs when its media are encoded and all has settled. KILIM_RECORDS asks for
// another number of records than 1,000.
func BenchmarkMedia(b *testing.B) {
	eye, err := picture.New(picture.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	ear, err := audio.New(audio.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	encoders := encode.Encoders{Image: encode.Local(eye, 1), Audio: encode.Local(ear, 1)}
	items := demoRecords(b, demo.Options{Artifacts: recordsAsked(b), Seed: 1, Media: true})
	for _, media := range []string{model.MediaFeatures, model.MediaNodes} {
		for _, epsilon := range []float32{0, defaults().Epsilon} {
			b.Run(fmt.Sprintf("%s/%v", media, epsilon), func(b *testing.B) {
				for b.Loop() {
					cfg := defaults()
					cfg.Encoders, cfg.Epsilon, cfg.Engine, cfg.MaxOutbox = encoders, epsilon, "flat", 1<<30
					cfg.Text, cfg.Model = Sizes(encoders)
					cfg.Model.Media = media
					var w written
					s, err := openSite(b, b.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync, Wrote: w.wrote})
					if err != nil {
						b.Fatal(err)
					}
					cpu, n := time.Duration(0), float64(len(items))
					for chunk := range slices.Chunk(items, 20) {
						begun := processorTime(b)
						s.must(s.engine.Apply(b.Context(), &consumer.Batch{Items: chunk, Next: []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}}))
						s.must(s.settle())
						cpu += processorTime(b) - begun
						var answers []encode.Answer
						for _, task := range s.tasks() {
							a, err := s.ask(task)
							s.must(err)
							answers = append(answers, a)
						}
						begun = processorTime(b)
						s.must(s.engine.MediaState().Answer(b.Context(), answers))
						s.must(s.settle())
						cpu += processorTime(b) - begun
					}
					b.ReportMetric(float64(cpu.Microseconds())/n, "cpu-µs/record")
					b.ReportMetric(testutil.ToFloat64(s.engine.metrics.refreshed)/n, "embedded/record")
					s.must(s.store.View(func(r *graphstore.Reader) error {
						kinds, err := r.RowKinds()
						for _, k := range kinds {
							if k.Name == "nodes" || k.Name == "further vectors of nodes" || k.Name == "edges" {
								b.ReportMetric(float64(k.Bytes)/n, strings.ReplaceAll(k.Name, " ", "-")+"-bytes/record")
							}
						}
						return err
					}))
					w.report(b, len(items))
					s.must(s.store.Close())
				}
			})
		}
	}
}
