package app

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/profile"
	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/learner/encode"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/fetch"
	"kilim/learner/encode/image"
	"kilim/learner/encode/remote"
)

// newEncoders makes the configured encoders. It asks no server yet.
func newEncoders(c *config.Config, metrics *remote.Metrics, log *slog.Logger) (encode.Encoders, error) {
	cfg, most := &c.Encoders, int(c.Media.MaxBytes)
	budget := c.Memory.Budget()
	pictures := image.Limits{Bytes: most, Pixels: c.Media.MaxPixels, Memory: min(int64(c.Media.MaxMemory), budget.Pictures)}
	picturesAtOnce := min(atOnce(), max(1, int(budget.Pictures/pictures.Memory)))
	var out encode.Encoders
	for _, e := range []struct {
		kind     string
		settings *config.Encoder
		builtin  func() (feature.Encoder, error)
		to       *feature.Encoder
	}{
		{"text", &cfg.Text, func() (feature.Encoder, error) { return nil, nil }, &out.Text}, // nil: the pipeline has it built in
		{"image", &cfg.Image, func() (feature.Encoder, error) { return inside(picturesAtOnce)(image.New(pictures)) }, &out.Image},
		{"audio", &cfg.Audio, func() (feature.Encoder, error) { return inside(atOnce())(audio.New(audio.Limits{Bytes: most})) }, &out.Audio},
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
			return encode.Encoders{}, fmt.Errorf("encoders.%s: %w", e.kind, err)
		}
	}
	var err error
	if out.Spellings, err = cfg.Text.ReadSpellings(); err != nil {
		return encode.Encoders{}, fmt.Errorf("encoders.text.spellings: %w", err)
	}
	return out, nil
}

// inside makes encoders that run in this process, on so many items at once, of built-in describers.
func inside(atOnce int) func(encode.Describer, error) (feature.Encoder, error) {
	return func(d encode.Describer, err error) (feature.Encoder, error) {
		if err != nil {
			return nil, err
		}
		return encode.Local(d, atOnce), nil
	}
}

// fetcher makes a fetch.Fetcher what encode.New asks for.
type fetcher struct{ *fetch.Fetcher }

func (f fetcher) Fetch(ctx context.Context, kind, uri string) ([]byte, error) {
	item, err := f.Fetcher.Fetch(ctx, fetch.Media{Kind: kind, URI: uri})
	return item.Data, err
}

// inFlight is the number of media of the largest size that may be fetched and not yet encoded, if memory.limit has room for so many.
const inFlight = 4

// encoding makes the worker that encodes the media of an instance: standby.Config.Workers is its run.
type encoding struct {
	cfg     *config.Config
	fetcher fetcher
	metrics *encode.Metrics
	log     *slog.Logger
}

// startEncoders makes the encoders, and what fetches for them.
func (a *App) startEncoders(_ context.Context, reg *prometheus.Registry) (err error) {
	log := a.log.With("part", "encoders")
	if a.encoders, err = newEncoders(a.cfg, remote.NewMetrics(reg), log); err != nil {
		return err
	}
	if a.encoding, err = newEncoding(a.cfg, a.encoders, a.version, reg, &a.down, log); err != nil {
		return err
	}
	a.encoders.Reach = a.encoding
	return nil
}

// newEncoding makes what fetches media for the encoders.
func newEncoding(cfg *config.Config, encoders encode.Encoders, version string, reg prometheus.Registerer, down *teardown, log *slog.Logger) (*encoding, error) {
	f, err := fetch.New(cfg.Media.Fetch("kilim/" + version))
	if err != nil {
		return nil, err
	}
	down.add("media roots", f.Close)
	return &encoding{cfg, fetcher{f}, encode.NewMetrics(reg, encoders.Kinds()), log}, nil
}

// Refuses makes an encoding the Reach of its encoders. What it refuses is counted as what a worker is refused.
func (c *encoding) Refuses(kind, uri string) *feature.Refusal {
	refusal := c.fetcher.Refuses(uri)
	if refusal != nil {
		c.metrics.Refused(kind, refusal.Reason)
	}
	return refusal
}

// run encodes the media of an instance until ctx ends.
func (c *encoding) run(ctx context.Context, e *pipeline.Engine) error {
	item := int64(c.cfg.Media.MaxBytes)
	w, err := encode.NewWorker(encode.Config{
		Lanes: lanes(&c.cfg.Encoders, e.Media().Encoders()), ItemBytes: item, InFlightBytes: max(item, min(inFlight*item, c.cfg.Memory.Budget().Fetched)), Retry: encode.DefaultRetry(),
	}, e.Media().Queue(), e.MediaState(), c.fetcher, c.metrics, c.log)
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// gone stands for an encoder that made vectors of the state that serves and is configured no more. Its Encode fails, so media
// that come meanwhile wait; they are encoded in the standby, which standby.Manager makes with the configured encoders.
type gone struct{ id feature.Identity }

func (g gone) Identity() feature.Identity { return g.id }

func (g gone) Encode(_ context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i := range out {
		out[i].Err = fmt.Errorf("encoder %s is not configured any more", g.id)
	}
	return out
}

// encodersOf gives the encoders of the identities in made, which made the vectors of a state: the configured encoder where it
// is the same, else gone. With made nil, for a state that is yet to be made, it gives the configured encoders. Spellings of a state are
// kept beside it: words that were counted by them are counted out by them.
func encodersOf(configured encode.Encoders, made map[string]feature.Identity, kept spellingsFolder) (encode.Encoders, error) {
	if made == nil {
		return configured, kept.keep(configured.Spellings)
	}
	spellings, err := kept.find(made, configured.Spellings)
	if err != nil {
		return encode.Encoders{}, err
	}
	pick := func(kind string, now feature.Encoder) feature.Encoder {
		id, ok := made[kind]
		switch {
		case !ok:
			return nil
		case now != nil && now.Identity() == id:
			return now
		}
		return gone{id}
	}
	return encode.Encoders{
		Text:  pick(profile.Text, configured.Text),
		Image: pick(profile.Image, configured.Image),
		Audio: pick(profile.Audio, configured.Audio),
		Reach: configured.Reach, Spellings: spellings,
	}, nil
}

// atOnce is how many media a built-in encoder works on at once: half of the processors are left to ingest.
func atOnce() int { return max(runtime.GOMAXPROCS(0)/2, 1) }

// lanes gives a lane to each of the encoders, but none to gone: it could encode nothing.
func lanes(cfg *config.Encoders, encoders encode.Encoders) []encode.Lane {
	var out []encode.Lane
	for _, l := range []struct {
		kind     string
		settings *config.Encoder
		encoder  feature.Encoder
	}{{"text", &cfg.Text, encoders.Text}, {"image", &cfg.Image, encoders.Image}, {"audio", &cfg.Audio, encoders.Audio}} {
		_, left := l.encoder.(gone)
		switch {
		case l.encoder == nil || left:
		case l.settings.Server():
			out = append(out, encode.Lane{Kind: l.kind, Encoder: l.encoder, Batch: l.settings.Batch, Concurrency: l.settings.Concurrency})
		default:
			out = append(out, encode.Lane{Kind: l.kind, Encoder: l.encoder, Batch: 1, Concurrency: atOnce()})
		}
	}
	return out
}
