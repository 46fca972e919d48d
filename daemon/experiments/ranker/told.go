package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/annindex"
	"kilim/daemon/judgments"
	"kilim/daemon/pipeline"
	"kilim/daemon/ranking"
	"kilim/learner/encode/text"
	"kilim/rerank"
	"kilim/rerank/topk"
)

const (
	// newcomers is how many come one by one while messages are counted; those before them come together, in batches.
	newcomers, together = 256, 64
	// listSize and tolerance are the defaults of lists.size and lists.tolerance.
	listSize, tolerance = 10, 0.01
)

// messages prints how many rows and messages a newcomer makes where nothing waits, with and without a ranker.
func (o *options) messages(ctx context.Context, w io.Writer, a *archive) error {
	if len(a.ids) <= newcomers {
		return fmt.Errorf("%s: %d records: want more than %d", o.feed, len(a.ids), newcomers)
	}
	ranker, err := o.ranker(ctx, w, a)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "What a newcomer makes, the mean of the last %d of %d artifacts. Messages about others: the newcomer enters total, others change places there, general changes alone, a score in total does\n\n", newcomers, len(a.ids))
	fmt.Fprint(w, "| order | rows | ordered | messages | enters | places | general | score |\n|---|---|---|---|---|---|---|---|\n")
	for _, by := range []struct {
		name   string
		ranker *ranking.Ranker
	}{{"stated", nil}, {"learned", ranker}} {
		c, err := a.count(ctx, by.ranker)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %s |", by.name)
		for _, n := range []int{c.rows, c.ordered, c.told, c.enters, c.places, c.general, c.score} {
			fmt.Fprintf(w, " %.1f |", float64(n)/newcomers)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// counts are over all newcomers.
type counts struct{ rows, ordered, told, enters, places, general, score int }

// tell counts a message about an artifact that was told before.
func (c *counts) tell(was rerank.Lists, u *rerank.Update, newcomer string) {
	total := u.Changes[rerank.ListTotal]
	only := func(lists rerank.Lists) rerank.Lists {
		return rerank.Lists{{Name: rerank.ListGeneral, Entries: lists.Get(rerank.ListGeneral)}}
	}
	switch {
	case slices.Contains(total.Entered, newcomer):
		c.enters++
	case len(total.Entered)+len(total.Left)+len(total.Moved) > 0:
		c.places++
	case rerank.Material(only(was), only(u.Lists), tolerance):
		c.general++
	default:
		c.score++
	}
}

// counted counts how often lists are ordered.
type counted struct {
	topk.Order
	n *int
}

func (c counted) Rank(id string, stated []rerank.Entry, size int) ([]rerank.OrderedEntry, error) {
	*c.n++
	return c.Order.Rank(id, stated, size)
}

// fed are the lists of an archive that records come to, as the daemon keeps them.
type fed struct {
	*growing
	lists     *topk.Lists
	index     annindex.Index
	documents *room
	ranker    *ranking.Ranker // nil: lists are told as stated
	ordered   int
	now       topk.Time
	revision  uint64
	told      map[string]rerank.Lists
}

// count feeds the archive.
func (a *archive) count(ctx context.Context, ranker *ranking.Ranker) (c counts, err error) {
	f := &fed{growing: newGrowing(a), documents: newRoom(a), ranker: ranker, told: map[string]rerank.Lists{}}
	if f.index, err = annindex.New(annindex.Config{Engine: "flat", Dim: len(a.vectors[0])}); err != nil {
		return c, err
	}
	const cache, exact = 1 << 30, 1 << 30
	cfg := topk.Config{Size: listSize, Candidates: candidates, RareMembers: pipeline.RareMembers, Tolerance: tolerance, Sweep: 0.2, CacheBytes: cache, ExactBytes: exact}
	if f.lists, err = topk.New(cfg, a.scorer, f.index, a.words, new(sync.Mutex)); err != nil {
		return c, err
	}
	var before []int
	for i := range len(a.ids) - newcomers {
		before = append(before, i)
	}
	untold := func(*rerank.Update) {}
	for batch := range slices.Chunk(before, together) {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		// What changes for others waits, so that it is ordered once.
		if err := f.pass(batch, time.Hour, untold); err != nil {
			return c, err
		}
	}
	for f.lists.Lingering()+f.lists.Unpublished() > 0 {
		if err := f.pass(nil, 0, untold); err != nil {
			return c, err
		}
	}
	f.written, f.ordered = 0, 0
	for i := len(before); i < len(a.ids); i++ {
		if err := f.pass([]int{i}, 0, func(u *rerank.Update) {
			c.told++
			if was, ok := f.told[u.ID]; ok {
				c.tell(was, u, a.ids[i])
			}
		}); err != nil {
			return c, err
		}
	}
	c.rows, c.ordered = f.written, f.ordered
	return c, nil
}

// pass is a unit of what arrives, in which changes of the lists of others wait for linger.
func (f *fed) pass(arriving []int, linger time.Duration, publish func(*rerank.Update)) error {
	f.revision++
	unit := topk.Unit{Revision: f.revision, Linger: linger}
	if f.ranker != nil {
		unit.Order = counted{f.ranker.Over(f.documents), &f.ordered}
	}
	p := f.lists.Begin(f, unit)
	for _, i := range arriving {
		node := f.come(i)
		p.Arrived(node, f.evidence[i], rerank.Cause{ID: f.ids[i]})
		if err := f.index.Put(node, f.vectors[i]); err != nil {
			return err
		}
		f.now.Encode += 1 / float64(f.Artifacts())
		f.now.Rank = f.now.Encode
		if err := p.Moved(node, 1); err != nil {
			return err
		}
	}
	if linger == 0 {
		if _, err := p.Publish(f.Artifacts(), f.Artifacts(), 0); err != nil {
			return err
		}
	}
	if err := p.Rank(f.now, nil, 0); err != nil {
		return err
	}
	return p.Write(func(u *rerank.Update) error {
		publish(u)
		f.told[u.ID] = u.Lists
		return nil
	})
}

// capturing is a room that notes by what lists are to be published.
type capturing struct {
	*room
	used *ranking.Ranker
}

// Use implements ranking.Archive.
func (c *capturing) Use(r *ranking.Ranker, _ ranking.State) error {
	c.used = r
	return nil
}

// ranker has the daemon's room learn from judgments.
func (o *options) ranker(ctx context.Context, w io.Writer, a *archive) (*ranking.Ranker, error) {
	words, err := text.NewEncoder(text.Config{})
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "kilim-ranker")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	drawn := representatives(groups(a.links))
	judged := 0
	rand.New(rand.NewPCG(1, 0x5e7)).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	c := &capturing{room: newRoom(a)}
	var s said
	for _, i := range drawn {
		stated, _, err := c.Stated(ctx, a.ids[i], ranking.Best)
		if err != nil {
			return nil, err
		}
		finds := func(l int) bool {
			return slices.ContainsFunc(stated, func(e rerank.Entry) bool { return e.ID == a.ids[l] })
		}
		if !slices.ContainsFunc(a.links[i], finds) {
			continue // the room learns nothing of it
		}
		for _, l := range a.links[i] {
			s = append(s, judgments.Judgment{A: a.ids[i], B: a.ids[l], Grade: 1, By: "the archive"})
		}
		if judged++; judged == roomJudged {
			break
		}
	}
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelError}))
	cfg := ranking.Config{Folder: folder, Least: roomLeast, Fit: o.cfg, CacheBytes: 1 << 28}
	k, err := ranking.Open(cfg, c, s, words, ranking.NewMetrics(prometheus.NewRegistry()), log)
	if err != nil {
		return nil, err
	}
	if result := k.Learn(ctx); c.used == nil {
		return nil, fmt.Errorf("of %d judgments no order is learned: %s: %s", len(s), result, k.Status().Reason)
	}
	return c.used, nil
}
