package encode

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/feature"
)

// TestCachedVectorAtOnce: a content that one artifact has is not asked about for another, nor for the same when its
// place among the media changes.
func TestCachedVectorAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.behind["x.wav"] = "a song"
	d.feed(artifact("a", picture("star"), picture("comb"), soundAt("x.wav")))
	d.encodeAll()
	d.feed(artifact("b", picture("comb")), artifact("a", soundAt("x.wav"), picture("comb"), picture("star")))
	if left := d.tasks(); len(left) != 0 {
		t.Errorf("asked again: %v", left)
	}
	a, b := d.vectors("a"), d.vectors("b")
	if len(a.Image) != 2 || len(a.Audio) != 1 || len(b.Image) != 1 {
		t.Fatalf("known by %d pictures and %d recordings, and %d pictures", len(a.Image), len(a.Audio), len(b.Image))
	}
	if want := newHashed("eye", 5).vector("comb"); !slices.Equal(b.Image[0], want) {
		t.Error("the vector is another one")
	}
}

// TestSameURI: a recording behind the URI of an earlier picture is something else.
func TestSameURI(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.behind["x"] = "star"
	d.feed(artifact("a", pictureAt("x")))
	d.encodeAll()
	d.feed(artifact("a", soundAt("x")))
	if row := d.row("a", graphstore.Audio, 0); row.Content != (graphstore.Content{}) {
		t.Errorf("the row is %+v", row)
	}
}

// TestOutdatedAnswer: an answer to what a record asked before it was replaced changes nothing.
func TestOutdatedAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.feed(artifact("a", picture("star")), artifact("b", picture("comb")))
	var answers []Answer
	for _, task := range d.tasks() {
		a, _ := d.ask(task)
		answers = append(answers, a)
	}
	d.feed(artifact("a", picture("hook")))
	d.remove("b")
	d.take(answers)
	if row := d.row("a", graphstore.Image, 0); row.State != graphstore.MediaWaiting {
		t.Errorf("the row is %+v", row)
	}
	if row := d.row("b", graphstore.Image, 0); row != nil {
		t.Errorf("a deleted artifact has %+v", row)
	}
	if depth := d.media.Queue().Depth("image"); depth.Waiting != 1 {
		t.Errorf("%d wait, want 1", depth.Waiting)
	}
	for _, a := range answers {
		if _, err := a.Source(d.durable, d.durable.record); !errors.Is(err, ErrOutdated) {
			t.Errorf("the source of an outdated task: %v", err)
		}
	}
	d.encodeAll()
	if v := d.vectors("a").Image; !slices.Equal(v[0], newHashed("eye", 5).vector("hook")) {
		t.Error("the vector is another one")
	}
}

// TestRefusedMedia: a refusal is kept with its reason, and a record that comes anew asks again.
func TestRefusedMedia(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	record := artifact("a", picture("bad bytes"))
	d.feed(record)
	d.encodeAll()
	row := d.row("a", graphstore.Image, 0)
	if row.State != graphstore.MediaRefused || row.Reason != feature.ReasonCorrupt || row.Detail != "it says so" {
		t.Fatalf("the row is %+v", row)
	}
	if left := d.tasks(); len(left) != 0 {
		t.Fatalf("asked again: %v", left)
	}
	if c := d.media.Counts()["image"]; c != (Counts{Refused: 1}) {
		t.Errorf("the counts are %+v", c)
	}
	d.feed(record)
	if left := d.tasks(); len(left) != 1 {
		t.Errorf("%d wait after the record came anew, want 1", len(left))
	}
}

// TestRefusedAgain: what was not there or not allowed is asked about again after a restart, what is broken is not.
func TestRefusedAgain(t *testing.T) {
	t.Parallel()
	for _, reason := range feature.Reasons() {
		d := newDesk(t, eyeAndEar())
		d.feed(artifact("a", pictureAt("x")))
		task := d.tasks()[0]
		d.take([]Answer{{Task: task, Refusal: feature.Refuse(reason, ""), Encoder: d.encoders.Identity("image")}})
		d.restart()
		want := Counts{Refused: 1}
		if reason == feature.ReasonNotFound || reason == feature.ReasonNotAllowed {
			want.Again = 1
		}
		if c := d.media.Counts()["image"]; c != want {
			t.Errorf("%s: the counts are %+v, want %+v", reason, c, want)
		}
		d.behind["x"] = "star"
		if d.encodeAll(); (len(d.vectors("a").Image) == 1) != (want.Again == 1) {
			t.Errorf("%s: known by %v", reason, d.vectors("a"))
		}
	}
}

