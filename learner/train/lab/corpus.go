package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/image"
	"kilim/learner/encode/text"
	"kilim/learner/train/dataset"
)

// record is a whole artifact.
type record struct {
	dataset.Record
	doc   *graphstore.Doc
	texts []text.Text
}

// corpus has the last record of each artifact in a feed, in the order in which the artifacts came first.
type corpus struct {
	records []record
}

// maxLine bounds a line: an artifact with its media.
const maxLine = 16 << 20

// read reads a feed.
func read(feed string) (*corpus, error) {
	if feed == "" {
		return nil, fmt.Errorf("feed: a file of records is needed; kilim demo writes one")
	}
	f, err := os.Open(feed)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in, err := profile.Feed(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", feed, err)
	}
	media, err := newMedia()
	if err != nil {
		return nil, err
	}
	c := &corpus{}
	at := map[string]int{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		r, err := c.parse(bytes.Clone(lines.Bytes()), media)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", feed, n, err)
		}
		if i, ok := at[r.ID]; ok {
			c.records[i] = r
			continue
		}
		at[r.ID] = len(c.records)
		c.records = append(c.records, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", feed, err)
	}
	return c, nil
}

func (c *corpus) parse(raw []byte, media *media) (record, error) {
	a, err := profile.Parse(raw, "", profile.DefaultLimits())
	if err != nil {
		return record{}, err
	}
	var v dataset.Vectors
	v.Image = add(&v, a, profile.Image, graphstore.Picture, media.pictures.Encode)
	v.Audio = add(&v, a, profile.Audio, graphstore.Recording, media.recordings.Encode)
	return record{dataset.RecordOf(a, v), &graphstore.Doc{ID: a.ID, Raw: raw}, weave.Texts(a)}, nil
}

// archive returns an archive of some records, by number.
func (c *corpus) archive(numbers []int) (*dataset.Memory, error) {
	m := dataset.NewMemory()
	for _, i := range numbers {
		if err := m.Put(c.records[i].doc, c.records[i].Vectors); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// all returns the numbers of all records.
func (c *corpus) all() []int {
	out := make([]int, len(c.records))
	for i := range out {
		out[i] = i
	}
	return out
}

// media has the built-in encoders.
type media struct {
	pictures   *image.Encoder
	recordings *audio.Encoder
}

func newMedia() (*media, error) {
	pictures, err := image.New(image.Limits{})
	if err != nil {
		return nil, err
	}
	recordings, err := audio.New(audio.Limits{})
	return &media{pictures, recordings}, err
}

// add adds to v an artifact's inline media of one kind, and returns their mean.
func add(v *dataset.Vectors, a *profile.Artifact, kind string, t graphstore.Type, encoded func([]byte) ([]float32, error)) []float32 {
	var vectors [][]float32
	for _, m := range a.Media {
		if m.Kind != kind || len(m.Data) == 0 {
			continue
		}
		if vector, err := encoded(m.Data); err == nil { // media that can't be read have no vector
			vectors = append(vectors, vector)
			v.Contents = append(v.Contents, dataset.Content{Held: graphstore.Held{Type: t, Content: graphstore.ContentOf(m.Data)}, Vector: vector})
		}
	}
	return encode.MeanDirection(vectors)
}
