package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// prometheus is a server of our own, in a folder of its own.
type prometheus struct {
	url  string
	dir  string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
}

// startPrometheus runs the configuration in dir, changed in two places: it
// scrapes the given daemon in place of compose's, and each second.
func startPrometheus(ctx context.Context, dir, kilim string) (*prometheus, error) {
	target, err := url.Parse(kilim)
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("-kilim %q: want a URL such as http://127.0.0.1:9464", kilim)
	}
	config, err := os.ReadFile(filepath.Join(dir, "prometheus.yml"))
	if err != nil {
		return nil, err
	}
	changed := string(config)
	for from, to := range map[string]string{
		"kilim:9464":           target.Host,
		"scrape_interval: 15s": "scrape_interval: 1s",
	} {
		if !strings.Contains(changed, from) {
			return nil, fmt.Errorf("prometheus.yml: %q is not there to be replaced", from)
		}
		changed = strings.ReplaceAll(changed, from, to)
	}
	p := &prometheus{log: &bytes.Buffer{}, done: make(chan struct{})}
	if p.dir, err = os.MkdirTemp("", "kilim-verify-"); err != nil {
		return nil, err
	}
	rules, err := os.ReadFile(filepath.Join(dir, "alerts.yml"))
	if err == nil {
		err = errors.Join(
			os.WriteFile(filepath.Join(p.dir, "alerts.yml"), rules, 0o600),
			os.WriteFile(filepath.Join(p.dir, "prometheus.yml"), []byte(changed), 0o600))
	}
	if err == nil {
		err = p.start()
	}
	if err == nil {
		err = p.ready(ctx)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *prometheus) start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a free port: %w", err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return fmt.Errorf("find a free port: %w", err)
	}
	p.url = "http://" + addr
	p.cmd = exec.Command("prometheus",
		"--config.file="+filepath.Join(p.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(p.dir, "data"),
		"--web.listen-address="+addr)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return fmt.Errorf("start Prometheus: %w", err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	return nil
}

// stop ends the server and removes what it wrote.
func (p *prometheus) stop() {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		<-p.done
	}
	_ = os.RemoveAll(p.dir) // a temporary folder
}

func (p *prometheus) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if body, err := p.get(ctx, "/-/ready", nil); err == nil && len(body) > 0 {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("the Prometheus that was started has ended:\n%s", p.log)
		case <-ctx.Done():
			return fmt.Errorf("wait for Prometheus: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (p *prometheus) get(ctx context.Context, path string, args url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path+"?"+args.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return body, err
}

// missing is a query without data, and what Prometheus said to it last.
type missing struct {
	query  query
	answer string
}

// await asks until every query has returned data once, or ctx ends. A query that
// Prometheus can't evaluate is an error at once.
func (p *prometheus) await(ctx context.Context, queries []query) ([]missing, error) {
	left := make([]missing, len(queries))
	for i, q := range queries {
		left[i] = missing{q, "not asked"}
	}
	for {
		var still []missing
		for _, m := range left {
			body, err := p.get(ctx, "/api/v1/query", url.Values{"query": {m.query.expr}})
			switch {
			case ctx.Err() != nil:
				still = append(still, m)
			case err != nil:
				return nil, fmt.Errorf("%s: %s: %w", m.query.where, m.query.expr, err)
			default:
				if m.answer, err = data(body); err != nil {
					return nil, fmt.Errorf("%s: %w", m.query.where, err)
				}
				if m.answer != "" {
					still = append(still, m)
				}
			}
		}
		if left = still; len(left) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return left, nil
		case <-p.done:
			return nil, fmt.Errorf("the Prometheus that was started has ended:\n%s", p.log)
		case <-time.After(time.Second):
		}
	}
}

// data returns "" when the answer has a number, else what it has instead.
func data(body []byte) (string, error) {
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("answer %q: %w", body, err)
	}
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		if v, err := strconv.ParseFloat(text, 64); err == nil && v == v {
			return "", nil
		}
	}
	return fmt.Sprintf("%d series, none with a number", len(answer.Data.Result)), nil
}
