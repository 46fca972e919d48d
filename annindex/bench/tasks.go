package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kilim/annindex/hnsw"
)

// record is one of the records that the peers' README fixes; run.emit adds the fields that all have.
type record map[string]any

// run holds a data set, the parameters of the graph, and where the records go.
type run struct {
	data *dataset
	m    int
	// relinkBeyond and reinsertBeyond go to hnsw.Config.
	relinkBeyond, reinsertBeyond float32
	emit                         func(record)
}

// config returns the parameters of a graph of about n vectors.
func (r *run) config(dim, n int) hnsw.Config {
	return hnsw.Config{Dim: dim, M: r.m, EfConstruction: efConstruction, Capacity: n, ScanBelow: -1,
		RelinkBeyond: r.relinkBeyond, ReinsertBeyond: r.reinsertBeyond}
}

// build returns an index of vectors whose ids are their rows, and the insertions a second.
func (r *run) build(vectors [][]float32, threads int) (*hnsw.Graph, float64, error) {
	start := time.Now()
	g, err := hnsw.New(r.config(len(vectors[0]), len(vectors)))
	if err != nil {
		return nil, 0, err
	}
	err = put(g, vectors, 0, len(vectors), threads)
	return g, float64(len(vectors)) / time.Since(start).Seconds(), err
}

// put inserts or moves the vectors [from, to). Threads share them; one thread takes them in order.
func put(g *hnsw.Graph, vectors [][]float32, from, to, threads int) error {
	next := atomic.Int64{}
	next.Store(int64(from))
	return inParallel(threads, func() error {
		for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
			if err := g.Put(uint64(i), vectors[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// residentMB returns the resident memory after the runtime has given back what it does not use.
func residentMB() (float64, error) {
	debug.FreeOSMemory()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/self/statm: %q", raw)
	}
	pages, err := strconv.Atoi(fields[1])
	return float64(pages) * float64(os.Getpagesize()) / 1e6, err
}

// liveMB returns the memory of the Go heap that is in use, which holds all of a graph.
func liveMB() float64 {
	runtime.GC()
	runtime.GC() // a second one: a sync.Pool keeps what it holds over the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

func (r *run) buildTask() error {
	now, err := r.data.state("base.f32", "truth.i32", 0)
	if err != nil {
		return err
	}
	if _, _, err := r.build(now.vectors[:min(1000, len(now.vectors))], 2); err != nil { // as the peers do
		return err
	}
	built := func(mode string, threads int, rate float64) {
		r.emit(record{"task": "build", "mode": mode, "threads": threads, "inserts_per_s": rate})
	}
	before, err := residentMB()
	if err != nil {
		return err
	}
	g, rate, err := r.build(now.vectors, 1)
	if err != nil {
		return err
	}
	built("batch", 1, rate)
	after, err := residentMB()
	if err != nil {
		return err
	}
	n, dim := len(now.vectors), len(now.vectors[0])
	r.emit(record{"task": "memory", "mb": after - before, "vectors_mb": float64(4*n*dim) / 1e6})
	s := newSearcher(g, len(r.data.queries))
	for _, ef := range sweep() {
		p, err := s.measure(r.data.queries, now, ef)
		if err != nil {
			return err
		}
		r.emit(record{"task": "search", "ef": p.Ef, "recall": p.Recall, "qps_1": p.Rate1, "qps_2": p.Rate2})
		if p.Recall > 0.995 {
			break
		}
	}
	for _, b := range []struct {
		mode    string
		threads int
	}{{"batch", 2}, {"single", 1}} {
		g, s = nil, nil
		runtime.GC()
		if _, rate, err = r.build(now.vectors, b.threads); err != nil {
			return err
		}
		built(b.mode, b.threads, rate)
	}
	return nil
}

// rounds returns the states that an index goes through in a task.
func (r *run) rounds(task string) ([]state, error) {
	if task == "drift" {
		first, err := r.data.state("base.f32", "truth.i32", 0)
		if err != nil {
			return nil, err
		}
		out := []state{first}
		for part := range r.data.Files["drift.f32"][0] {
			next, err := r.data.state("drift.f32", "drift_truth.i32", part)
			if err != nil {
				return nil, err
			}
			out = append(out, next)
		}
		return out, nil
	}
	a, err := r.data.state("turnover_a.f32", "turnover_a_truth.i32", 0)
	if err != nil {
		return nil, err
	}
	b, err := r.data.state("turnover_b.f32", "turnover_b_truth.i32", 0)
	return []state{a, b, a, b, a, b, a, b, a, b, a}, err
}

// moveTask moves every vector once a round, in id order; on two threads a hundredth of the ids at a time.
func (r *run) moveTask(task string, threads int, fresh bool) error {
	rounds, err := r.rounds(task)
	if err != nil {
		return err
	}
	g, _, err := r.build(rounds[0].vectors, 2)
	if err != nil {
		return err
	}
	s := newSearcher(g, len(r.data.queries))
	fixed, err := s.smallest(r.data.queries, rounds[0], 0.95)
	if err != nil {
		return err
	}
	if fixed == 0 {
		fixed = slices.Max(sweep())
	}
	report := func(g *hnsw.Graph, now state, more record) error {
		s := newSearcher(g, len(r.data.queries))
		p, err := s.measure(r.data.queries, now, fixed)
		if err != nil {
			return err
		}
		needed, err := s.smallest(r.data.queries, now, 0.95)
		if err != nil {
			return err
		}
		more["ef_at_95"], more["qps_1_at_95"] = nil, nil
		if needed > 0 {
			rate, err := s.rate(r.data.queries, needed, 1)
			if err != nil {
				return err
			}
			more["ef_at_95"], more["qps_1_at_95"] = needed, rate
		}
		missing, err := lost(g, now.vectors)
		if err != nil {
			return err
		}
		more["task"], more["way"], more["threads"] = task, "move", threads
		more["ef"], more["recall"], more["qps_1"], more["qps_2"], more["lost"] = p.Ef, p.Recall, p.Rate1, p.Rate2, missing
		r.emit(more)
		return nil
	}
	if err := report(g, rounds[0], record{"round": 0}); err != nil {
		return err
	}
	for number, now := range rounds[1:] {
		start := time.Now()
		if threads == 1 {
			err = put(g, now.vectors, 0, len(now.vectors), 1)
		} else {
			n := len(now.vectors)
			for part := range 100 {
				if err = put(g, now.vectors, n*part/100, n*(part+1)/100, threads); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
		rate := float64(len(now.vectors)) / time.Since(start).Seconds()
		if err := report(g, now, record{"round": number + 1, "moves_per_s": rate}); err != nil {
			return err
		}
		if fresh && number+2 < len(rounds) {
			// Beside the peers' records: a fresh index of each state, for the bound of each round.
			anew, _, err := r.build(now.vectors, 2)
			if err != nil {
				return err
			}
			if err := report(anew, now, record{"round": "fresh " + strconv.Itoa(number+1), "part_of": task + " fresh"}); err != nil {
				return err
			}
		}
	}
	last := rounds[len(rounds)-1]
	s = nil
	with := liveMB()
	runtime.KeepAlive(g)
	g = nil
	without := liveMB()
	if g, _, err = r.build(last.vectors, 2); err != nil {
		return err
	}
	r.emit(record{"task": "memory after", "way": task, "threads": threads, "mb": with - without, "mb_fresh": liveMB() - without})
	runtime.KeepAlive(rounds) // kept until here, so that liveMB differs by the graph only
	return report(g, last, record{"round": "fresh"})
}
