package themes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/daemon/themes/groups"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/theme"
	"kilim/learner/train/eval"
)

// Errors of whoever asks for a list, wrapped.
var (
	// ErrUnknown is about a theme that is not there, or that too few labels tell.
	ErrUnknown = errors.New("unknown theme")
	// ErrNotReady is about a theme whose lists there will be as soon as its model and the profiles are made.
	ErrNotReady = errors.New("the theme is not ready")
	// ErrNoArtifact is about an artifact that is not stored.
	ErrNoArtifact = errors.New("not found")
)

// Answer is a list of artifacts that are like one in a theme, best first.
type Answer struct {
	ID, Theme string
	// Presence is how likely the artifact has a term of the theme at all. Below leastPresence the theme does not apply, and there are no
	// Items.
	Presence float64
	Applies  bool
	// Partial: the theme is new, and the list is of some artifacts with labels of it. The profiles of the others are being made.
	Partial bool
	// Made is of the model that compared.
	Made  Made
	Items []Item
}

// Item is one place of a list.
type Item struct {
	ID string
	// Score is the sum of Parts, exactly, when they are added in the order of their fields.
	Score float64
	Parts theme.Parts
	// Shared are the terms that both are likeliest to have, which are the reason.
	Shared []theme.Shared
}

// leastPresence is the probability of a theme below which an artifact has no list of it even for who asks for it. The gate, by which lists are stored and told, is stricter: it
// misses a third of those that have labels of a theme, which should not be told that they have no such list. With 5,000 works of the Tate fitted, of 2,500 others
// fewer than 1 in 200 of those that have labels of a theme are below it, in each of the 15 themes. Of those that have none it tells few: between 5
// and 25 % in abstraction, fewer than 5 % in any other.
const leastPresence = 0.04

// mostLists is how many lists of themes an artifact has stored at most: of those that apply to it by the gate.
const mostLists = 3

// reasons is how many Shared terms an Item has at most.
const reasons = 5

// Similar returns the n that are likest to a stored artifact in a theme: those of its list as it was told, where it has one that is current and that
// long, else as a comparison with all others finds them.
//
// What is known of an artifact's own labels counts, as it should for who searches; whoever evaluates a theme feeds the artifacts that are
// ranked without their labels.
func (k *Keeper) Similar(ctx context.Context, id, name string, n int) (*Answer, error) {
	s, err := k.answering(name)
	if err != nil {
		return nil, err
	}
	a, err := k.Stored(id)
	if err != nil {
		return nil, err
	}
	if answer := k.told(s, id, name, n); answer != nil {
		return answer, nil
	}
	return k.compare(ctx, s, a, name, n)
}

// SimilarTo is Similar for an artifact that is not stored.
func (k *Keeper) SimilarTo(ctx context.Context, a *profile.Artifact, name string, n int) (*Answer, error) {
	s, err := k.answering(name)
	if err != nil {
		return nil, err
	}
	return k.compare(ctx, s, a, name, n)
}

// Stored is a stored artifact. Of one that is not there the error is an ErrNoArtifact, of one whose document is damaged a graphstore.ErrDamaged.
func (k *Keeper) Stored(id string) (a *profile.Artifact, err error) {
	var doc *graphstore.Doc
	err = k.archive.View(func(r Documents) error {
		if doc, err = r.Artifact(id); err != nil || doc == nil {
			return err
		}
		a, err = weave.Parse(doc)
		return err
	})
	if err == nil && a == nil {
		err = fmt.Errorf("%w: artifact %q", ErrNoArtifact, id)
	}
	return a, err
}

// answering returns what serves a theme, or answers for it early, or says why nothing does.
func (k *Keeper) answering(name string) (*serving, error) {
	s, err := k.ready(name)
	if early := k.early.Load(); err != nil && early != nil && len(early.model.TermsOf(name)) > 0 {
		return early, nil
	}
	return s, err
}

// ready returns what serves a theme, or says why nothing does.
func (k *Keeper) ready(name string) (*serving, error) {
	s := k.serving.Load()
	if s != nil && len(s.model.TermsOf(name)) > 0 {
		return s, nil
	}
	if k.cfg.Works == 0 {
		return nil, fmt.Errorf("%w: themes.works is 0, so no theme is learned", ErrUnknown)
	}
	now := k.Status()
	var served []string
	for _, t := range now.Themes {
		switch {
		case t.State == Served:
			served = append(served, fmt.Sprintf("%q", t.Name))
		case t.Name != name:
		case t.State == Waiting:
			return nil, fmt.Errorf("%w: theme %q is being learned (%s, %.0f %%)", ErrNotReady, name, now.Phase, 100*now.Ratio)
		case t.Declared:
			return nil, fmt.Errorf("%w: theme %q is declared, and %d artifacts have labels of it: two at least must share one", ErrUnknown, name, t.Labelled)
		default:
			return nil, fmt.Errorf("%w: %d artifacts have labels of theme %q, and themes.least is %d; \"kilim theme add\" declares a theme of fewer", ErrUnknown, t.Labelled, name, k.cfg.Least)
		}
	}
	if s == nil && !k.looked() {
		return nil, fmt.Errorf("%w: theme %q: no theme has been learned yet (%s, %.0f %%)", ErrNotReady, name, now.Phase, 100*now.Ratio)
	}
	if len(served) == 0 {
		return nil, fmt.Errorf("%w: theme %q is not there, and no other is", ErrUnknown, name)
	}
	return nil, fmt.Errorf("%w: theme %q is not there; there are %s", ErrUnknown, name, strings.Join(served, ", "))
}

