package main

import (
	"fmt"
	"math"
	"testing"
)

// TestDecay expects decay to compare a round with the fresh indexes of its own state, which in turnover every second
// round has.
func TestDecay(t *testing.T) {
	t.Parallel()
	at := func(task string, round any, recall float64) record {
		return record{Peer: "ours", Task: task, Threads: 1, Round: round, Recall: recall}
	}
	run := []record{
		at("turnover", 0.0, 0.10), at("turnover", 1.0, 0.92), at("turnover", 9.0, 0.94), at("turnover", 10.0, 0.97),
		at("turnover", "fresh 1", 0.94), at("turnover", "fresh 9", 0.96), at("turnover", "fresh", 0.98),
		at("drift", 1.0, 0.96), at("drift", 5.0, 0.99), at("drift", "fresh 1", 0.95), at("drift", "fresh", 0.97),
		{Peer: "usearch", Task: "drift", Threads: 1, Round: 1.0, Recall: 0.5},
	}
	for _, c := range []struct {
		task string
		want map[string]float64
	}{
		{"turnover", map[string]float64{"worst round's recall less fresh ones'": -0.03, "worst fresh one's recall less their mean": -0.01}},
		{"drift", map[string]float64{"worst round's recall less fresh ones'": 0.01}},
	} {
		rows := new(options).decay("set", c.task, 1, [][]record{run})
		if len(rows) != len(c.want) {
			t.Errorf("%s: %d rows, want %d: %v", c.task, len(rows), len(c.want), rows)
		}
		for name, want := range c.want {
			found := false
			for _, r := range rows {
				if r.Case == fmt.Sprintf("set: %s, threads 1: %s", c.task, name) {
					found = true
					if math.Abs(r.Ours-want) > 1e-9 {
						t.Errorf("%s is %v, want %v", r.Case, r.Ours, want)
					}
				}
			}
			if !found {
				t.Errorf("%s: no row %q in %v", c.task, name, rows)
			}
		}
	}
}

// TestAged expects of aged the median rate of the rounds and the worst share lost, beside those of the fresh indexes.
func TestAged(t *testing.T) {
	t.Parallel()
	at := func(round any, rate, lost float64) record {
		return record{Peer: "ours", Task: "turnover", Threads: 1, Round: round, At95: rate, Lost: lost}
	}
	rows := new(options).aged("set", "turnover", 1, [][]record{{
		at(0.0, 900, 0.5), at(1.0, 20, 0.002), at(2.0, 30, 0.004), at(10.0, 40, 0), at("fresh 1", 10, 0.001), at("fresh", 50, 0),
	}})
	if len(rows) != 2 {
		t.Fatalf("%+v", rows)
	}
	for i, want := range []row{{Ours: 30, Peer: 30, Ratio: 1}, {Ours: 0.4, Peer: 0.1}} {
		if got := rows[i]; math.Abs(got.Ours-want.Ours) > 1e-9 || math.Abs(got.Peer-want.Peer) > 1e-9 || math.Abs(got.Ratio-want.Ratio) > 1e-9 {
			t.Errorf("%s: %+v, want %+v", got.Case, got, want)
		}
	}
}
