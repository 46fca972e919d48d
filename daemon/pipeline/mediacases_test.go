package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
)

// TestListsFollowMedia: an encoded picture moves its artifact, and the lists that change by it are published.
func TestListsFollowMedia(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMedia())
	var changes []change
	for i, picture := range []string{"star", "hook", "comb", "star", "eye", "ram"} {
		changes = append(changes, change{fmt.Sprintf("a%d", i), withMediaOf("a rug", image(picture))})
	}
	s.must(s.apply(changes))
	s.must(s.settle())
	before, _ := s.published()
	s.must(s.encodeAll())
	if s.engine.pending() == 0 {
		t.Error("nothing is pending after the answers")
	}
	s.must(s.settle())
	after, _ := s.published()
	if first := after["a0"].Lists.Get("general")[0]; first.ID != "a3" || first.Score < 0.999 {
		t.Errorf("nearest to the first is %q at %v, want the one of the same picture", first.ID, first.Score)
	}
	if after["a0"].Revision == before["a0"].Revision || sameLists(after["a0"].Lists, before["a0"].Lists) {
		t.Error("its lists were not published again")
	}
}

func (s *site) row(id string, typ graphstore.Type, i int) *graphstore.Media {
	s.t.Helper()
	var row *graphstore.Media
	s.must(s.store.View(func(r *graphstore.Reader) (err error) {
		row, err = r.Media(graphstore.ID(typ, fmt.Sprintf("%s\x00%d", id, i)))
		return err
	}))
	return row
}

// TestOutdatedAnswer: an answer to what a record asked before it was replaced changes nothing.
func TestOutdatedAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMedia())
	s.must(s.apply([]change{{"a", withMediaOf("a", image("star"))}, {"b", withMediaOf("b", image("comb"))}}))
	var answers []encode.Answer
	for _, task := range s.tasks() {
		a, err := s.ask(task)
		s.must(err)
		answers = append(answers, a)
	}
	s.must(s.apply([]change{{"a", withMediaOf("a", image("hook"))}, {id: "b"}}))
	s.must(s.engine.MediaState().Answer(context.Background(), answers))
	if row := s.row("a", graphstore.Image, 0); row.State != graphstore.MediaWaiting {
		t.Errorf("the row is %+v", row)
	}
	if row := s.row("b", graphstore.Image, 0); row != nil {
		t.Errorf("a deleted artifact has %+v", row)
	}
	if d := s.engine.Media().Queue().Depth("image"); d.Waiting != 1 {
		t.Errorf("%d wait, want 1", d.Waiting)
	}
	s.must(s.encodeAll())
	if want := s.cfg.Encoders.Image.(*fakeEncoder).vector("hook"); !slices.Equal(s.known()["a"].Image[0], want) {
		t.Error("the vector is another one")
	}
}

// stalling never answers before ctx ends, while it stalls.
type stalling struct {
	*fakeEncoder
	stalls bool
}

func (s *stalling) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	if !s.stalls {
		return s.fakeEncoder.Encode(ctx, items)
	}
	<-ctx.Done()
	return []feature.Result{{Err: ctx.Err()}}
}

// TestQueryWithMedia: a picture in a query counts; one that can't be encoded, or not in time, does not, and the
// query is answered.
func TestQueryWithMedia(t *testing.T) {
	t.Parallel()
	cfg := withMedia()
	enc := &stalling{fakeEncoder: newFake("eye", 12)}
	cfg.Encoders.Image = enc
	s := newSite(t, cfg)
	var changes []change
	for i, picture := range []string{"star", "hook", "comb", "eye", "ram"} {
		changes = append(changes, change{fmt.Sprintf("a%d", i), withMediaOf("a rug", image(picture))})
	}
	s.must(s.apply(changes))
	s.must(s.encodeAll())
	s.must(s.settle())
	query := func(picture string) string {
		a := change{"q", withMediaOf("a rug", image(picture), map[string]any{"kind": "image", "uri": "http://example.org/i.png"})}.item(0).Artifact
		answer, err := s.engine.Queries().SimilarTo(context.Background(), a, "general", 1)
		s.must(err)
		return answer.Items[0].ID
	}
	for i, picture := range []string{"star", "hook", "comb"} {
		if got, want := query(picture), fmt.Sprintf("a%d", i); got != want {
			t.Errorf("nearest to a query with %q is %s, want %s", picture, got, want)
		}
	}
	query("bad picture")
	enc.stalls = true
	query("a new picture")
}

