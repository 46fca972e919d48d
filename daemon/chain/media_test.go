package chain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"kilim/daemon/encode"
	"kilim/graphstore"
	"kilim/learner/feature"
)

// fakeEncoder makes vectors of hashes. It refuses what begins with "bad".
type fakeEncoder struct {
	id    feature.Identity
	asked map[string]int // by what
}

func newFake(name string, dim int) *fakeEncoder {
	return &fakeEncoder{feature.Identity{Name: name, Version: 1, Dim: dim}, map[string]int{}}
}

func (f *fakeEncoder) Identity() feature.Identity { return f.id }

func (f *fakeEncoder) Encode(_ context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i, it := range items {
		what := it.Text + string(it.Data)
		f.asked[what]++
		if strings.HasPrefix(what, "bad") {
			out[i].Err = feature.Refuse(feature.ReasonCorrupt, "it says so")
			continue
		}
		out[i].Vector = f.vector(what)
	}
	return out
}

func (f *fakeEncoder) vector(what string) []float32 {
	sum := sha256.Sum256([]byte(f.id.Name + what))
	rng := rand.New(rand.NewChaCha8(sum))
	v := make([]float32, f.id.Dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	feature.Scale(v, 1)
	return v
}

// withMedia is exact with encoders of pictures and recordings.
func withMedia() Config {
	cfg := exact()
	cfg.Encoders = Encoders{Image: newFake("eye", 12), Audio: newFake("ear", 6)}
	cfg.Model.Image, cfg.Model.Audio = 12, 6
	return cfg
}

// behind is what a fetcher brings.
func behind(uri string) []byte { return []byte("bytes of " + uri) }

// tasks are what waits, as the store has it.
func (s *site) tasks() []encode.Task {
	s.t.Helper()
	var out []encode.Task
	s.must(s.store.View(func(r *graphstore.Reader) error {
		var bad error
		err := r.EachMedia(func(row *graphstore.Media) bool {
			n, err := r.Node(row.Node)
			if err == nil {
				if t, ok := task(kindOf(n), row, false); ok {
					out = append(out, t)
				}
			}
			bad = err
			return err == nil
		})
		return errors.Join(err, bad)
	}))
	return out
}

// ask gives a task to its encoder, unless that has answered for the same content.
func (s *site) ask(t encode.Task) (encode.Answer, error) {
	source, err := s.engine.Source(t)
	if err != nil {
		return encode.Answer{}, err
	}
	item := source.Item
	if item.Text == "" && item.Data == nil {
		item.Data = behind(source.URI)
	}
	enc := s.cfg.Encoders.of(t.Kind)
	a := encode.Answer{Task: t, Content: graphstore.ContentOf(append([]byte(item.Text), item.Data...)), Encoder: enc.Identity().String()}
	if a.Vector, err = s.engine.Vector(a.Content, a.Encoder); err != nil || a.Vector != nil {
		return a, err // as the worker does
	}
	r := enc.Encode(context.Background(), []feature.Item{item})[0]
	a.Vector = r.Vector
	a.Refusal, _ = feature.AsRefusal(r.Err)
	return a, nil
}

// encodeAll answers everything that waits, in units of a few.
func (s *site) encodeAll() error {
	for chunk := range slices.Chunk(s.tasks(), 3) {
		var answers []encode.Answer
		for _, t := range chunk {
			a, err := s.ask(t)
			if err != nil {
				return err
			}
			answers = append(answers, a)
		}
		if err := s.engine.Answer(context.Background(), answers); err != nil {
			return err
		}
	}
	return nil
}

func image(data string) any { return map[string]any{"kind": "image", "data": []byte(data)} }
func audioAt(uri string) any {
	return map[string]any{"kind": "audio", "uri": uri}
}

func withMediaOf(title string, media ...any) map[string]any {
	return map[string]any{"title": title, "media": media}
}

// mediaHistory is history with media in it: few contents, so that they meet.
func mediaHistory(seed uint64, records, ids int) ([]change, map[string]map[string]any) {
	changes, live := history(seed, records, ids)
	rng := rand.New(rand.NewPCG(seed, 8))
	for _, c := range changes {
		if len(c.fields) == 0 {
			continue
		}
		media := []any{}
		for range rng.IntN(4) {
			switch rng.IntN(4) {
			case 0:
				media = append(media, image([]string{"star", "hook", "bad", "comb"}[rng.IntN(4)]))
			case 1:
				media = append(media, map[string]any{"kind": "image", "uri": fmt.Sprintf("http://example.org/%d.png", rng.IntN(5))})
			case 2:
				media = append(media, audioAt(fmt.Sprintf("http://example.org/%d.wav", rng.IntN(5))))
			default:
				media = append(media, map[string]any{"kind": "text", "text": "a border of stars"})
			}
		}
		c.fields["media"] = media
	}
	return changes, live
}

// known are the vectors by which each artifact is known.
func (s *site) known() map[string]encoded {
	s.t.Helper()
	out := map[string]encoded{}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		var bad error
		err := r.EachNode(func(n *graphstore.Node) bool {
			if n.Type == graphstore.Artifact && !n.Placeholder {
				out[n.Key], bad = s.engine.encodedOf(r, n.ID)
			}
			return bad == nil
		})
		return errors.Join(err, bad)
	}))
	return out
}