// TestPrecomputed: a vector by the configured encoder's name comes with the record; one by another name does not count,
// and nothing is fetched for it.
func TestPrecomputed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Encoders{Image: Precomputed{ID: feature.Identity{Name: "clip", Version: 1, Dim: 3}}})
	d.feed(artifact("a", embedded(profile.Image, "clip", 0, 3, 4), embedded(profile.Image, "other", 1, 0, 0)))
	if v := d.vectors("a").Image; len(v) != 1 || !slices.Equal(v[0], []float32{0, 3, 4}) {
		t.Errorf("known by %v", v)
	}
	if row := d.row("a", graphstore.Image, 1); row.State != graphstore.MediaRefused || row.Reason != feature.ReasonRejected {
		t.Errorf("the row of the other is %+v", row)
	}
	if left := d.tasks(); len(left) != 0 {
		t.Errorf("asked: %v", left)
	}
}

// TestMeanDirection: the mean of several vectors, as a direction.
func TestMeanDirection(t *testing.T) {
	t.Parallel()
	if m := MeanDirection(nil); m != nil {
		t.Errorf("of none: %v", m)
	}
	if m := MeanDirection([][]float32{{0, 3, 4}}); !slices.Equal(m, []float32{0, 0.6, 0.8}) {
		t.Errorf("of one: %v", m)
	}
	if m := MeanDirection([][]float32{{2, 0}, {1, 4}}); !slices.Equal(m, []float32{0.6, 0.8}) {
		t.Errorf("of two: %v", m)
	}
}

// TestExternalText: where texts have an encoder of their own, an artifact's text waits for it as a whole.
func TestExternalText(t *testing.T) {
	t.Parallel()
	reader := newHashed("sbert", 4)
	d := newDesk(t, Encoders{Text: reader})
	a := artifact("a", written("and a comb"))
	a.Title = "a star"
	d.feed(a, artifact("b"))
	if d.vectors("a").Text != nil {
		t.Error("a text is known that nobody has encoded")
	}
	d.encodeAll()
	if !slices.Equal(d.vectors("a").Text, reader.vector("a star\nand a comb")) {
		t.Errorf("the text is known by another vector, asked was %v", reader.asked)
	}
	d.feed(artifact("c", written("and a comb")))
	d.remove("c")
	if left := d.tasks(); len(left) != 0 {
		t.Errorf("%v wait of nothing", left)
	}
}

// TestGone: a row that today's encoders would not ask for goes with its node.
func TestGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.feed(artifact("a", picture("star")))
	d.unit(func(p *Pass, g *archive) {
		gone := g.replace("a", nil)
		d.must(p.Gone(gone))
	})
	if row := d.row("a", graphstore.Image, 0); row != nil {
		t.Errorf("the row of a node that is gone: %+v", row)
	}
	if c := d.media.Counts()["image"]; c != (Counts{}) {
		t.Errorf("the counts are %+v", c)
	}
}

// TestStandby: a state that is made from another takes over the vectors of the encoders that stay, also of what was fetched,
// and asks the new one about the rest.
func TestStandby(t *testing.T) {
	t.Parallel()
	serving := newDesk(t, eyeAndEar())
	serving.behind = map[string]string{"u": "star", "s": "a song"}
	a := artifact("a", pictureAt("u"), soundAt("s"), picture("comb"))
	serving.feed(a)
	serving.encodeAll()
	owl := newHashed("owl", 7)
	standby := newDesk(t, Encoders{Image: owl, Audio: newHashed("ear", 3)})
	standby.from, standby.behind = serving.durable, serving.behind
	standby.feed(a)
	if got, want := standby.vectors("a").Audio, serving.vectors("a").Audio; len(got) != 1 || !slices.Equal(got[0], want[0]) {
		t.Errorf("recordings are known by %v, want %v", got, want)
	}
	if v := standby.vectors("a").Image; v != nil {
		t.Errorf("pictures are known by %v", v)
	}
	standby.encodeAll()
	if len(standby.vectors("a").Image) != 2 || len(owl.asked) != 2 {
		t.Errorf("pictures are known by %v, asked was %v", standby.vectors("a").Image, owl.asked)
	}
}

// TestLoadRefuses: a row about a node that is not there is damage.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.feed(artifact("a", picture("star")))
	delete(d.durable.nodes, graphstore.ID(graphstore.Image, "a\x000"))
	if err := NewMedia(d.encoders).Load(d.durable); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("loaded: %v", err)
	}
}

// TestRecord: a state knows the encoders that it is made with, and the lengths of their vectors.
func TestRecord(t *testing.T) {
	t.Parallel()
	a := newArchive()
	if ids, err := Recorded(a); ids != nil || err != nil {
		t.Errorf("a new state names %v, %v", ids, err)
	}
	want := eyeAndEar()
	if err := want.Record(a); err != nil {
		t.Fatal(err)
	}
	ids, err := Recorded(a)
	if err != nil || len(ids) != 2 || ids["image"] != want.Image.Identity() || ids["audio"] != want.Audio.Identity() {
		t.Errorf("the state names %v, %v", ids, err)
	}
	if len(a.dims) != 2 || a.dims["eye"] != 5 || a.dims["ear"] != 3 {
		t.Errorf("the lengths are %v", a.dims)
	}
	a.meta["chain/encoders"] = []byte("{")
	if ids, err := Recorded(a); err == nil {
		t.Errorf("a broken row names %v", ids)
	}
}

