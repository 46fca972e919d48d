package graphstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// mediaModel is what the store keeps about media, the dull way.
type mediaModel struct {
	media   map[NodeID]Media
	vectors map[Content]map[string][]float32
}

func (m *mediaModel) clone() *mediaModel {
	c := &mediaModel{maps.Clone(m.media), map[Content]map[string][]float32{}}
	for k, v := range m.vectors {
		c.vectors[k] = maps.Clone(v)
	}
	return c
}

// sweep drops the vectors of contents that no node has.
func (m *mediaModel) sweep() {
	maps.DeleteFunc(m.vectors, func(c Content, _ map[string][]float32) bool {
		for _, md := range m.media {
			if md.Content == c {
				return false
			}
		}
		return true
	})
}

func mediaSpec(artifact string, i int) EdgeSpec {
	return EdgeSpec{Type: Image, Rel: RelMedia, Key: fmt.Sprintf("%s\x00%d", artifact, i)}
}

// TestMediaAgainstModel runs random histories of media on the store and on the model, with transactions
// discarded and the folder opened again.
func TestMediaAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6 / every()) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 5))
			dir := t.TempDir()
			s, err := Open(dir, small())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { checked(t, s) }()
			m := &mediaModel{map[NodeID]Media{}, map[Content]map[string][]float32{}}
			for range 40 {
				before := m.clone()
				tx := s.Begin()
				for range 1 + rng.IntN(6) {
					mediaStep(t, rng, tx, m)
				}
				compareMedia(t, "in a transaction", &tx.Reader, m)
				if rng.IntN(4) == 0 {
					tx.Discard()
					m = before
				} else if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				if rng.IntN(8) == 0 {
					checked(t, s)
					if s, err = Open(dir, small()); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.View(func(r *Reader) error { compareMedia(t, "committed", r, m); return nil }); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// mediaStep makes one change: few artifacts, contents and encoders, so that they meet.
func mediaStep(t *testing.T, rng *rand.Rand, tx *Tx, m *mediaModel) {
	t.Helper()
	artifact := fmt.Sprintf("a%d", rng.IntN(3))
	if rng.IntN(5) == 0 {
		var change Change
		var err error
		if rng.IntN(2) == 0 {
			change, err = tx.DeleteArtifact(artifact)
		} else { // with one medium less
			change, err = tx.PutArtifact(Doc{ID: artifact}, []EdgeSpec{mediaSpec(artifact, 0)})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range change.GoneNodes {
			if err := tx.DeleteMedia(id); err != nil {
				t.Fatal(err)
			}
			delete(m.media, id)
		}
		m.sweep()
		return
	}
	if _, err := tx.PutArtifact(Doc{ID: artifact}, []EdgeSpec{mediaSpec(artifact, 0), mediaSpec(artifact, 1)}); err != nil {
		t.Fatal(err)
	}
	id := ID(Image, mediaSpec(artifact, rng.IntN(2)).Key)
	content, encoder := Content{byte(rng.IntN(4))}, fmt.Sprintf("e%d", rng.IntN(2))
	row := Media{Node: id, State: MediaWaiting, Revision: rng.Uint64N(100), Content: content, Since: time.Unix(rng.Int64N(1e9), 5).UTC()}
	if content != (Content{}) && rng.IntN(3) > 0 {
		row.State, row.Encoder = MediaEncoded, encoder
	} else if rng.IntN(3) == 0 {
		row.State, row.Encoder, row.Reason, row.Detail = MediaRefused, encoder, "corrupt", "in the third row"
	}
	if err := tx.PutMedia(row); err != nil {
		t.Fatal(err)
	}
	m.media[id] = row
	m.sweep()
	if row.State == MediaEncoded {
		vec := []float32{rng.Float32(), 1}
		if err := tx.PutMediaVector(content, encoder, vec); err != nil {
			t.Fatal(err)
		}
		if m.vectors[content] == nil {
			m.vectors[content] = map[string][]float32{}
		}
		m.vectors[content][encoder] = vec
	}
}

func compareMedia(t *testing.T, what string, r *Reader, m *mediaModel) {
	t.Helper()
	got := map[NodeID]Media{}
	if err := r.EachMedia(func(md *Media) bool { got[md.Node] = *md; return true }); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, m.media) {
		t.Fatalf("%s: media\n got %v\nwant %v", what, got, m.media)
	}
	for c := range 4 {
		for e := range 2 {
			content, encoder := Content{byte(c)}, fmt.Sprintf("e%d", e)
			vec, err := r.MediaVector(content, encoder)
			if err != nil {
				t.Fatal(err)
			}
			if want := m.vectors[content][encoder]; !slices.Equal(vec, want) {
				t.Fatalf("%s: the vector of %d by %s is %v, want %v", what, c, encoder, vec, want)
			}
		}
	}
}

// TestCheckFindsTornMedia breaks each rule about media and looks for the complaint.
func TestCheckFindsTornMedia(t *testing.T) {
	t.Parallel()
	id, content := ID(Image, "a\x000"), Content{7}
	for name, c := range map[string]struct {
		breaks func(ov *overlay)
		want   string
	}{
		"vector missing": {func(ov *overlay) { delete(ov.rows, string(vectorKey(content, "e"))) }, "the vector is missing"},
		"use missing":    {func(ov *overlay) { delete(ov.uses, content) }, "is not noted"},
		"node missing": {func(ov *overlay) {
			ov.rows[string(idKey(keyMedia, 99))] = encodeMedia(&Media{State: MediaWaiting})
		}, "a node that does not exist"},
		"vector of nobody": {func(ov *overlay) {
			ov.rows[string(vectorKey(Content{8}, "e"))] = encodeVector("e", []float32{1})
		}, "no node has"},
		"use of nobody": {func(ov *overlay) { ov.use(Content{9}, id, true) }, "2 uses"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSmall(t)
			defer s.Close()
			commitAll(t, s, func(tx *Tx) error {
				if _, err := tx.PutArtifact(Doc{ID: "a"}, []EdgeSpec{mediaSpec("a", 0)}); err != nil {
					return err
				}
				if err := tx.PutMedia(Media{Node: id, State: MediaEncoded, Content: content, Encoder: "e"}); err != nil {
					return err
				}
				if err := tx.PutMediaVector(content, "e", []float32{1, 2}); err != nil {
					return err
				}
				c.breaks(tx.ov)
				return nil
			})
			var problems []string
			if err := s.Check(func(p string) { problems = append(problems, p) }); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(problems, "\n"), c.want) {
				t.Errorf("problems %q, want one with %q", problems, c.want)
			}
		})
	}
}