func sameVectors(a, b [][]float32) bool {
	return slices.EqualFunc(a, b, func(x, y []float32) bool { return slices.Equal(x, y) })
}

func compareKnown(t testing.TB, what string, got, want map[string]encoded) {
	t.Helper()
	for id, w := range want {
		if g := got[id]; !sameVectors(g.image, w.image) || !sameVectors(g.audio, w.audio) || !slices.Equal(g.text, w.text) {
			t.Errorf("%s: %q is known by %d pictures and %d recordings, want %d and %d, the same", what, id, len(g.image), len(g.audio), len(w.image), len(w.audio))
		}
	}
}

// wanted is, the dull way, what is to be known of an artifact in the end.
func wanted(cfg Config, fields map[string]any) (images, sounds int) {
	media, _ := fields["media"].([]any)
	for _, m := range media {
		f := m.(map[string]any)
		data, _ := f["data"].([]byte)
		switch {
		case f["kind"] == "image" && !bytes.HasPrefix(data, []byte("bad")):
			images++
		case f["kind"] == "audio":
			sounds++
		}
	}
	return images, sounds
}

// TestMediaEndState: however records, answers and background units alternate, in the end each artifact is known by
// exactly its media, its lists are those of a site that got what lives at once, and no content was encoded twice while
// an artifact had it.
func TestMediaEndState(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			changes, live := mediaHistory(seed, 120, 30)
			rng := rand.New(rand.NewPCG(seed, 6))
			grown := newSite(t, withMedia())
			for len(changes) > 0 {
				n := min(1+rng.IntN(16), len(changes))
				grown.must(grown.apply(changes[:n]))
				changes = changes[n:]
				if rng.IntN(2) == 0 {
					grown.must(grown.encodeAll())
				}
				for range rng.IntN(3) {
					_, err := grown.engine.backgroundUnit()
					grown.must(err)
				}
			}
			grown.must(grown.encodeAll())
			grown.must(grown.settle())
			if left := grown.tasks(); len(left) > 0 {
				t.Errorf("%d tasks left: %v", len(left), left)
			}
			known := grown.known()
			for id, fields := range live {
				images, sounds := wanted(grown.cfg, fields)
				if k := known[id]; len(k.image) != images || len(k.audio) != sounds {
					t.Errorf("%q is known by %d pictures and %d recordings, has %d and %d", id, len(k.image), len(k.audio), images, sounds)
				}
			}
			fresh := newSite(t, withMedia())
			fresh.must(fresh.apply(liveChanges(live)))
			fresh.must(fresh.encodeAll())
			fresh.must(fresh.settle())
			compareKnown(t, "grown", known, fresh.known())
			compareLists(t, "grown", grown.lists(), fresh.lists())
			st := grown.engine.Status()
			for kind, m := range st.Media {
				if m.Waiting != 0 {
					t.Errorf("%s: the status tells of %d waiting", kind, m.Waiting)
				}
			}
		})
	}
}

