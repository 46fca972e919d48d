package main

import (
	"context"
	"time"

	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
)

// sets makes the Sets that are trained on and measured, by package dataset as the daemon does.
type sets struct {
	corpus *corpus
	cfg    dataset.Config
	// archive has all records. table has the words of all of them, by which those of the measured Sets are weighted.
	archive *dataset.Memory
	table   *text.Table
}

func newSets(c *corpus, cfg dataset.Config) (*sets, error) {
	s := &sets{corpus: c, cfg: cfg, table: text.NewTable()}
	for _, r := range c.records {
		s.table.Add(cfg.Words.AnalyzeTexts(r.texts), 1)
	}
	var err error
	s.archive, err = c.archive(c.all())
	return s, err
}

// training returns the Set of an archive that has some records only.
func (s *sets) training(numbers []int) (*train.Set, error) {
	archive, err := s.corpus.archive(numbers)
	if err != nil {
		return nil, err
	}
	d, err := dataset.Make(context.Background(), archive, s.cfg, archive.Len(), time.Time{})
	if err != nil {
		return nil, err
	}
	return d.Set, nil
}

// build returns the Set of Records, with the node of each.
func (s *sets) build(shown []dataset.Record) (*train.Set, []int32, error) {
	b, err := dataset.NewBuilder(s.cfg, s.table.IDF, s.archive)
	if err != nil {
		return nil, nil, err
	}
	var nodes []int32
	for _, r := range shown {
		node, err := b.Add(r)
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, node)
	}
	d, err := b.Build()
	if err != nil {
		return nil, nil, err
	}
	return d.Set, nodes, nil
}

// analyze returns the words of pieces, counted.
func (s *sets) analyze(pieces []weave.Piece) []text.Term {
	var texts []text.Text
	for _, p := range pieces {
		texts = append(texts, p.Texts...)
	}
	return s.cfg.Words.AnalyzeTexts(texts).Words
}
