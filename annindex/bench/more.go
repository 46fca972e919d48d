package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"kilim/annindex/hnsw"
)

// deleteTask deletes half of the vectors at random, the tenth nearest to one vector, and the half nearest to it, each
// from an index of its own, and measures what is left beside a fresh index of it.
func (r *run) deleteTask() error {
	now, err := r.data.state("base.f32", "truth.i32", 0)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	n := len(now.vectors)
	order := rng.Perm(n)
	half := slices.Clone(order[:n/2])
	centre := now.vectors[order[0]]
	slices.SortFunc(order, func(a, b int) int {
		if x, y := dot(centre, now.vectors[a]), dot(centre, now.vectors[b]); x != y {
			return map[bool]int{true: -1, false: 1}[x > y]
		}
		return a - b
	})
	for _, c := range []struct {
		way  string
		gone []int
	}{{"half", half}, {"cluster", order[:n/10]}, {"near half", order[:n/2]}} {
		if err := r.deleteSome(now, c.way, c.gone); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) deleteSome(now state, way string, gone []int) error {
	g, _, err := r.build(now.vectors, 1)
	if err != nil {
		return err
	}
	s := newSearcher(g, len(r.data.queries))
	ef, err := s.smallest(r.data.queries, now, 0.95)
	if err != nil {
		return err
	}
	dead := map[uint64]bool{}
	start := time.Now()
	for _, id := range gone {
		if err := g.Delete(uint64(id)); err != nil {
			return err
		}
		dead[uint64(id)] = true
	}
	rate := float64(len(gone)) / time.Since(start).Seconds()
	fresh, err := hnsw.New(r.config(g.Dim(), len(now.vectors)-len(gone)))
	if err != nil {
		return err
	}
	left := make([]uint32, 0, len(now.vectors))
	for id, v := range now.vectors {
		if !dead[uint64(id)] {
			left = append(left, uint32(id))
			if err := fresh.Put(uint64(id), v); err != nil {
				return err
			}
		}
	}
	rest := r.exactly(now.vectors, left)
	back := 0
	if err := s.all(r.data.queries, ef, 1); err != nil {
		return err
	}
	for _, hits := range s.found {
		for _, h := range hits {
			if dead[h.ID] {
				back++
			}
		}
	}
	f := newSearcher(fresh, len(r.data.queries))
	if err := f.all(r.data.queries, ef, 1); err != nil {
		return err
	}
	r.emit(record{"task": "delete", "way": way, "ef": ef, "deletes_per_s": rate, "deleted": len(gone), "returned": back,
		"recall": s.recall(r.data.queries, rest), "recall_fresh": f.recall(r.data.queries, rest)})
	return nil
}

// exactly returns the state of an index of those vectors whose ids are given, with the true answers.
func (r *run) exactly(vectors [][]float32, ids []uint32) state {
	now := state{vectors: vectors, truth: make([][]uint32, len(r.data.queries))}
	for q, query := range r.data.queries {
		scores := make(map[uint32]float64, len(ids))
		for _, id := range ids {
			scores[id] = dot(query, vectors[id])
		}
		slices.SortFunc(ids, func(a, b uint32) int { return cmp.Compare(scores[b], scores[a]) })
		now.truth[q] = slices.Clone(ids[:answers])
	}
	return now
}

// nudgeTask moves every vector by little, again and again, as a refresh of embeddings does: each time by a
// fiftieth of its length in a random direction. It shows what hnsw.Config.RelinkBeyond costs and saves.
func (r *run) nudgeTask() error {
	const rounds, length = 20, 0.02
	now, err := r.data.state("base.f32", "truth.i32", 0)
	if err != nil {
		return err
	}
	g, _, err := r.build(now.vectors, 1)
	if err != nil {
		return err
	}
	ef, err := newSearcher(g, len(r.data.queries)).smallest(r.data.queries, now, 0.95)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(3, 1))
	dim := len(now.vectors[0])
	var took time.Duration
	for range rounds {
		for _, v := range now.vectors {
			for j := range v {
				v[j] += float32(length * rng.NormFloat64() / math.Sqrt(float64(dim)))
			}
			norm := float32(math.Sqrt(dot(v, v)))
			for j := range v {
				v[j] /= norm
			}
		}
		start := time.Now()
		if err := put(g, now.vectors, 0, len(now.vectors), 1); err != nil {
			return err
		}
		took += time.Since(start)
	}
	fresh, _, err := r.build(now.vectors, 1)
	if err != nil {
		return err
	}
	all := make([]uint32, len(now.vectors))
	for i := range all {
		all[i] = uint32(i)
	}
	then := r.exactly(now.vectors, all)
	rec := record{"task": "nudge", "ef": ef, "relink_beyond": r.relinkBeyond, "moves_per_s": float64(rounds*len(all)) / took.Seconds()}
	for name, g := range map[string]*hnsw.Graph{"recall": g, "recall_fresh": fresh} {
		s := newSearcher(g, len(r.data.queries))
		if err := s.all(r.data.queries, ef, 1); err != nil {
			return err
		}
		rec[name] = s.recall(r.data.queries, then)
	}
	r.emit(rec)
	return nil
}

// loadTask times the snapshot of a large index to a file and back. The vectors are random ones around a few thousand
// centres, as their places do not matter here.
func (r *run) loadTask(n int) error {
	const dim = 128
	rng := rand.New(rand.NewPCG(2, 1))
	centres := make([][]float32, 5000)
	for i := range centres {
		centres[i] = make([]float32, dim)
		for j := range centres[i] {
			centres[i][j] = float32(rng.NormFloat64() / math.Sqrt(dim))
		}
	}
	before, err := residentMB()
	if err != nil {
		return err
	}
	g, err := hnsw.New(hnsw.Config{Dim: dim, M: r.m, EfConstruction: 40, Capacity: n})
	if err != nil {
		return err
	}
	vec := make([]float32, dim)
	for id := range uint64(n) {
		for j, x := range centres[rng.IntN(len(centres))] {
			vec[j] = x + float32(0.3*rng.NormFloat64()/math.Sqrt(dim))
		}
		if err := g.Put(id, vec); err != nil {
			return err
		}
	}
	after, err := residentMB()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp("", "kilim-ann")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	start := time.Now()
	if err := g.Snapshot(f); err != nil {
		return err
	}
	wrote := time.Since(start)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	back, err := hnsw.New(hnsw.Config{Dim: dim, M: r.m})
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return err
	}
	start = time.Now()
	if err := back.Restore(f); err != nil {
		return err
	}
	loaded := time.Since(start)
	a, err := g.Search(vec, answers, nil)
	if err != nil {
		return err
	}
	b, err := back.Search(vec, answers, nil)
	if err != nil {
		return err
	}
	r.emit(record{"task": "load", "vectors": n, "mb": after - before, "file_mb": float64(info.Size()) / 1e6,
		"write_s": wrote.Seconds(), "load_s": loaded.Seconds(), "same_answers": slices.Equal(a, b)})
	return nil
}
