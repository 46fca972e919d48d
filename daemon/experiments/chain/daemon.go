package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// lookEvery is the time between two looks at a daemon that is being timed.
const lookEvery = 20 * time.Millisecond

// daemon is `kilim serve` on the run's Kafka, with a state of its own.
type daemon struct {
	*process
	base string
	http http.Client
}

// status is what this program reads of /api/v1/status.
type status struct {
	Ready        bool
	Artifacts    int
	Assigned     bool
	Lag          int64
	RefreshQueue int `json:"refresh_queue"`
	Outbox       int
}

func (s *status) durable(artifacts int) bool {
	return s.Assigned && s.Lag == 0 && s.Artifacts >= artifacts
}

func (s *status) settled(artifacts int) bool {
	return s.durable(artifacts) && s.Outbox == 0 && s.RefreshQueue == 0
}

func (l *lab) startDaemon(dir string, t topics) (*daemon, error) {
	port, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	args := append([]string{"serve", "--broker", l.kafka.addr, "--data", filepath.Join(dir, "data"), "--http", addr,
		"--kafka.group", t.artifacts, "--log.level", "warn",
		"--train.share", "0", // the peer doesn't train; make bench-training tells what that costs
	}, t.flags()...)
	p, err := startProcess(filepath.Join(dir, "log"), l.opt.kilim, args, nil)
	if err != nil {
		return nil, err
	}
	return &daemon{process: p, base: "http://" + addr, http: http.Client{Timeout: 30 * time.Second}}, nil
}

// moment is when a look was taken: between asked and answered.
type moment struct{ asked, answered time.Time }

// watch looks at the daemon's status until look returns true. While the
// daemon does not answer yet, look gets nil.
func (d *daemon) watch(ctx context.Context, look func(moment, *status) bool) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		m := moment{asked: time.Now()}
		s := new(status)
		err := d.get(ctx, "/api/v1/status", func(r *http.Response) error { return json.NewDecoder(r.Body).Decode(s) })
		if err != nil {
			s = nil
		}
		m.answered = time.Now()
		if look(m, s) {
			return nil
		}
		select {
		case <-d.done:
			return d.failure()
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; its last answer: %v %+v", d.name, ctx.Err(), err, s)
		case <-tick.C:
		}
	}
}

// settle waits until all is durable, published and refreshed. Twice in a row: status
// reads the outbox and the queue one after the other, and a unit may end between.
func (d *daemon) settle(ctx context.Context, artifacts int) (at time.Time, err error) {
	calm := 0
	err = d.watch(ctx, func(m moment, s *status) bool {
		if s == nil || !s.settled(artifacts) {
			calm = 0
			return false
		}
		if calm++; calm == 1 {
			at = m.answered
		}
		return calm == 2
	})
	return at, err
}

func (d *daemon) get(ctx context.Context, path string, read func(*http.Response) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, nil)
	if err != nil {
		return err
	}
	res, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, res.Status)
	}
	return read(res)
}

// scrape is what /metrics said at a moment.
type scrape map[string]*dto.MetricFamily

func (d *daemon) scrape(ctx context.Context) (s scrape, err error) {
	err = d.get(ctx, "/metrics", func(r *http.Response) (err error) {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		s, err = parser.TextToMetricFamilies(r.Body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return s, nil
}

// total adds up a metric over its labels: a counter's or gauge's values.
func (s scrape) total(name string) (sum float64) {
	for _, m := range s[name].GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}

// observations counts those of a histogram over its labels.
func (s scrape) observations(name string) (n uint64) {
	for _, m := range s[name].GetMetric() {
		n += m.GetHistogram().GetSampleCount()
	}
	return n
}

// stages returns the seconds spent in each stage so far.
func (s scrape) stages() map[string]float64 {
	out := map[string]float64{}
	for _, m := range s["kilim_stage_duration_seconds"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "stage" {
				out[l.GetValue()] += m.GetHistogram().GetSampleSum()
			}
		}
	}
	return out
}

// perArtifact is the microseconds an artifact that each stage took between two
// scrapes; before may be nil.
func perArtifact(before, after scrape, artifacts int) map[string]float64 {
	out := after.stages()
	earlier := before.stages()
	for stage, seconds := range out {
		out[stage] = (seconds - earlier[stage]) / float64(artifacts) * 1e6
	}
	return out
}