// TestAnotherEncoder: a state of one encoder is refused to another; a standby of the other takes over the vectors of the encoders
// that stay, asks the new one about the rest, and in the end is what a site would be that had it from the start.
func TestAnotherEncoder(t *testing.T) {
	t.Parallel()
	changes, live := mediaHistory(3, 80, 25)
	s := newSite(t, withMedia())
	s.must(s.apply(changes[:70]))
	s.must(s.encodeAll())
	s.must(s.settle())

	cfg := withMedia()
	cfg.Epoch = 2
	cfg.Encoders.Image, cfg.Model.Image = newFake("eagle", 9), 9
	s.must(s.store.View(func(r *graphstore.Reader) error {
		ids, err := encode.Recorded(r)
		if err != nil || ids["image"] != withMedia().Encoders.Image.Identity() || len(ids) != 2 {
			t.Errorf("the state names the encoders %v, %v", ids, err)
		}
		return nil
	}))
	other := cfg
	other.Epoch = 1
	if _, err := Open(other, s.store, s.engine.metrics, func() {}, s.engine.log); err == nil || !strings.Contains(err.Error(), "eagle v1, 9 numbers") {
		t.Errorf("opened with another encoder: %v", err)
	}

	standby := s.openStandby(t.TempDir(), cfg)
	standby.copyFrom(s, s.ids(), 9)
	standby.must(standby.encodeAll())
	s.must(s.apply(changes[70:]))
	standby.copyFrom(s, append(s.ids(), standby.ids()...), 9)
	s.must(s.encodeAll()) // before the standby: whose ear need not listen again
	standby.must(standby.encodeAll())
	standby.must(standby.engine.Standby().EndBackfill())
	standby.complete()
	standby.must(standby.engine.Standby().CutOver(s.engine, func() []string { return nil }, func() error { return nil }))
	standby.must(standby.settle())

	for what, n := range cfg.Encoders.Audio.(*fakeEncoder).asked {
		t.Errorf("%q was given to an encoder that stays, %d times", what, n)
	}
	fresh := newSite(t, cfg)
	fresh.must(fresh.apply(liveChanges(live)))
	fresh.must(fresh.encodeAll())
	fresh.must(fresh.settle())
	compareKnown(t, "standby", standby.known(), fresh.known())
	compareLists(t, "standby", standby.lists(), fresh.lists())
	standby.close()
}

// TestCheckFindsMediaFaults breaks what a document's media need and looks for the complaint.
func TestCheckFindsMediaFaults(t *testing.T) {
	t.Parallel()
	star := graphstore.ID(graphstore.Image, "a\x000")
	for name, c := range map[string]struct {
		breaks func(tx *graphstore.Tx) error
		want   string
	}{
		"no row": {func(tx *graphstore.Tx) error { return tx.DeleteMedia(star) }, "without a row"},
		"other bytes": {func(tx *graphstore.Tx) error {
			return tx.PutMedia(graphstore.Media{Node: star, State: graphstore.MediaWaiting, Content: graphstore.Content{1}})
		}, "other bytes"},
		"a row too many": {func(tx *graphstore.Tx) error {
			return tx.PutMedia(graphstore.Media{Node: graphstore.ID(graphstore.Text, "a\x001"), State: graphstore.MediaWaiting})
		}, "no document has"},
		"features of nothing": {func(tx *graphstore.Tx) error {
			row, err := tx.Media(star)
			if err != nil {
				return err
			}
			row.State, row.Encoder = graphstore.MediaWaiting, ""
			return tx.PutMedia(*row)
		}, "its features are not those of its 0 pictures"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := openSite(t, t.TempDir(), withMedia(), graphstore.Options{SyncWrites: graphstore.NoSync})
			if err != nil {
				t.Fatal(err)
			}
			defer s.store.Close()
			s.must(s.apply([]change{{"a", withMediaOf("a", image("star"), map[string]any{"kind": "text", "text": "a star"})}}))
			s.must(s.encodeAll())
			tx := s.store.Begin()
			defer tx.Discard()
			s.must(c.breaks(tx))
			s.must(tx.Commit())
			var faults []string
			s.must(s.engine.Check(func(f string) { faults = append(faults, f) }))
			if !strings.Contains(strings.Join(faults, "\n"), c.want) {
				t.Errorf("faults %q, want one with %q", faults, c.want)
			}
		})
	}
}

// TestFits: refusals take no time of a unit.
func TestFits(t *testing.T) {
	t.Parallel()
	v, r := encode.Answer{Vector: []float32{1}}, encode.Answer{Refusal: feature.Refuse(feature.ReasonEmpty, "")}
	for _, c := range []struct {
		answers []encode.Answer
		vectors int
		want    int
	}{
		{nil, 1, 0},
		{[]encode.Answer{v, v, v}, 2, 2},
		{[]encode.Answer{r, v, r, v, r}, 1, 3},
		{[]encode.Answer{r, r, r}, 1, 3},
		{[]encode.Answer{v, v}, 5, 2},
	} {
		if got := encode.Fitting(c.answers, c.vectors); got != c.want {
			t.Errorf("of %d answers %d fit, want %d", len(c.answers), got, c.want)
		}
	}
}

// askedFor is an encoder that calls hook when it is asked who it is.
type askedFor struct {
	*fakeEncoder
	hook func()
}

func (a askedFor) Identity() feature.Identity {
	a.hook()
	return a.fakeEncoder.Identity()
}

// TestCopyIsOfOneState changes the picture behind an artifact while a standby copies it, between its document and the rows about its
// media, and back: the standby knows the artifact by the picture that it has in the end. Of two states it kept the other one.
func TestCopyIsOfOneState(t *testing.T) {
	t.Parallel()
	old := newSite(t, withMedia())
	show := func(uri string) {
		t.Helper()
		old.must(old.apply([]change{{"a", map[string]any{"title": "rug", "media": []any{map[string]any{"kind": "image", "uri": uri}}}}}))
		old.must(old.encodeAll())
	}
	show("http://example.org/1.jpg")
	during := func() {}
	cfg := withMedia()
	cfg.Model.Seed, cfg.Epoch = 2, 2
	cfg.Encoders.Image = askedFor{newFake("eye", 12), func() { during() }}
	standby := old.openStandby(t.TempDir(), cfg)
	defer standby.close()
	changed := false
	during = func() { // MediaOf asks, when the documents are read
		during = func() {}
		changed = true
		show("http://example.org/2.jpg")
	}
	standby.copyFrom(old, []string{"a"}, 1)
	if !changed {
		t.Fatal("nothing changed during the copy: the test shows nothing")
	}
	show("http://example.org/1.jpg")
	standby.copyFrom(old, []string{"a"}, 1)
	compareKnown(t, "copied", standby.known(), old.known())
}