// Sums returns how near cultures, periods and places are in a theme, with the model's id.
func (k *Keeper) Sums(name string) (in *groups.Theme, model string, err error) {
	s, err := k.ready(name)
	if err != nil {
		return nil, "", err
	}
	return s.sums.Theme(name), s.made.IDOf(name), nil
}

// Summed are the themes of the model that serves, with its sums, nil where none does. known is false before it is known which model that is.
func (k *Keeper) Summed() (s *groups.Sums, known bool) {
	known = k.known.Load() // before the model: it is stored first
	if now := k.serving.Load(); now != nil {
		return now.sums, known
	}
	return nil, known
}

// looked tells whether the archive was surveyed.
func (k *Keeper) looked() bool {
	k.status.Lock()
	defer k.status.Unlock()
	return k.status.last != nil
}

// compare finds those that are likest to an artifact, of all that have a profile. Those that were deleted before it begins have none.
func (k *Keeper) compare(ctx context.Context, s *serving, a *profile.Artifact, name string, n int) (*Answer, error) {
	if err := k.scans.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer k.scans.Release(1)
	w := theme.WorkOf(a)
	own := s.model.Profile(&w)
	answer := &Answer{ID: a.ID, Theme: name, Presence: s.model.Presence(name, own), Partial: s.partial, Made: s.made}
	if answer.Applies = answer.Presence >= leastPresence; !answer.Applies {
		return answer, nil
	}
	question := s.model.Ask(own)
	best := newBest(n)
	gone := k.changes.deleted()
	r, _ := s.model.Respect(name)
	s.Table(func(t *theme.Table) {
		t.Search(question).Best(r, n, func(id string, m *theme.Meeting) float64 {
			if _, deleted := gone[id]; !deleted && id != a.ID {
				best.offer(id, m.Pair(r).Asking, t.Profile(id))
			}
			return best.least()
		})
	})
	for _, b := range best.list {
		answer.Items = append(answer.Items, Item{b.id, b.score, b.parts, question.Explain(name, b.profile, reasons)})
	}
	return answer, nil
}

// best are the best that were offered, best first, ties by id.
type best struct {
	most int
	list []scored
}

type scored struct {
	id      string
	score   float64
	parts   theme.Parts
	profile *theme.Profile
}

func newBest(most int) *best { return &best{most: most} }

func (b *best) offer(id string, parts theme.Parts, p *theme.Profile) {
	o := scored{id, parts.Score(), parts, p}
	if len(b.list) == b.most {
		if b.most == 0 || before(o, b.list[b.most-1]) >= 0 {
			return
		}
		b.list = b.list[:b.most-1]
	}
	at, _ := slices.BinarySearchFunc(b.list, o, func(x, o scored) int { return before(x, o) })
	b.list = slices.Insert(b.list, at, o)
}

// least is the score that another one needs to be among the best.
func (b *best) least() float64 {
	switch n := len(b.list); {
	case n < b.most:
		return math.Inf(-1)
	case n == 0:
		return math.Inf(1)
	default:
		return b.list[n-1].score
	}
}

func before(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) }

// Ranker ranks by a theme, for evaluations: those of candidates that have a profile, nil: all. Where the theme does not apply it ranks none, as no list
// has any.
func (k *Keeper) Ranker(name string, candidates []string) (eval.Ranker, error) {
	s, err := k.ready(name)
	if err != nil {
		return nil, err
	}
	r := &ranker{keeper: k, serving: s, name: name}
	var among map[string]bool
	for _, id := range candidates {
		if among == nil {
			among = map[string]bool{}
		}
		among[id] = true
	}
	s.Table(func(t *theme.Table) {
		t.Each(func(id string, p *theme.Profile) {
			if among == nil || among[id] {
				r.candidates = append(r.candidates, candidate{id, p})
			}
		})
	})
	return r, nil
}

type ranker struct {
	keeper     *Keeper
	serving    *serving
	name       string
	candidates []candidate
}

type candidate struct {
	id      string
	profile *theme.Profile
}

// Rank implements eval.Ranker.
func (r *ranker) Rank(ctx context.Context, id string, n int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a, err := r.keeper.Stored(id)
	if errors.Is(err, ErrNoArtifact) {
		return nil, eval.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	w := theme.WorkOf(a)
	own := r.serving.model.Profile(&w)
	if r.serving.model.Presence(r.name, own) < leastPresence {
		return nil, nil
	}
	question, best := r.serving.model.Ask(own), newBest(n)
	for _, c := range r.candidates {
		if c.id != id {
			parts, _ := question.Compare(r.name, c.profile)
			best.offer(c.id, parts, c.profile)
		}
	}
	var out []string
	for _, b := range best.list {
		out = append(out, b.id)
	}
	return out, nil
}

// Labelled is how many of the artifacts have labels of a theme in their records. The model may have been fitted to these.
func (k *Keeper) Labelled(ctx context.Context, name string, ids []string) (n int, err error) {
	for page := range slices.Chunk(ids, pageSize) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		found := 0
		err := k.archive.View(func(r Documents) error {
			found = 0
			for _, id := range page {
				a, err := weave.ReadIfSound(r, id)
				if err != nil {
					return err
				}
				if a != nil && len(a.Theme[name]) > 0 {
					found++
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		n += found
	}
	return n, nil
}