// TestCrashWithMedia fails each write in turn and goes on from the store: nothing is lost, and no content whose vector was
// durable is encoded again.
func TestCrashWithMedia(t *testing.T) {
	t.Parallel()
	changes, _ := mediaHistory(21, 18, 10)
	run := func(dir string, crashAt int) (crashed bool, s *site, asked int) {
		writes := 0
		opts := graphstore.Options{SyncWrites: graphstore.NoSync, BeforeWrite: func(string) error {
			if writes++; writes == crashAt {
				return errPlanned
			}
			return nil
		}}
		for {
			cfg := withMedia()
			s, err := openSite(t, dir, cfg, opts)
			if err == nil {
				next, _, err2 := s.engine.StoredOffset("in", 0)
				s.must(err2)
				s.offset = next
				for err == nil && int(s.offset) < len(changes) {
					if err = s.apply(changes[s.offset:min(int(s.offset)+6, len(changes))]); err == nil {
						err = s.encodeAll()
					}
				}
				if err == nil {
					err = s.encodeAll() // what was found waiting at the start
				}
				if err == nil {
					err = s.settle()
				}
				for _, n := range cfg.Encoders.Image.(*fakeEncoder).asked {
					asked += n
				}
			}
			if err == nil {
				return crashed, s, asked
			}
			if !errors.Is(err, errPlanned) || crashed {
				t.Fatalf("crash at write %d: %v", crashAt, err)
			}
			crashed = true
			if s != nil {
				_ = s.store.Close()
			}
		}
	}
	_, calm, calls := run(t.TempDir(), -1)
	want, known := calm.lists(), calm.known()
	calm.close()
	for k := 1; ; k++ {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		crashed, s, asked := run(dir, k)
		compareLists(t, fmt.Sprintf("crash at write %d", k), s.lists(), want)
		compareKnown(t, fmt.Sprintf("crash at write %d", k), s.known(), known)
		if asked > calls+3 { // a unit's answers were lost at most
			t.Errorf("crash at write %d: pictures were encoded %d times, %d without a crash", k, asked, calls)
		}
		s.close()
		if !crashed {
			if k < 10 {
				t.Errorf("only %d writes were failed", k-1)
			}
			return
		}
	}
}

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
	if first := after["a0"].Lists.General[0]; first.ID != "a3" || first.Score < 0.999 {
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

// TestCachedVectorAtOnce: a content that one artifact has is not asked about for another, nor for the same when its
// place among the media changes.
func TestCachedVectorAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMedia())
	s.must(s.apply([]change{{"a", withMediaOf("a", image("star"), image("comb"), audioAt("x.wav"))}}))
	s.must(s.encodeAll())
	s.must(s.apply([]change{
		{"b", withMediaOf("b", image("comb"))},
		{"a", withMediaOf("a", audioAt("x.wav"), image("comb"), image("star"))},
	}))
	if left := s.tasks(); len(left) != 0 {
		t.Errorf("asked again: %v", left)
	}
	known := s.known()
	if len(known["a"].image) != 2 || len(known["a"].audio) != 1 || len(known["b"].image) != 1 {
		t.Errorf("known by %d pictures and %d recordings, and %d pictures", len(known["a"].image), len(known["a"].audio), len(known["b"].image))
	}
	if want := s.cfg.Encoders.Image.(*fakeEncoder).vector("comb"); !slices.Equal(known["b"].image[0], want) {
		t.Error("the vector is another one")
	}
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
	s.must(s.engine.Answer(context.Background(), answers))
	if row := s.row("a", graphstore.Image, 0); row.State != graphstore.MediaWaiting {
		t.Errorf("the row is %+v", row)
	}
	if row := s.row("b", graphstore.Image, 0); row != nil {
		t.Errorf("a deleted artifact has %+v", row)
	}
	if d := s.engine.MediaQueue().Depth("image"); d.Waiting != 1 {
		t.Errorf("%d wait, want 1", d.Waiting)
	}
	s.must(s.encodeAll())
	if want := s.cfg.Encoders.Image.(*fakeEncoder).vector("hook"); !slices.Equal(s.known()["a"].image[0], want) {
		t.Error("the vector is another one")
	}
}

// TestRefusedMedia: a refusal is kept with its reason, and a record that comes anew asks again.
func TestRefusedMedia(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMedia())
	record := change{"a", withMediaOf("a", image("bad bytes"))}
	s.must(s.apply([]change{record}))
	s.must(s.encodeAll())
	row := s.row("a", graphstore.Image, 0)
	if row.State != graphstore.MediaRefused || row.Reason != feature.ReasonCorrupt || row.Detail != "it says so" {
		t.Fatalf("the row is %+v", row)
	}
	if left := s.tasks(); len(left) != 0 {
		t.Fatalf("asked again: %v", left)
	}
	if m := s.engine.Status().Media["image"]; m.Refused != 1 || m.Waiting != 0 {
		t.Errorf("the status tells %+v", m)
	}
	s.must(s.apply([]change{record}))
	if left := s.tasks(); len(left) != 1 {
		t.Errorf("%d wait after the record came anew, want 1", len(left))
	}
}

// TestPrecomputed: a vector by the configured encoder's name comes with the record; one by another name does not count,
// and nothing is fetched for it.
func TestPrecomputed(t *testing.T) {
	t.Parallel()
	cfg := withMedia()
	cfg.Encoders.Image, cfg.Model.Image = encode.Precomputed{ID: feature.Identity{Name: "clip", Version: 1, Dim: 3}}, 3
	s := newSite(t, cfg)
	embedded := func(encoder string, v ...float32) any {
		return map[string]any{"kind": "image", "uri": "http://example.org/i.png", "encoder": encoder, "embedding": v}
	}
	s.must(s.apply([]change{
		{"a", withMediaOf("a", embedded("clip", 0, 3, 4), embedded("other", 1, 0, 0))},
	}))
	if v := s.known()["a"].image; len(v) != 1 || !slices.Equal(v[0], []float32{0, 3, 4}) {
		t.Errorf("known by %v", v)
	}
	if f := s.engine.featuresOf(&woven{doc: s.engine.encoder.Analyze()}, s.known()["a"]); !slices.Equal(f.Image, []float32{0, 0.6, 0.8}) {
		t.Errorf("features %v", f.Image)
	}
	if row := s.row("a", graphstore.Image, 1); row.State != graphstore.MediaRefused || row.Reason != feature.ReasonRejected {
		t.Errorf("the row of the other is %+v", row)
	}
	if left := s.tasks(); len(left) != 0 {
		t.Errorf("asked: %v", left)
	}
}

