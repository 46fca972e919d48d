package themes

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestEarlyAnswers: while the profiles of a new theme's model are made, its lists are answered for by artifacts with labels of it, and say so; what is deleted
// is not among them, and the themes that there are answer as before. Afterwards all answer in full.
func TestEarlyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(1, 90, 70)
	w.round()
	const fresh = "craft"
	before, err := w.keeper.Similar(t.Context(), "a:1", motif, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.keeper.Declare(Declaration{Name: fresh, Weak: []string{"technique"}}); err != nil {
		t.Fatal(err)
	}
	deleted, early := false, 0
	w.archive.during = func() {
		if w.keeper.Status().Phase != Profiling {
			return
		}
		if !deleted {
			deleted = true
			w.remove("a:2")
		}
		if w.keeper.early.Load() == nil {
			return
		}
		early++
		a, err := w.keeper.Similar(t.Context(), "a:1", fresh, 90)
		if err != nil || !a.Partial || len(a.Items) < 5 || slices.ContainsFunc(a.Items, func(i Item) bool { return i.ID == "a:2" }) {
			t.Errorf("%v: early is %+v", err, a)
		}
		if a, err := w.keeper.Similar(t.Context(), "a:1", motif, 5); err != nil || a.Partial || a.Made.ID() != before.Made.ID() {
			t.Errorf("%v: the theme that there was is %+v", err, a)
		}
		if _, err := w.keeper.Ranker(fresh, nil); err == nil {
			t.Error("an evaluation judges what is partial")
		}
	}
	w.round()
	w.archive.during = nil
	a, err := w.keeper.Similar(t.Context(), "a:1", fresh, 90)
	if err != nil || a.Partial || len(a.Items) != 88 || w.keeper.early.Load() != nil || early == 0 {
		t.Errorf("%v: after %d early answers %+v", err, early, a)
	}
}

// TestDeclaredAlone: a theme of which records have labels already, some of them no others, is learned by solving it and its own terms on the basis that is there. The round
// does not leave the machine to batches until it is answered for, and does afterwards.
func TestDeclaredAlone(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.Least, cfg.Declared = 1000, []Declaration{{Name: motif}}
	w := newWorld(t, cfg)
	w.fill(1, 90, 70)
	w.round()
	k := w.keeper
	basis, before := k.basis, k.serving.Load().model
	if got := before.Themes(); !slices.Equal(got, []string{motif}) {
		t.Fatalf("%q are learned", got)
	}
	if err := k.Declare(Declaration{Name: ideas}); err != nil {
		t.Fatal(err)
	}
	hurried, unhurried := 0, 0
	w.archive.during = func() {
		if early := k.early.Load(); early != nil && early.table.Len() == 0 {
			t.Error("it is answered for by nobody")
		}
		if k.hurried {
			hurried++
		} else {
			unhurried++
		}
	}
	w.round()
	w.archive.during = nil
	after := k.serving.Load().model
	if k.basis != basis || k.solved == 0 || k.solved > len(after.TermsOf(ideas))+1 || !slices.Equal(after.TermsOf(motif), before.TermsOf(motif)) {
		t.Errorf("%d terms and themes are solved for a theme of %d, on the basis that was there: %v", k.solved, len(after.TermsOf(ideas)), k.basis == basis)
	}
	if hurried == 0 || unhurried == 0 || k.hurried {
		t.Errorf("%d looks into the archive in haste, %d without; in haste in the end: %v", hurried, unhurried, k.hurried)
	}
}

// TestListsFollowRounds: while the archive is read, and while profiles of another model are made, the lists of the model that serves take up who comes and lose who
// goes, and the other model knows of both when it serves.
func TestListsFollowRounds(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{Reading, Profiling} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, usual())
			w.fill(1, 150, 100)
			w.round()
			k := w.keeper
			was := k.serving.Load()
			w.apply(recordOf(rand.New(rand.NewPCG(8, 8)), "a:1000", true))
			looks, followed := 0, false
			w.archive.during = func() {
				if k.Status().Phase != phase || k.serving.Load() != was {
					return
				}
				switch looks++; looks {
				case 2: // profiles of the first page are made
					w.apply(recordOf(rand.New(rand.NewPCG(7, 7)), "n:1", false))
					w.remove("a:3")
				default:
					came, _ := was.ProfileOf("n:1")
					gone, _ := was.ProfileOf("a:3")
					followed = followed || came != nil && gone == nil
				}
			}
			w.round()
			w.archive.during = nil
			now := k.serving.Load()
			came, _ := now.ProfileOf("n:1")
			gone, _ := now.ProfileOf("a:3")
			if now == was || !followed || came == nil || gone != nil {
				t.Errorf("another model: %v; the one before followed: %v; this one has who came: %v, who went: %v", now != was, followed, came != nil, gone != nil)
			}
		})
	}
}
