package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/judgments"
	"kilim/daemon/ranking"
	"kilim/graphstore"
	"kilim/learner/encode/text"
	"kilim/learner/train/eval"
	"kilim/rerank"
)

// roomJudged is how many artifacts are judged for the daemon's room, and roomLeast the default of rank.least.
const roomJudged, roomLeast = 50, 25

// room is an archive as package ranking sees it.
type room struct {
	*archive
	nodes []graphstore.NodeID // rising
	byID  map[graphstore.NodeID]string
	best  map[int]*bestOf
}

func newRoom(a *archive) *room {
	r := &room{archive: a, byID: map[graphstore.NodeID]string{}, best: map[int]*bestOf{}}
	for _, id := range a.ids {
		node := graphstore.ID(graphstore.Artifact, id)
		r.nodes, r.byID[node] = append(r.nodes, node), id
	}
	slices.Sort(r.nodes)
	return r
}

// View implements ranking.Archive, as all below.
func (r *room) View(fn func(ranking.Documents) error) error { return fn(r) }

func (r *room) Quiet() bool { return true }

func (r *room) State() ranking.State {
	return ranking.State{Generation: 1, Epoch: 1, Weights: rerank.DefaultScoreWeights()}
}

func (r *room) Artifacts() int { return len(r.ids) }

func (r *room) Stated(_ context.Context, id string, k int) ([]rerank.Entry, ranking.State, error) {
	i, ok := r.at[id]
	if !ok {
		return nil, ranking.State{}, ranking.ErrNoArtifact
	}
	if r.best[i] == nil {
		r.best[i] = r.stated(i, r.built(i))
	}
	b := r.best[i]
	var out []rerank.Entry
	for at, c := range b.candidates[:min(k, len(b.candidates))] {
		out = append(out, rerank.Entry{ID: r.ids[b.artifacts[at]], Score: c.Score, Parts: c.Parts})
	}
	return out, r.State(), nil
}

// Artifact implements ranking.Documents, as ArtifactsAfter.
func (r *room) Artifact(id string) (*graphstore.Doc, error) {
	i, ok := r.at[id]
	if !ok {
		return nil, nil
	}
	return &graphstore.Doc{ID: id, Raw: r.raw[i]}, nil
}

func (r *room) ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error) {
	from, found := slices.BinarySearch(r.nodes, after)
	if found {
		from++
	}
	var out []string
	for _, node := range r.nodes[from:min(len(r.nodes), from+limit)] {
		out = append(out, r.byID[node])
	}
	return out, nil
}

// said are ranking.Judgments that do not change.
type said []judgments.Judgment

func (s said) List(string) []judgments.Judgment { return s }
func (s said) Len() int                         { return len(s) }
func (s said) Changes() (uint64, bool)          { return 0, true }

// throughTheRoom prints what the daemon's own room makes of judgments.
func (o *options) throughTheRoom(ctx context.Context, w io.Writer, a *archive, all map[int]*question, drawn []int) error {
	words, err := text.NewEncoder(text.Config{})
	if err != nil {
		return err
	}
	r := newRoom(a)
	fmt.Fprintf(w, "\nThrough the daemon's room (package ranking), the best %d by stated weights\n\n| draw | judged | measured | | stated weights | the room's order | difference | decided |\n|---|---|---|---|---|---|---|---|\n", ranking.Best)
	for _, judged := range []int{0, roomJudged} {
		for seed := range uint64(o.seeds) {
			judge, measure := split(drawn, judged, seed+1)
			if err := o.roomDraw(ctx, w, r, words, all, seed, judge, measure); err != nil {
				return err
			}
		}
	}
	return nil
}

// Use has nothing to do: nothing is published here.
func (r *room) Use(*ranking.Ranker, ranking.State) error { return nil }

func (o *options) roomDraw(ctx context.Context, w io.Writer, r *room, words *text.Encoder, all map[int]*question, seed uint64, judge, measure []int) error {
	folder, err := os.MkdirTemp("", "kilim-ranker")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	var s said
	for _, i := range judge {
		for _, l := range r.links[i] {
			s = append(s, judgments.Judgment{A: r.ids[i], B: r.ids[l], Grade: 1, By: "the archive"})
		}
	}
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelError}))
	k, err := ranking.Open(ranking.Config{Folder: folder, Least: roomLeast, Fit: o.cfg}, r, s, words, ranking.NewMetrics(prometheus.NewRegistry()), log)
	if err != nil {
		return err
	}
	result := k.Learn(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	var before, after []eval.Metrics
	for _, i := range measure {
		stated, learned, err := r.orders(ctx, k, i)
		if err != nil {
			return err
		}
		before, after = append(before, eval.Measure(all[i].Query, stated)), append(after, eval.Measure(all[i].Query, learned))
	}
	for _, metric := range []string{"nDCG@10", "MRR"} {
		b, l := values(before, metric), values(after, metric)
		lead, verdict := eval.Paired(b, l, seed)
		fmt.Fprintf(w, "| %d | %d | %d | %s | %.3f | %.3f | %+.3f (%+.3f..%+.3f) %s | %s: %s |\n", seed+1, len(judge), len(measure), metric,
			eval.Bootstrap(b, 1).Mean, eval.Bootstrap(l, 1).Mean, lead.Mean, lead.Low, lead.High, verdict, result, cmp.Or(k.Status().Reason, "-"))
	}
	return nil
}

// orders are the first of an artifact's list by stated weights, and as the daemon would answer.
func (r *room) orders(ctx context.Context, k *ranking.Keeper, query int) (stated, learned []string, err error) {
	entries, state, err := r.Stated(ctx, r.ids[query], ranking.Best)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries[:min(eval.Depth, len(entries))] {
		stated = append(stated, e.ID)
	}
	o, err := k.Order(ranking.Subject{ID: r.ids[query]}, state, entries)
	if err != nil || o == nil {
		return stated, stated, err
	}
	for _, e := range o.Entries[:min(eval.Depth, len(o.Entries))] {
		learned = append(learned, e.ID)
	}
	return stated, learned, nil
}
