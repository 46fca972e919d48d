package encoders

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer/profile"
	"kilim/daemon/pipeline"
	"kilim/learner/encode/audio"
	pictures "kilim/learner/encode/image"
	"kilim/learner/encode/text"
)

// Rate is how quickly an encoder works when all cores encode: from the bytes of a file, or of a text, to the vector.
type Rate struct {
	Modality string `json:"modality"`
	Of       string `json:"of"`
	Bytes    int    `json:"bytes"` // of an item, the mean
	Cores    int    `json:"cores"`
	// PerSecond is the number of items encoded a second by all cores.
	PerSecond float64 `json:"artifacts_per_second"`
}

// load is what a rate is measured on.
type load struct {
	modality, name string
	items          []item
}

func rates(ctx context.Context, each time.Duration, loads []load) ([]Rate, error) {
	var out []Rate
	for _, l := range loads {
		if len(l.items) == 0 {
			continue // a feed that is not there
		}
		encode, err := l.encoder()
		if err != nil {
			return nil, err
		}
		r := Rate{Modality: l.modality, Of: l.name, Cores: runtime.GOMAXPROCS(0)}
		for i := range l.items {
			r.Bytes += l.items[i].size(l.modality) / len(l.items)
		}
		if r.PerSecond, err = rate(ctx, each, r.Cores, len(l.items), encode); err != nil {
			return nil, fmt.Errorf("encoders: rate of %s, %s: %w", l.modality, l.name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// rate encodes the n items in turn, on so many cores, for a while.
func rate(ctx context.Context, length time.Duration, cores, n int, encode func(i int) error) (float64, error) {
	var next atomic.Int64
	var g errgroup.Group
	began := time.Now()
	for range cores {
		g.Go(func() error {
			for time.Since(began) < length {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := encode(int(next.Add(1)-1) % n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(next.Load()) / time.Since(began).Seconds(), err
}

// encoder returns what encodes an item, as the daemon does.
func (l *load) encoder() (func(i int) error, error) {
	switch l.modality {
	case profile.Image:
		enc, err := pictures.New(pictures.Limits{})
		return func(i int) error { _, err := enc.Encode(l.items[i].picture); return err }, err
	case profile.Audio:
		enc, err := audio.New(audio.Limits{})
		return func(i int) error { _, err := enc.Encode(l.items[i].sound); return err }, err
	}
	enc, err := text.NewEncoder(text.Config{Seed: pipeline.Seed})
	if err != nil {
		return nil, err
	}
	table := text.NewTable()
	for _, it := range l.items {
		table.Add(enc.Analyze(it.texts...), 1)
	}
	return func(i int) error {
		enc.Project(enc.Analyze(l.items[i].texts...), table.IDF, make([]float32, enc.Dim()))
		return nil
	}, nil
}

func (it *item) size(modality string) int {
	switch modality {
	case profile.Image:
		return len(it.picture)
	case profile.Audio:
		return len(it.sound)
	}
	return len(strings.Join(it.texts, ""))
}

// kilobytes are texts of 1000 bytes made of those of the items, one after the other.
func kilobytes(items []item) []item {
	const size = 1000
	var out []item
	var b strings.Builder
	for _, it := range items {
		for _, t := range it.texts {
			b.WriteString(t + " ")
		}
		if b.Len() >= size {
			out = append(out, item{texts: []string{strings.ToValidUTF8(b.String()[:size], "")}})
			b.Reset()
		}
	}
	return out
}
