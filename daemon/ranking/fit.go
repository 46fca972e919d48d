package ranking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kilim/consumer/profile"
	"kilim/daemon/pace"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/train/eval"
	"kilim/rerank"
	"kilim/rerank/rank"
	"kilim/rerank/rank/pair"
)

const (
	// Best is how many of a stated list are put into the learned order, and how many candidates a question has.
	Best = 50
	// pageSize is how many artifacts are read in one View, and between two rests; restAfter is how long questions are asked between two.
	pageSize  = 64
	restAfter = 20 * time.Millisecond
	// mostFacts bounds the facts whose frequencies are kept, at some 40 bytes. The Walters' 15,252 artifacts share 15,446.
	mostFacts = 500_000
)

const (
	// leastGain is the margin in nDCG@10, in the mean of the groups, and gateLevel that of the interval that must lie above 0.
	leastGain = 0.005
	gateLevel = 0.8
)

// Gate is what was seen of a model on questions that it was not fitted to, group by group, in nDCG@10.
type Gate struct {
	Groups  int           `json:"groups"`
	Stated  float64       `json:"stated"`
	Learned float64       `json:"learned"`
	Gain    eval.Interval `json:"gain"`
	// Level is that of the interval, and Margin what the gain must be at least.
	Level  float64 `json:"level"`
	Margin float64 `json:"margin"`
}

// gateOf compares group by group: what is said of one artifact of a group speaks for the others, so that each group counts once.
func gateOf(f *rank.Fitted, seed uint64) Gate {
	at := map[string]int{}
	var before, after, of []float64
	for i, group := range f.Groups {
		j, ok := at[group]
		if !ok {
			j = len(of)
			at[group] = j
			before, after, of = append(before, 0), append(after, 0), append(of, 0)
		}
		before[j] += f.Before[i]
		after[j] += f.After[i]
		of[j]++
	}
	g := Gate{Groups: len(of), Level: gateLevel, Margin: leastGain}
	for j, n := range of {
		before[j] /= n
		after[j] /= n
		g.Stated += before[j] / float64(len(of))
		g.Learned += after[j] / float64(len(of))
	}
	g.Gain, _ = eval.PairedAt(before, after, gateLevel, seed)
	return g
}

func (g *Gate) passes() bool { return g.Gain.Mean >= g.Margin && g.Gain.Low > 0 }

// String gives the figures, for people.
func (g *Gate) String() string {
	return fmt.Sprintf("of %d groups that it was not fitted to, nDCG@10 is %.3f by stated weights and %.3f as learned, %+.3f (%+.3f..%+.3f at %.0f %%)",
		g.Groups, g.Stated, g.Learned, g.Gain.Mean, g.Gain.Low, g.Gain.High, 100*g.Level)
}

// errMoved is returned when another state began to serve meanwhile, or other judgments hold: the next round begins anew.
var errMoved = errors.New("another state serves or other judgments hold since the fit began")