// stuck never answers before ctx ends.
type stuck struct{ *hashed }

func (stuck) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	<-ctx.Done()
	return []feature.Result{{Err: ctx.Err()}}
}

// TestOnTheSpot: what a query brings counts: a picture that is known already without asking, another by its encoder, a vector
// as it is. What is behind a URI, broken, or not encoded in time is left out.
func TestOnTheSpot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		eye := newHashed("eye", 5)
		d := newDesk(t, Encoders{Text: newHashed("reader", 4), Image: eye, Audio: stuck{newHashed("ear", 3)}})
		d.feed(artifact("a", picture("star")))
		d.encodeAll()
		clear(eye.asked)
		query := artifact("q", picture("star"), picture("hook"), picture("bad"), pictureAt("u"),
			embedded(profile.Audio, "ear", 1, 2, 3), profile.Media{Kind: profile.Audio, Data: []byte("a song")}, written("a rug"))
		start := time.Now()
		got, err := d.media.OnTheSpot(t.Context(), d, query, weave.Edges(query))
		d.must(err)
		want := Vectors{
			Text:  newHashed("reader", 4).vector("a rug"),
			Image: [][]float32{eye.vector("star"), eye.vector("hook")}, Audio: [][]float32{{1, 2, 3}},
		}
		if !sameVectors(got, want) {
			t.Errorf("a query is known by %v, want %v", got, want)
		}
		if eye.asked["star"] != 0 || eye.asked["hook"] != 1 {
			t.Errorf("asked was %v", eye.asked)
		}
		if took := time.Since(start); took != onTheSpot {
			t.Errorf("the query waited for %v, want %v", took, onTheSpot)
		}
		if c := d.media.Counts()["image"]; c != (Counts{Encoded: 1}) {
			t.Errorf("a query changed the counts: %+v", c)
		}
	})
}

// TestSpots: a built-in encoder can't be interrupted. While all spots are taken by it, the next query is answered
// without its media, in time.
func TestSpots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &unstoppable{hashed: newHashed("ear", 3), done: make(chan struct{})}
		d := newDesk(t, Encoders{Audio: slow})
		for range spots + 1 {
			query := artifact("q", profile.Media{Kind: profile.Audio, Data: []byte("a song")})
			start := time.Now()
			got, err := d.media.OnTheSpot(t.Context(), d, query, weave.Edges(query))
			if d.must(err); got.Audio != nil || time.Since(start) != onTheSpot {
				t.Errorf("known by %v after %v", got, time.Since(start))
			}
		}
		close(slow.done)
		synctest.Wait()
		if n := slow.calls.Load(); n != spots {
			t.Errorf("%d were encoded at once, want %d", n, spots)
		}
	})
}

// unstoppable answers when done is closed, whatever ctx says.
type unstoppable struct {
	*hashed
	calls atomic.Int32
	done  chan struct{}
}

func (u *unstoppable) Encode(_ context.Context, items []feature.Item) []feature.Result {
	u.calls.Add(1)
	<-u.done
	return make([]feature.Result, len(items))
}

// TestEmbed: each picture and recording in a query gets the vector of its encoder, or a reason why not; what was encoded before is not encoded
// again, and with the vectors the query is known by the same as without.
func TestEmbed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		eye, slow := newHashed("eye", 5), &unstoppable{hashed: newHashed("ear", 3), done: make(chan struct{})}
		d := newDesk(t, Encoders{Image: eye})
		d.feed(artifact("a", picture("star")))
		d.encodeAll()
		clear(eye.asked)
		query := func() *profile.Artifact {
			return artifact("q", picture("star"), picture("hook"), picture("bad"), pictureAt("u"), written("a rug"), profile.Media{Kind: profile.Audio, Data: []byte("a song")})
		}
		q := query()
		failed, err := d.media.Embed(t.Context(), d, q)
		d.must(err)
		if len(failed) != 2 || failed[2] == nil || !errors.Is(failed[5], ErrNoEncoder) {
			t.Errorf("failed: %v", failed)
		}
		want, err := d.media.OnTheSpot(t.Context(), d, query(), weave.Edges(query()))
		d.must(err)
		clear(eye.asked)
		q.Media = slices.Delete(q.Media, 2, 3)
		got, err := d.media.OnTheSpot(t.Context(), d, q, weave.Edges(q))
		d.must(err)
		if !sameVectors(got, want) || len(got.Image) != 2 || len(eye.asked) != 0 {
			t.Errorf("known by %v, want %v; asked was %v", got, want, eye.asked)
		}
		late := newDesk(t, Encoders{Audio: slow})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if failed, err = late.media.Embed(ctx, late, artifact("q", profile.Media{Kind: profile.Audio, Data: []byte("a song")})); err != nil || !errors.Is(failed[0], ErrLate) {
			t.Errorf("%v, %v", failed, err)
		}
		close(slow.done)
	})
}
