package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"time"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

// Dataset is a snapshot of an archive, to train a model on and to compare models by.
type Dataset struct {
	Set *train.Set
	// IDs are those of the Set's artifacts, and Cultures the labels of their first cultures, empty for none.
	IDs, Cultures []string
	// Themes are the theme labels of the artifacts, nil if none has any.
	Themes *eval.Truth
	// Links are pairs of artifacts whose link is kept out of the Set, to be found by a model.
	Links [][2]int32
	// Until is the time of the latest record in the Set.
	Until time.Time
	// Watermark is Until and a checksum of the content: equal for equal snapshots only.
	Watermark string
}

// Reader is what Make reads of an archive. The archive must not change meanwhile.
type Reader interface {
	weave.Documents
	Entities
	// ArtifactsAfter returns the ids of artifacts whose nodes are greater than after, by ascending node, at most limit
	// of them.
	ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error)
	// Vectors returns the media vectors of an artifact.
	Vectors(artifact graphstore.NodeID) (Vectors, error)
}

// Entities is where the nodes of entities are found. Make reads their labels: an entity's label is the one that most
// artifacts use.
type Entities interface {
	// Node returns nil for an entity that is not there.
	Node(graphstore.NodeID) (*graphstore.Node, error)
}

// Vectors are what encoders made of an artifact's media, nil where there is nothing.
type Vectors struct {
	// Text is that of the artifact's whole text. It is read only with Config.TextVectors.
	Text []float32
	// Image is one vector for all the artifact's pictures, Audio one for all its recordings.
	Image, Audio []float32
	// Contents are the pictures and recordings that Image and Audio are of, one by one. They are read only where Config.Shape has media
	// as nodes.
	Contents []Content
}

// Content is the bytes of a picture or a recording, with what the encoder made of them.
type Content struct {
	graphstore.Held
	Vector []float32
}

// MaxRareMembers is how many artifacts share an entity that is rare for training: a pair that shares one is rather a
// positive than a negative.
const MaxRareMembers = 8

// Config says how Sets are made.
type Config struct {
	// Words encodes texts and labels.
	Words *text.Encoder
	// Shape is that of the models to be trained: the Set has its modalities.
	Shape model.Config
	// TextVectors uses Vectors.Text, whole, for the text of a record, instead of its words.
	TextVectors bool
	// MaxRareMembers is how many artifacts share a rare entity at most; 0: the constant MaxRareMembers.
	MaxRareMembers int
	// Only, if not nil, has Make leave out all artifacts but these.
	Only map[string]bool
	// WithoutGraph leaves out all edges, for ablations.
	WithoutGraph bool
}

// Make returns a snapshot of at most limit artifacts: those of the smallest hashes, which is a sample that does not
// depend on the order of arrival, as far as there is room for them; those are left out that would take the room of
// many others (see room). Records that came after until are left out, unless until is zero: so a snapshot can
// be made again after others have come, as long as nothing in it was replaced or deleted. For the same reason words are
// weighted by the artifacts of the snapshot alone. When ctx ends, so does Make, with its cause: a large archive takes minutes.
func Make(ctx context.Context, from Reader, cfg Config, limit int, until time.Time) (*Dataset, error) {
	d, err := snapshot(ctx, from, cfg, limit, until)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	return d, nil
}

func snapshot(ctx context.Context, from Reader, cfg Config, limit int, until time.Time) (*Dataset, error) {
	c := sample{table: text.NewTable(), sum: checksum{sha256.New()}}
	if err := c.choose(ctx, from, cfg, limit, until); err != nil {
		return nil, err
	}
	b, err := newBuilder(cfg, c.table.IDF, from, c.sum.features)
	if err != nil {
		return nil, err
	}
	for _, id := range c.ids {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := addStored(b, from, id); err != nil {
			return nil, fmt.Errorf("artifact %q: %w", id, err)
		}
	}
	d, err := b.build()
	if err != nil {
		return nil, err
	}
	d.Until, d.Watermark = c.until, fmt.Sprintf("%s %x", c.until.UTC().Format(time.RFC3339Nano), c.sum.Sum(nil))
	return d, nil
}

// addStored adds an artifact of an archive to b.
func addStored(b *Builder, from Reader, id string) error {
	_, a, err := weave.Read(from, id)
	if err != nil {
		return err
	}
	v, err := from.Vectors(graphstore.ID(graphstore.Artifact, id))
	if err != nil {
		return err
	}
	_, err = b.add(RecordOf(a, v))
	return err
}

// sample is the choice of artifacts for a snapshot.
type sample struct {
	ids   []string
	until time.Time
	table *text.Table
	sum   checksum
}

// pageSize is how many ids are read at a time.
const pageSize = 256

// choose finds the artifacts of a snapshot and counts their words. It does not keep the documents for addStored, which
// reads them again: their media may be inline, and too much for the memory.
func (c *sample) choose(ctx context.Context, from Reader, cfg Config, limit int, until time.Time) error {
	room := newRoom(cfg.Shape, limit)
	for after := graphstore.NodeID(0); ; {
		ids, err := from.ArtifactsAfter(after, pageSize)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if len(c.ids) == limit {
				return nil
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if cfg.Only != nil && !cfg.Only[id] {
				continue
			}
			doc, a, err := weave.Read(from, id)
			if errors.Is(err, graphstore.ErrDamaged) {
				continue // a fault of that artifact; the others are learned from
			}
			if err != nil {
				return err
			}
			if !until.IsZero() && doc.Timestamp.After(until) {
				continue
			}
			switch room.take(a) {
			case full:
				return nil
			case taken:
				c.add(doc, cfg.Words.AnalyzeTexts(weave.Texts(a)))
			}
		}
		after = graphstore.ID(graphstore.Artifact, ids[len(ids)-1])
	}
}

func (c *sample) add(doc *graphstore.Doc, words *text.Doc) {
	if doc.Timestamp.After(c.until) {
		c.until = doc.Timestamp
	}
	c.sum.part([]byte(doc.ID))
	c.sum.part(doc.Raw)
	c.table.Add(words, 1)
	c.ids = append(c.ids, doc.ID)
}

// checksum is over all that a snapshot is made of.
type checksum struct{ hash.Hash }

func (c checksum) part(b []byte) {
	c.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
	c.Write(b)
}

func (c checksum) features(f []float32) {
	b := make([]byte, 0, 4*len(f))
	for _, x := range f {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	c.part(b)
}
