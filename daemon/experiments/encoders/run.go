package encoders

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"kilim/daemon/demo"
	"kilim/learner/train/eval"
)

// Options choose what is looked at.
type Options struct {
	Feeds     string // folder with vases.jsonl and songs.jsonl
	Artifacts int    // of the demo archive
	Seed      uint64 // of the demo archive, the resampling and the windows of reframed pictures
	// Rates is how long all cores encode for each of Result.Rates; 0: there are none.
	Rates time.Duration
}

// Row is the outcome of a task.
type Row struct {
	Modality string  `json:"modality"`
	Task     string  `json:"task"`
	Score    string  `json:"score"` // what the numbers are
	Items    int     `json:"items"`
	Queries  int     `json:"queries"`
	Chance   float64 `json:"chance"`
	Baseline string  `json:"baseline"`
	// Base and Ours are the means over the queries, Lead that of ours less the baseline's.
	Base    eval.Interval `json:"base"`
	Ours    eval.Interval `json:"ours"`
	Lead    eval.Interval `json:"lead"`
	Verdict string        `json:"verdict"` // of ours against the baseline
}

// Result is a run.
type Result struct {
	Rows  []Row  `json:"rows"`
	Rates []Rate `json:"rates,omitempty"`
	// Missing are the tasks whose feed is not there, with the reason.
	Missing []string `json:"missing,omitempty"`
}

// modality is an encoder with its baseline.
type modality struct {
	name, baseline string
	encode         func([]item) (ours, base rounds, err error)
}

// Run does all tasks, one after another. A feed that is not there is left out and said to be.
func Run(ctx context.Context, opt Options) (*Result, error) {
	out := &Result{}
	picture := modality{"image", "8x8 grey thumbnail", byPicture}
	again := modality{"image", "8x8 grey thumbnail", byReframed(opt.Seed)}
	sound := modality{"audio", "mean MFCC", bySound}
	words := modality{"text", "plain words, tf-idf", byText}
	add := func(m modality, items []item, tasks ...task) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := m.run(items, tasks, opt.Seed)
		out.Rows = append(out.Rows, rows...)
		return err
	}

	vases, err := feed(opt.Feeds, "vases.jsonl", vase)
	if errors.Is(err, fs.ErrNotExist) {
		out.Missing = append(out.Missing, fmt.Sprintf("vases: %v", err))
	} else if err != nil {
		return nil, err
	} else if err := errors.Join(
		add(picture, vases, task{name: "vases: same vase", score: found(3)}),
		add(again, vases, task{name: "vases: same vase, reframed", score: found(3)}),
	); err != nil {
		return nil, err
	}
	songs, err := feed(opt.Feeds, "songs.jsonl", songType)
	if errors.Is(err, fs.ErrNotExist) {
		out.Missing = append(out.Missing, fmt.Sprintf("songs: %v", err))
	} else if err != nil {
		return nil, err
	} else if err := add(sound, songs, task{name: "songs: type", score: precision(5)}); err != nil {
		return nil, err
	}

	archive, err := demoArchive(ctx, demo.Options{Artifacts: opt.Artifacts, Seed: opt.Seed, Media: true})
	if err != nil {
		return nil, err
	}
	pictured := labelled(archive, func(t demo.Truth) string { return t.Motif }, func(it item) bool { return it.picture != nil })
	sung := labelled(archive, func(t demo.Truth) string { return t.Mode }, func(it item) bool { return it.sound != nil })
	told := labelled(archive, func(t demo.Truth) string { return t.Culture }, func(it item) bool { return it.texts[0] != "" })
	if err := errors.Join(
		add(picture, pictured, task{name: "demo: motif", score: precision(5)}, task{name: "demo: motif, other cultures", score: precision(5), abroad: true}),
		add(sound, sung, task{name: "demo: mode", score: precision(5)}, task{name: "demo: mode, other cultures", score: precision(5), abroad: true}),
		add(words, told, task{name: "demo: culture", score: precision(5)}),
	); err != nil || opt.Rates == 0 {
		return out, err
	}
	out.Rates, err = rates(ctx, opt.Rates, []load{
		{"text", "demo archive, 1 KB", kilobytes(told)}, {"image", "vases", vases}, {"image", "demo archive", pictured},
		{"audio", "songs", songs}, {"audio", "demo archive", sung},
	})
	return out, err
}

// task is a question about items.
type task struct {
	name   string
	score  score
	abroad bool // neighbours are sought in other cultures only
}

func (m modality) run(items []item, tasks []task, seed uint64) ([]Row, error) {
	ours, base, err := m.encode(items)
	if err != nil {
		return nil, err
	}
	s := sample{}
	var cultures []string
	for _, it := range items {
		s.labels, cultures = append(s.labels, it.label), append(cultures, it.culture)
	}
	var rows []Row
	for _, t := range tasks {
		s.apart = nil
		if t.abroad {
			s.apart = cultures
		}
		mine, chances := s.ask(t.score, ours)
		theirs, _ := s.ask(t.score, base)
		if len(mine) == 0 {
			return nil, fmt.Errorf("encoders: %s: %d artifacts are too few: none has a neighbour with its label", t.name, len(items))
		}
		lead, verdict := eval.Paired(theirs, mine, seed)
		rows = append(rows, Row{
			Modality: m.name, Task: t.name, Score: t.score.unit, Items: len(items), Queries: len(mine),
			Chance: mean(chances), Baseline: m.baseline,
			Base: eval.Bootstrap(theirs, seed), Ours: eval.Bootstrap(mine, seed), Lead: lead, Verdict: verdict.String(),
		})
	}
	return rows, nil
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
