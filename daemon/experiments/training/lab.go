package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"kilim/daemon/web"
)

// patience bounds what is waited for.
const patience = 20 * time.Minute

type lab struct {
	kilim, dir string
	turns      int
}

// daemon is one that runs.
type daemon struct {
	l            *lab
	cmd          *exec.Cmd
	broker, http string
	log          string
}

func (l *lab) start(data string, flags ...string) (*daemon, error) {
	var ports [2]string
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports[i] = listener.Addr().String()
	}
	l.turns++
	d := &daemon{l: l, broker: "embedded://" + ports[0], http: ports[1], log: filepath.Join(l.dir, fmt.Sprintf("log%d", l.turns))}
	log, err := os.Create(d.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	d.cmd = exec.Command(l.kilim, append([]string{"serve", "--data", data, "--broker", d.broker, "--http", d.http}, flags...)...)
	d.cmd.Stderr = log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is ours to pass on
	return d, nil
}

// run starts the daemon, lets work work, and stops it.
func (d *daemon) run(ctx context.Context, work func(ctx context.Context) error) error {
	if err := d.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := work(ctx)
	err = errors.Join(err, d.cmd.Process.Signal(syscall.SIGTERM), <-ended)
	if err != nil {
		if log, bad := os.ReadFile(d.log); bad == nil {
			err = fmt.Errorf("%w; its log ends with:\n%s", err, log[max(0, len(log)-2000):])
		}
	}
	return err
}

// command runs a command of the binary against the daemon.
func (d *daemon) command(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, d.l.kilim, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%v: %w: %s", args, err, out)
	}
	return nil
}

// until looks at the status until it is as wanted.
func (d *daemon) until(ctx context.Context, wanted func(*web.Status) bool) error {
	for {
		var s web.Status
		res, err := http.Get("http://" + d.http + "/api/v1/status")
		if err == nil {
			if res.StatusCode == http.StatusOK {
				err = json.NewDecoder(res.Body).Decode(&s)
			}
			err = errors.Join(err, res.Body.Close())
		}
		if err == nil && wanted(&s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the daemon: %w (the last answer: %+v, %w)", ctx.Err(), s, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (l *lab) load(ctx context.Context, data, feed string) error {
	d, err := l.start(data, "--train.share", "0")
	if err != nil {
		return err
	}
	return d.run(ctx, func(ctx context.Context) error {
		if err := d.until(ctx, func(s *web.Status) bool { return s.Ready }); err != nil {
			return err
		}
		if err := d.command(ctx, "feed", feed, "--broker", d.broker); err != nil {
			return err
		}
		return d.command(ctx, "status", "--wait", "--http", d.http)
	})
}

// result is what one turn showed.
type result struct{ p50, p99, seconds, cpu, steps float64 }

func (l *lab) turn(ctx context.Context, base, feed string, rate, share float64) (r result, err error) {
	data := filepath.Join(l.dir, "turn")
	if err := os.CopyFS(data, os.DirFS(base)); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	// All that the state has is new to training: it is due at once.
	d, err := l.start(data, "--train.share", fmt.Sprint(share), "--train.least", "100", "--train.changes", "0.0001")
	if err != nil {
		return r, err
	}
	training := func(s *web.Status) bool {
		return s.Training != nil && s.Training.Phase == "training" && s.Training.Step > 0
	}
	err = d.run(ctx, func(ctx context.Context) error {
		wanted := func(s *web.Status) bool { return s.Ready }
		if share > 0 {
			wanted = training
		}
		if err := d.until(ctx, wanted); err != nil {
			return err
		}
		before, err := d.metrics(ctx)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := d.command(ctx, "feed", feed, "--broker", d.broker, "--rate", strconv.FormatFloat(rate, 'f', -1, 64)); err != nil {
			return err
		}
		if share > 0 {
			at := time.Now()
			if err := d.until(ctx, func(s *web.Status) bool { return training(s) || time.Since(at) > time.Second }); err != nil {
				return err
			}
			if time.Since(at) > time.Second {
				return errors.New("training was at its end before the feed was: measure fewer artifacts, or have more before")
			}
		}
		after, err := d.metrics(ctx)
		if err != nil {
			return err
		}
		r.steps = after["kilim_training_steps_total"].GetMetric()[0].GetCounter().GetValue() - before["kilim_training_steps_total"].GetMetric()[0].GetCounter().GetValue()
		r.cpu = after["process_cpu_seconds_total"].GetMetric()[0].GetCounter().GetValue() - before["process_cpu_seconds_total"].GetMetric()[0].GetCounter().GetValue()
		if err := d.command(ctx, "status", "--wait", "--http", d.http); err != nil {
			return err
		}
		r.seconds = time.Since(start).Seconds()
		if after, err = d.metrics(ctx); err != nil {
			return err
		}
		h := after["kilim_freshness_seconds"].GetMetric()[0].GetHistogram()
		r.p50, r.p99 = quantile(h, 0.5), quantile(h, 0.99)
		return nil
	})
	return r, err
}

// metrics are those of the daemon, with the histograms' fine buckets.
func (d *daemon) metrics(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.http+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out := map[string]*dto.MetricFamily{}
	for in := expfmt.NewDecoder(res.Body, expfmt.ResponseFormat(res.Header)); ; {
		f := new(dto.MetricFamily)
		if err := in.Decode(f); err != nil {
			if len(out) == 0 || !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("metrics: %w", err)
			}
			return out, nil
		}
		out[f.GetName()] = f
	}
}
