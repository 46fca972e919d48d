package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
)

// figures are those of a method by theme, with `mean of themes` and `overall`.
type figures map[string]float64

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

// split is the peer's: the places in the feed of the works that are fitted come first.
func (o *options) split(ctx context.Context, n int) ([]int, error) {
	out, err := o.runPython(ctx, "-c", fmt.Sprintf("import json, numpy; print(json.dumps(numpy.random.default_rng(%d).permutation(%d).tolist()))", o.seed, n))
	if err != nil {
		return nil, fmt.Errorf("the peer's split: %w", err)
	}
	var places []int
	if err := json.Unmarshal(out, &places); err != nil {
		return nil, fmt.Errorf("the peer's split: %w", err)
	}
	return places, nil
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
