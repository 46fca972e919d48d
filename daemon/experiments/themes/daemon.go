package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
	"kilim/daemon/web"
	"kilim/learner/train/eval"
)

// The names of the rankings by a daemon: the lists that it answers with, with its own judgement of them.
const (
	byDaemon      = "daemon, lists"
	byDaemonFirst = "daemon, kilim eval, half of the labels"
	byDaemonEval  = "daemon, kilim eval"
)

// agreement is how far the mean of the daemon's figures may be from the model's.
const agreement = 0.01

// longest is how many entries of a list the daemon answers with at most.
const longest = 200

// runDaemon asks a running daemon the questions that ownFigures asks the model. It is fed with all works, of which half of those to be fitted
// have labels; then with the labels of the other half, as replacements of their records. The ranked ones never have labels.
func runDaemon(ctx context.Context, o *options, stdout io.Writer) error {
	all, err := readArchive(o.feed)
	if err != nil {
		return err
	}
	records, err := feedfile.Read(o.feed, 0)
	if err != nil {
		return err
	}
	asked, err := o.questions(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kilim-bench-themes")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d, err := newDaemonRun(o, dir, all, records, asked)
	if err != nil {
		return err
	}
	daemons, err := d.measure(ctx, stdout)
	if err != nil {
		return err
	}
	own, err := o.ownFigures(ctx, stdout, all, asked)
	if err != nil {
		return err
	}
	delete(own, termsAlone)
	for name, f := range daemons {
		own[name] = f
	}
	print(stdout, own, append(all.themes(), mean))
	var faults []error
	for _, name := range []string{byDaemon, byDaemonEval} {
		if off := own[name][mean] - own[whole][mean]; math.Abs(off) > agreement {
			faults = append(faults, fmt.Errorf("%s: the mean is %.3f off the model's", name, off))
		}
	}
	if daemons[byDaemonEval][mean] <= daemons[byDaemonFirst][mean] {
		faults = append(faults, errors.New("the labels that came later have made it no better"))
	}
	return errors.Join(faults...)
}

// daemonRun is a daemon that is asked.
type daemonRun struct {
	*daemonproc.Instance
	o       *options
	all     *archive
	asked   *questions
	records []feedfile.Record
	ranked  *archive
	place   map[string]int // of a ranked work among the ranked
	dir     string
}

func newDaemonRun(o *options, dir string, all *archive, records []feedfile.Record, asked *questions) (*daemonRun, error) {
	i, err := daemonproc.NewInstance(o.kilim, filepath.Join(dir, "state"), "")
	if err != nil {
		return nil, err
	}
	d := &daemonRun{Instance: i, o: o, all: all, asked: asked, records: records, ranked: all.at(asked.Ranked), place: map[string]int{}, dir: dir}
	for place := range d.ranked.works {
		d.place[d.ranked.works[place].ID] = place
	}
	return d, nil
}

// write writes the records at places to a file, with their labels or without.
func (d *daemonRun) write(name string, places []int, labelled bool) (string, error) {
	var out []feedfile.Record
	for _, i := range places {
		r := d.records[i]
		if !labelled {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(r.Line, &fields); err != nil {
				return "", fmt.Errorf("record %s: %w", r.ID, err)
			}
			delete(fields, "theme")
			line, err := json.Marshal(fields)
			if err != nil {
				return "", fmt.Errorf("record %s: %w", r.ID, err)
			}
			r.Line = line
		}
		out = append(out, r)
	}
	path := filepath.Join(d.dir, name+".jsonl")
	return path, feedfile.Write(path, out)
}

// measure returns the daemon's figures by ranking.
func (d *daemonRun) measure(ctx context.Context, stdout io.Writer) (map[string]figures, error) {
	half := len(d.asked.Fitted) / 2
	p, err := d.Serve("--train.share=0", "--themes.least=2")
	if err != nil {
		return nil, err
	}
	defer p.Close()
	ctx, cancel := p.Alive(ctx)
	defer cancel()
	if err := d.Ready(ctx); err != nil {
		return nil, err
	}
	truth, err := d.write("truth", d.asked.Ranked, true)
	if err != nil {
		return nil, err
	}
	by := map[string]figures{}
	for _, part := range []struct {
		name     string
		places   []int
		labelled bool
	}{{"ranked", d.asked.Ranked, false}, {"later", d.asked.Fitted[half:], false}, {"first", d.asked.Fitted[:half], true}} {
		if err := d.feed(ctx, part.name, part.places, part.labelled); err != nil {
			return nil, err
		}
	}
	if err := d.learned(ctx, half); err != nil {
		return nil, err
	}
	if by[byDaemonFirst], err = d.evaluate(ctx, truth); err != nil {
		return nil, err
	}
	if err := d.feed(ctx, "labels", d.asked.Fitted[half:], true); err != nil {
		return nil, err
	}
	if err := d.learned(ctx, len(d.asked.Fitted)); err != nil {
		return nil, err
	}
	if by[byDaemonEval], err = d.evaluate(ctx, truth); err != nil {
		return nil, err
	}
	by[byDaemon], err = d.lists(ctx, stdout)
	if err != nil {
		return nil, err
	}
	most, err := p.Memory()
	if err != nil {
		return nil, err
	}
	if err := p.Stop(); err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "the daemon: %+v in memory at the end, %v\n", most, p.Usage())
	return by, nil
}

