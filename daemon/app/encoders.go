package app

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/chain"
	"kilim/daemon/config"
	"kilim/daemon/encode"
	"kilim/learner/audio"
	"kilim/learner/feature"
	"kilim/learner/fetch"
	"kilim/learner/image"
	"kilim/learner/remote"
)

// newEncoders makes the configured encoders. It asks no server yet.
func newEncoders(c *config.Config, metrics *remote.Metrics, log *slog.Logger) (chain.Encoders, error) {
	cfg, most := &c.Encoders, int(c.Media.MaxBytes)
	var out chain.Encoders
	for _, e := range []struct {
		kind     string
		settings *config.Encoder
		builtin  func() (feature.Encoder, error)
		to       *feature.Encoder
	}{
		{"text", &cfg.Text, func() (feature.Encoder, error) { return nil, nil }, &out.Text}, // in the chain itself
		{"image", &cfg.Image, func() (feature.Encoder, error) { return inside(image.New(image.Limits{Bytes: most})) }, &out.Image},
		{"audio", &cfg.Audio, func() (feature.Encoder, error) { return inside(audio.New(audio.Limits{Bytes: most})) }, &out.Audio},
	} {
		var err error
		switch {
		case e.settings.Kind == config.Builtin:
			*e.to, err = e.builtin()
		case e.settings.Kind == config.Precomputed:
			*e.to = encode.Precomputed{ID: e.settings.Precomputed()}
		case e.settings.Server():
			*e.to, err = remote.New(e.settings.Remote(e.kind), metrics.For(e.kind), log.With("kind", e.kind))
		}
		if err != nil {
			return chain.Encoders{}, fmt.Errorf("encoders.%s: %w", e.kind, err)
		}
	}
	return out, nil
}

// inside is an encoder of this binary.
func inside(d encode.Describer, err error) (feature.Encoder, error) {
	if err != nil {
		return nil, err
	}
	return encode.Local(d, atOnce()), nil
}

// fetcher brings media as the encoders' worker asks for them.
type fetcher struct{ *fetch.Fetcher }

func (f fetcher) Fetch(ctx context.Context, kind, uri string) ([]byte, error) {
	item, err := f.Fetcher.Fetch(ctx, fetch.Media{Kind: kind, URI: uri})
	return item.Data, err
}

// inFlight is the number of media of the largest size that may be fetched and not yet encoded.
const inFlight = 4

// startEncoders starts what encodes the media.
func (a *App) startEncoders(_ context.Context, reg *prometheus.Registry) error {
	f, err := fetch.New(a.cfg.Media.Fetch("kilim/" + a.version))
	if err != nil {
		return err
	}
	a.down.add("media roots", f.Close)
	item := int64(a.cfg.Media.MaxBytes)
	w, err := encode.New(encode.Config{
		Lanes: lanes(&a.cfg.Encoders, a.encoders), ItemBytes: item, InFlightBytes: inFlight * item, Retry: encode.DefaultRetry(),
	}, a.engine.MediaQueue(), a.engine, fetcher{f}, encode.NewMetrics(reg, a.engine.MediaQueue().Kinds()), a.log.With("part", "encoders"))
	if err != nil {
		return err
	}
	reg.MustRegister(a.engine.MediaQueue().Collector())
	a.parts = append(a.parts, part{"encoders", w.Run})
	return nil
}

// atOnce is the number of media that a built-in encoder works on at once: half of the processors are for the feed.
func atOnce() int { return max(runtime.GOMAXPROCS(0)/2, 1) }

// lanes are those of the encoders that there are.
func lanes(cfg *config.Encoders, encoders chain.Encoders) []encode.Lane {
	var out []encode.Lane
	for _, l := range []struct {
		kind     string
		settings *config.Encoder
		encoder  feature.Encoder
	}{{"text", &cfg.Text, encoders.Text}, {"image", &cfg.Image, encoders.Image}, {"audio", &cfg.Audio, encoders.Audio}} {
		switch {
		case l.encoder == nil:
		case l.settings.Server():
			out = append(out, encode.Lane{Kind: l.kind, Encoder: l.encoder, Batch: l.settings.Batch, Concurrency: l.settings.Concurrency})
		default:
			out = append(out, encode.Lane{Kind: l.kind, Encoder: l.encoder, Batch: 1, Concurrency: atOnce()})
		}
	}
	return out
}
