package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
)

// figures are those of a method by theme, with those of all themes.
type figures map[string]float64

// The names of the rows that are of no one theme, as the peer calls them.
const (
	mean    = "mean of themes"
	overall = "overall"
)

// peerFigures runs the peer, and returns its figures by method.
func (o *options) peerFigures(ctx context.Context) (map[string]figures, error) {
	out, err := o.runPython(ctx, o.peer, o.feed, "--fit", strconv.Itoa(o.fit), "--seed", strconv.Itoa(o.seed), "--queries", strconv.Itoa(o.queries), "--json")
	if err != nil {
		return nil, fmt.Errorf("the peer: %w", err)
	}
	all := map[string]figures{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var row struct {
			Method string  `json:"method"`
			Theme  string  `json:"theme"`
			NDCG   float64 `json:"ndcg10"`
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("the peer's line %q: %w", lines.Text(), err)
		}
		if all[row.Method] == nil {
			all[row.Method] = figures{}
		}
		all[row.Method][row.Theme] = row.NDCG
	}
	return all, lines.Err()
}

// questions are what the peer is asked: the places in the feed of the works that are fitted and ranked, and the places among these of those
// that ask, by theme and in general.
type questions struct {
	Fitted, Ranked, General []int
	Asked                   map[string][]int
}

//go:embed questions.py
var drawQuestions string

func (o *options) questions(ctx context.Context) (*questions, error) {
	out, err := o.runPython(ctx, "-c", drawQuestions, o.peer, o.feed, strconv.Itoa(o.fit), strconv.Itoa(o.seed), strconv.Itoa(o.queries))
	if err != nil {
		return nil, fmt.Errorf("the peer's questions: %w", err)
	}
	q := &questions{}
	if err := json.Unmarshal(out, q); err != nil {
		return nil, fmt.Errorf("the peer's questions: %w", err)
	}
	return q, nil
}

func (o *options) runPython(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, o.python, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", o.python, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
