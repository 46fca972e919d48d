package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
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
	cfg.Encoders = encode.Encoders{Image: newFake("eye", 12), Audio: newFake("ear", 6)}
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
			if row.State != graphstore.MediaWaiting {
				return true
			}
			var n *graphstore.Node
			if n, bad = r.Node(row.Node); bad != nil {
				return false
			}
			t := encode.Task{Node: row.Node, Kind: n.Type.String(), Revision: row.Revision, Since: row.Since}
			if n.Type == graphstore.Artifact {
				t.Kind = "text"
			}
			out = append(out, t)
			return true
		})
		return errors.Join(err, bad)
	}))
	return out
}

// ask gives a task to its encoder, unless that has answered for the same content.
func (s *site) ask(t encode.Task) (encode.Answer, error) {
	source, err := s.engine.MediaState().Source(t)
	if err != nil {
		return encode.Answer{}, err
	}
	item := source.Item
	if item.Text == "" && item.Data == nil {
		item.Data = behind(source.URI)
	}
	enc := s.cfg.Encoders.Of(t.Kind)
	a := encode.Answer{Task: t, Content: graphstore.ContentOf(append([]byte(item.Text), item.Data...)), Encoder: enc.Identity().String()}
	if a.Vector, err = s.engine.MediaState().Vector(a.Content, a.Encoder); err != nil || a.Vector != nil {
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
		if err := s.engine.MediaState().Answer(context.Background(), answers); err != nil {
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
func (s *site) known() map[string]encode.Vectors {
	s.t.Helper()
	out := map[string]encode.Vectors{}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		var bad error
		err := r.EachNode(func(n *graphstore.Node) bool {
			if n.IsArtifact() {
				out[n.Key], bad = s.cfg.Encoders.Vectors(r, n.ID)
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

func compareKnown(t testing.TB, what string, got, want map[string]encode.Vectors) {
	t.Helper()
	for id, w := range want {
		if g := got[id]; !sameVectors(g.Image, w.Image) || !sameVectors(g.Audio, w.Audio) || !slices.Equal(g.Text, w.Text) {
			t.Errorf("%s: %q is known by %d pictures and %d recordings, want %d and %d, the same", what, id, len(g.Image), len(g.Audio), len(w.Image), len(w.Audio))
		}
	}
}

// wanted is, the dull way, what is to be known of an artifact in the end.
func wanted(fields map[string]any) (images, sounds int) {
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