func (d *daemonRun) feed(ctx context.Context, name string, places []int, labelled bool) error {
	path, err := d.write(name, places, labelled)
	if err != nil {
		return err
	}
	_, err = d.Feed(ctx, path, 0)
	return err
}

// learned waits until the daemon has done all that it was fed, and its model was fitted to so many works.
func (d *daemonRun) learned(ctx context.Context, works int) error {
	if _, err := d.Settle(ctx); err != nil {
		return err
	}
	return daemonproc.Poll(ctx, time.Second, func() error {
		var now web.Themes
		if _, err := d.Get(ctx, "/api/v1/themes", &now); err != nil {
			return err
		}
		if now.Model == nil || now.Model.Works != works || now.Waiting > 0 || now.Phase != "idle" {
			return fmt.Errorf("the themes are not learned: %+v", now)
		}
		return nil
	})
}

// evaluate is what kilim eval says of each theme: 500 works that ask, drawn by another draw.
func (d *daemonRun) evaluate(ctx context.Context, truth string) (figures, error) {
	f := figures{}
	for t := range d.asked.Asked {
		cmd := exec.CommandContext(ctx, d.Kilim, "eval", "--truth", truth, "--list", "theme:"+t, "--http", "http://"+d.HTTP, "--json")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("kilim eval of %s: %w: %s", t, err, bytes.TrimSpace(stderr.Bytes()))
		}
		var r eval.Report
		if err := json.Unmarshal(out, &r); err != nil {
			return nil, fmt.Errorf("kilim eval of %s: %w", t, err)
		}
		if r.Labelled > 0 {
			return nil, fmt.Errorf("%d of the ranked works have labels in the archive", r.Labelled)
		}
		f[t] = r.Systems[0].Metrics[0].Mean
		f[mean] += f[t] / float64(len(d.asked.Asked))
	}
	return f, nil
}

// lists asks for the lists of the works that ask, and ranks by the ranked works among the 200 entries.
func (d *daemonRun) lists(ctx context.Context, stdout io.Writer) (figures, error) {
	judge := newJudge(d.ranked.labels, d.all.themes(), uint64(d.o.seed))
	f, lists, none, short := figures{}, 0, 0, 0
	for t, queries := range d.asked.Asked {
		for _, q := range queries {
			var answer web.ThemeAnswer
			path := fmt.Sprintf("/api/v1/artifacts/%s/similar?list=%s&k=%d", url.PathEscape(d.ranked.works[q].ID), url.QueryEscape("theme:"+t), longest)
			if _, err := d.Get(ctx, path, &answer); err != nil {
				return nil, err
			}
			scores, found := make([]float64, len(d.ranked.works)), 0
			for _, item := range answer.Items {
				if i, ok := d.place[item.ID]; ok {
					scores[i] = item.Score
					found++
				}
			}
			lists++
			if !answer.Applies {
				none++
			} else if found < best {
				short++
			}
			f[t] += judge.ndcg(t, q, scores) / float64(len(queries))
		}
		f[mean] += f[t] / float64(len(d.asked.Asked))
	}
	fmt.Fprintf(stdout, "of %d lists of %d, %d are empty since the theme does not apply, and %d have fewer than %d ranked works\n", lists, longest, none, short, best)
	return f, nil
}