// fit makes a model of what is asked, and decides whether it serves.
func (k *Keeper) fit(ctx context.Context, d Decision, asked []question) (*decided, error) {
	k.enter(Reading)
	counts, err := k.frequencies(ctx)
	if err != nil {
		return nil, err
	}
	d.Artifacts = counts.Artifacts()
	var queries []rank.Query
	useful := map[string]bool{}
	var rows pair.Rows
	var busy time.Duration // since the last rest
	for i := range asked {
		start := time.Now()
		q, err := k.queryOf(ctx, &asked[i], d.State, counts, &rows)
		if err != nil {
			return nil, err
		}
		if q != nil {
			queries = append(queries, *q)
			useful[q.Group] = true
		}
		if busy += time.Since(start); busy < restAfter && i+1 < len(asked) {
			continue
		}
		if err := k.rest(ctx, busy); err != nil {
			return nil, err
		}
		busy = 0
	}
	d.Useful = len(useful)
	if d.Useful < k.cfg.Least {
		d.Reason = fmt.Sprintf("%d groups of artifacts are judged alike, but of %d only is one among the best %d of another by stated weights, and rank.least is %d", d.Groups, d.Useful, Best, k.cfg.Least)
		return &decided{Decision: d}, nil
	}
	k.enter(Fitting)
	start := time.Now()
	fitted, err := rank.Fit(ctx, pair.Names(), queries, k.cfg.Fit)
	k.worked += time.Since(start)
	if errors.Is(err, rank.ErrTooFew) { // of some questions all candidates have the same grade
		d.Reason = err.Error()
		return &decided{Decision: d}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	gate := gateOf(fitted, k.cfg.Fit.Seed)
	d.Gate, d.Trees, d.Serves = &gate, fitted.Model.Trees(), gate.passes()
	out := &decided{Decision: d}
	if !d.Serves {
		out.Reason = fmt.Sprintf("%v; the gain must be %.3f at least, and its interval above 0", &gate, gate.Margin)
		return out, nil
	}
	out.Reason = gate.String()
	out.learned, err = newLearned(fitted.Model, counts)
	return out, err
}

// queryOf is a question with its candidates, nil for one that says nothing: its artifact is not stored, or none that it was judged alike with is among the
// candidates.
func (k *Keeper) queryOf(ctx context.Context, q *question, state State, counts *pair.Frequencies, rows *pair.Rows) (*rank.Query, error) {
	entries, of, err := k.archive.Stated(ctx, q.id, Best)
	if errors.Is(err, ErrNoArtifact) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	if of != state {
		return nil, errMoved
	}
	alike := func(e rerank.Entry) bool { return q.grades[e.ID] > 0 }
	if !slices.ContainsFunc(entries, alike) {
		return nil, nil
	}
	features, err := k.features(nil, q.id, entries, counts, rows)
	if err != nil {
		return nil, err
	}
	out := &rank.Query{Key: q.id, Group: q.group}
	for i, e := range entries {
		row := features[i*pair.Width : (i+1)*pair.Width]
		out.Candidates = append(out.Candidates, rank.Candidate{Features: slices.Clone(row), Prior: e.Score, Grade: q.grades[e.ID]})
	}
	return out, nil
}

// features compares an artifact, or the stored one of this id when it is nil, with the entries of its list: a row for each, until rows are used
// again. Of one that can't be read, or is gone since, nothing is known but its parts.
func (k *Keeper) features(artifact *profile.Artifact, id string, entries []rerank.Entry, counts *pair.Frequencies, rows *pair.Rows) ([]float32, error) {
	var one *pair.Weighed
	candidates := make([]pair.Candidate, len(entries))
	err := k.archive.View(func(r Documents) error {
		weighed := func(id string) (*pair.Weighed, error) {
			a, err := weave.ReadIfSound(r, id)
			if err != nil {
				return nil, err
			}
			return counts.Weigh(k.facts(a)), nil
		}
		var err error
		if artifact != nil {
			one = counts.Weigh(k.facts(artifact))
		} else if one, err = weighed(id); err != nil {
			return err
		}
		for i, e := range entries {
			w, err := weighed(e.ID)
			if err != nil {
				return err
			}
			candidates[i] = pair.Candidate{Weighed: w, Parts: e.Parts, Score: e.Score}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	return rows.Of(one, candidates), nil
}

func (k *Keeper) facts(a *profile.Artifact) *pair.Facts { return factsOf(k.reader, a) }

// factsOf are those of an artifact as a person reads it; of nil, those of one of which nothing is known.
func factsOf(reader *pair.Reader, a *profile.Artifact) *pair.Facts {
	if a == nil {
		a = &profile.Artifact{}
	}
	return reader.Read(a, weave.Title(a), text.Text{Body: weave.Plain(a.Description), Language: a.Language})
}

// frequencies reads the whole archive, in the order of nodes. The artifacts are not all of one committed state.
func (k *Keeper) frequencies(ctx context.Context) (*pair.Frequencies, error) {
	counts := pair.NewFrequencies()
	for after, done := graphstore.NodeID(0), false; !done; {
		start, last := time.Now(), after
		var page []*pair.Facts
		err := k.archive.View(func(r Documents) error {
			page, last = page[:0], after
			ids, err := r.ArtifactsAfter(after, pageSize)
			if err != nil {
				return err
			}
			done = len(ids) == 0
			for _, id := range ids {
				a, err := weave.ReadIfSound(r, id)
				if err != nil {
					return err
				}
				page, last = append(page, k.facts(a)), graphstore.ID(graphstore.Artifact, id)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("ranking: %w", err)
		}
		after = last
		for _, f := range page {
			counts.Add(f)
		}
		counts.Bound(mostFacts)
		if err := k.rest(ctx, time.Since(start)); err != nil {
			return nil, err
		}
	}
	counts.Shared()
	return counts, nil
}

// rest leaves the machine to others after worked. It is Run's alone.
func (k *Keeper) rest(ctx context.Context, worked time.Duration) error {
	k.worked += worked
	return pace.Rest(ctx, worked, k.archive.Quiet())
}