// slow never answers before ctx ends.
type slow struct{ *fakeEncoder }

func (slow) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	<-ctx.Done()
	return []feature.Result{{Err: ctx.Err()}}
}

// TestQueryWithMedia: a picture in a query counts; one that can't be encoded, or not in time, does not, and the
// query is answered.
func TestQueryWithMedia(t *testing.T) {
	t.Parallel()
	s := newSite(t, withMedia())
	var changes []change
	for i, picture := range []string{"star", "hook", "comb", "eye", "ram"} {
		changes = append(changes, change{fmt.Sprintf("a%d", i), withMediaOf("a rug", image(picture))})
	}
	s.must(s.apply(changes))
	s.must(s.encodeAll())
	s.must(s.settle())
	query := func(picture string) string {
		a := change{"q", withMediaOf("a rug", image(picture), map[string]any{"kind": "image", "uri": "http://example.org/i.png"})}.item(0).Artifact
		answer, err := s.engine.SimilarTo(context.Background(), a, "general", 1)
		s.must(err)
		return answer.Items[0].ID
	}
	for i, picture := range []string{"star", "hook", "comb"} {
		if got, want := query(picture), fmt.Sprintf("a%d", i); got != want {
			t.Errorf("nearest to a query with %q is %s, want %s", picture, got, want)
		}
	}
	query("bad picture")
	s.engine.cfg.Encoders.Image = slow{newFake("eye", 12)}
	query("a new picture")
}

// TestExternalText: where texts have an encoder of their own, an artifact's text waits for it, and the words serve the
// scores meanwhile.
func TestExternalText(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Encoders.Text = newFake("sbert", cfg.Text.Dim)
	s := newSite(t, cfg)
	s.must(s.apply([]change{{"a", map[string]any{"title": "a star", "media": []any{map[string]any{"kind": "text", "text": "and a comb"}}}}, {"b", map[string]any{}}}))
	if s.known()["a"].text != nil {
		t.Error("a text is known that nobody has encoded")
	}
	s.must(s.encodeAll())
	if want := cfg.Encoders.Text.(*fakeEncoder).vector("a star\nand a comb"); !slices.Equal(s.known()["a"].text, want) {
		t.Errorf("the text is known by another vector, asked was %v", cfg.Encoders.Text.(*fakeEncoder).asked)
	}
	s.must(s.apply([]change{{id: "a"}}))
	if n := len(s.tasks()); n != 0 {
		t.Errorf("%d wait of nothing", n)
	}
}

// TestAnotherEncoder: a state of one encoder is refused to another; a draft of the other takes over the vectors of the encoders
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
	if ids, err := EncodersOf(s.store); err != nil || ids["image"] != withMedia().Encoders.Image.Identity() || len(ids) != 2 {
		t.Errorf("the state names the encoders %v, %v", ids, err)
	}
	other := cfg
	other.Epoch = 1
	if _, err := Open(other, s.store, s.engine.metrics, func() {}, s.engine.log); err == nil || !strings.Contains(err.Error(), "eagle v1, 9 numbers") {
		t.Errorf("opened with another encoder: %v", err)
	}

	draft := s.openDraft(t.TempDir(), cfg)
	draft.mirror(s, s.ids(), 9)
	draft.must(draft.encodeAll())
	s.must(s.apply(changes[70:]))
	draft.mirror(s, append(s.ids(), draft.ids()...), 9)
	s.must(s.encodeAll()) // before the draft: whose ear need not listen again
	draft.must(draft.encodeAll())
	draft.must(draft.engine.Filled())
	draft.complete()
	draft.must(draft.engine.TakeOver(s.engine, func() []string { return nil }, func() error { return nil }))
	draft.must(draft.settle())

	for what, n := range cfg.Encoders.Audio.(*fakeEncoder).asked {
		t.Errorf("%q was given to an encoder that stays, %d times", what, n)
	}
	fresh := newSite(t, cfg)
	fresh.must(fresh.apply(liveChanges(live)))
	fresh.must(fresh.encodeAll())
	fresh.must(fresh.settle())
	compareKnown(t, "draft", draft.known(), fresh.known())
	compareLists(t, "draft", draft.lists(), fresh.lists())
	draft.close()
}
