package themes

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/learner/theme"
)

const motif, ideas = "motif", "emotions, concepts: and ideas"

// TestListsAreTheModels compares each list with one that is made of a model of its own, and holds that parts add up and that what is listed
// has the theme's terms.
func TestListsAreTheModels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(1, 240, 180)
	if got := w.round(); got != fitted {
		t.Fatalf("the round ended as %q", got)
	}
	var works []theme.Work
	labels := map[string]theme.Labels{}
	for id, r := range w.records {
		if len(r.Theme) > 0 {
			works, labels[id] = append(works, theme.WorkOf(r.artifact(t))), r.Theme
		}
	}
	basis, err := theme.NewBasis(theme.DefaultConfig(), works)
	if err != nil {
		t.Fatal(err)
	}
	model, err := basis.Fit(t.Context(), labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	alike, all := 0, 0
	for id, r := range w.records {
		answer, err := w.keeper.Similar(t.Context(), id, motif, 5)
		if err != nil || answer.Made.Works != 180 {
			t.Fatalf("%s: %v, %+v", id, err, answer)
		}
		own := theme.WorkOf(r.artifact(t))
		question := model.Ask(model.Profile(&own))
		last := 1e9
		for _, item := range answer.Items {
			other := theme.WorkOf(w.records[item.ID].artifact(t))
			parts, _ := question.Compare(motif, model.Profile(&other))
			p := item.Parts
			if item.ID == id || item.Parts != parts || item.Score != p.Terms+p.Neighbours+p.Profile+p.Words || item.Score > last {
				t.Fatalf("%s: %+v after a score of %v, the model says %+v", id, item, last, parts)
			}
			last = item.Score
			if len(r.Theme[motif]) > 0 && len(item.Shared) == 0 {
				t.Errorf("%s and %s: no term is named", id, item.ID)
			}
			if len(r.Theme[motif]) > 0 && len(w.records[item.ID].Theme) > 0 {
				all++
				if slices.ContainsFunc(r.Theme[motif], func(term string) bool { return slices.Contains(w.records[item.ID].Theme[motif], term) }) {
					alike++
				}
			}
		}
	}
	if share := float64(alike) / float64(all); share < 0.9 {
		t.Errorf("%.2f of the listed share a term", share)
	}
}

// TestHistories: after any history of records, deletions, rounds, starts and damage, what is told is what a Keeper tells that sees the end alone.
// At no time has a list what was deleted.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 77))
			w := newWorld(t, usual())
			w.fill(seed, 60, 50)
			for range 40 {
				id := fmt.Sprintf("a:%d", rng.IntN(70))
				switch rng.IntN(9) {
				case 0:
					w.round()
				case 1:
					w.renew()
				case 2:
					w.open() // the changes that waited are lost with the process, as the profiles are
					if err := w.keeper.Restore(t.Context()); err != nil {
						t.Fatal(err)
					}
				case 3:
					w.archive.fail = errors.New("the disk is gone")
					if got := w.round0(); got != failed {
						t.Fatalf("a round without a disk ended as %q", got)
					}
					w.archive.fail = nil
				case 4, 5:
					w.remove(id)
				default:
					w.apply(recordOf(rng, id, rng.IntN(3) > 0))
				}
				w.nothingDeleted()
			}
			w.renew()
			if got := w.round(); got == failed {
				t.Fatal(got)
			}
			fresh := newWorld(t, usual())
			for _, r := range w.records {
				fresh.apply(r)
			}
			fresh.round()
			if got, want := w.lists(8), fresh.lists(8); len(want) == 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("after its history %d lists are other than the %d of one that sees the end alone", len(got), len(want))
			}
			w.sameSums(fresh)
			if got := w.round(); got != unchanged {
				t.Errorf("a round of the same archive ended as %q", got)
			}
		})
	}
}

// sameSums holds that how near groups are in a theme is, bit for bit, what another Keeper says.
func (w *world) sameSums(o *world) {
	w.Helper()
	is, known := w.keeper.Summed()
	want, _ := o.keeper.Summed()
	if !known || (is == nil) != (want == nil) {
		w.Fatalf("sums %v, want %v; known: %v", is, want, known)
	}
	if is == nil {
		return
	}
	for _, name := range want.Names() {
		if got := is.Theme(name); got == nil || !got.Map().Equal(want.Theme(name).Map()) || len(got.Map().Groups()) == 0 {
			w.Errorf("the sums of theme %q are not those of one that sees the end alone", name)
		}
	}
}

// round0 is a round without the renewal of profiles.
func (w *world) round0() string {
	w.keeper.round(w.Context(), &w.last)
	if w.last.failed {
		return failed
	}
	return ""
}

func (w *world) nothingDeleted() {
	w.Helper()
	for _, name := range []string{motif, ideas} {
		asked := 0
		for id := range w.records {
			if asked++; asked > 5 {
				break
			}
			answer, err := w.keeper.Similar(w.Context(), id, name, 100)
			if errors.Is(err, ErrUnknown) || errors.Is(err, ErrNotReady) {
				break
			}
			if err != nil {
				w.Fatal(err)
			}
			for _, item := range answer.Items {
				if _, there := w.records[item.ID]; !there {
					w.Fatalf("%s lists %s, which was deleted", id, item.ID)
				}
			}
		}
	}
}

// TestLabelsAreNoFeatures: what an artifact is compared by is the same whatever labels it carries itself, unless it was fitted with them.
func TestLabelsAreNoFeatures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(2, 150, 100)
	w.round()
	rng := rand.New(rand.NewPCG(3, 3))
	for range 5 {
		bare := recordOf(rng, "q", false)
		told := bare
		told.Theme = map[string][]string{motif: {"term 0", "term 2"}, ideas: {"term 1"}, "another": {"thing"}}
		for _, name := range []string{motif, ideas} {
			a, err := w.keeper.SimilarTo(t.Context(), bare.artifact(t), name, 20)
			if err != nil {
				t.Fatal(err)
			}
			b, err := w.keeper.SimilarTo(t.Context(), told.artifact(t), name, 20)
			if err != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("labels in the record that asks change its list: %v", err)
			}
		}
		// One that is compared with, and comes after the fit.
		w.apply(bare)
		w.renew()
		before := w.lists(20)
		w.apply(told)
		w.renew()
		if !reflect.DeepEqual(before, w.lists(20)) {
			t.Fatal("labels that the model was not fitted with change lists")
		}
		w.remove("q")
		w.renew()
	}
}

// TestRestart: the model that was kept serves again without a fit, to the bit; a file that is damaged anywhere is refused, and fitted anew.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(4, 100, 80)
	w.round()
	want := w.lists(10)
	w.open()
	if err := w.keeper.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(w.lists(10), want) {
		t.Error("lists are other after a start")
	}
	if got := w.round(); got != unchanged {
		t.Errorf("the round after a start ended as %q", got)
	}
	file := w.keeper.modelFile()
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(6, 6))
	head := strings.IndexByte(string(good), '\n')
	for range 60 {
		bad := slices.Clone(good)
		if at := head + 1 + rng.IntN(len(bad)-head-1); rng.IntN(3) == 0 {
			bad = bad[:at]
		} else {
			bad[at] ^= 1 << rng.IntN(8)
		}
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := read(file); err == nil {
			t.Fatal("a damaged model was read")
		}
	}
	w.open()
	if err := w.keeper.Restore(t.Context()); err == nil {
		t.Error("a damaged model serves")
	}
	if got := w.round(); got != fitted {
		t.Errorf("the round after a damaged file ended as %q", got)
	}
	if !reflect.DeepEqual(w.lists(10), want) {
		t.Error("lists are other after a fit of the same archive")
	}
}

// TestUpdate: other labels of the same works are solved on the same basis, and the lists are those of a fit from nothing.
func TestUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(7, 100, 100)
	w.round()
	basis := w.keeper.basis
	for i := range 10 {
		r := w.records[fmt.Sprintf("a:%d", i)]
		r.Theme = map[string][]string{motif: {"term 4", "of late"}}
		w.apply(r)
	}
	if got := w.round(); got != fitted || w.keeper.basis != basis {
		t.Errorf("ended as %q, on the same basis: %v", got, w.keeper.basis == basis)
	}
	fresh := newWorld(t, usual())
	for _, r := range w.records {
		fresh.apply(r)
	}
	fresh.round()
	if !reflect.DeepEqual(w.lists(10), fresh.lists(10)) {
		t.Error("an update is other than a fit")
	}
}

// TestDamagedDocuments: they are passed over, and come back with their record.
func TestDamagedDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(8, 80, 60)
	w.archive.damaged["a:3"], w.archive.damaged["a:70"] = true, true
	if got := w.round(); got != fitted {
		t.Fatalf("ended as %q", got)
	}
	if made := w.keeper.Status().Made; made.Works != 59 || made.Artifacts != 78 {
		t.Errorf("%+v", made)
	}
	if _, err := w.keeper.Similar(t.Context(), "a:3", motif, 5); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("the list of a damaged one: %v", err)
	}
	w.apply(w.records["a:3"], w.records["a:70"])
	w.round()
	fresh := newWorld(t, usual())
	for _, r := range w.records {
		fresh.apply(r)
	}
	fresh.round()
	if !reflect.DeepEqual(w.lists(10), fresh.lists(10)) {
		t.Error("damage left a trace")
	}
}

// TestRoom: profiles take no more than they may, and whoever has none still asks.
func TestRoom(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.Memory, cfg.Works = 1_000_000, 50
	w := newWorld(t, cfg)
	w.fill(9, 300, 200)
	w.round()
	s := w.keeper.Status()
	if s.Profiles == 0 || s.Profiles >= 300 || s.Bytes > cfg.Memory/6+5000 || s.Made.Works != 26 || s.NoRoom != 174 {
		t.Errorf("%d profiles in %d bytes, %+v, no room for %d", s.Profiles, s.Bytes, s.Made, s.NoRoom)
	}
	listed := map[string]bool{}
	for _, answer := range w.lists(400) {
		if answer.Applies && len(answer.Items) < s.Profiles-1 {
			t.Errorf("%s lists %d of %d", answer.ID, len(answer.Items), s.Profiles)
		}
		for _, item := range answer.Items {
			listed[item.ID] = true
		}
	}
	if len(listed) != s.Profiles {
		t.Errorf("%d are listed, %d have profiles", len(listed), s.Profiles)
	}
}

// TestNothingIsLeft: when the labels go, so do model and file.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	if got := w.round(); got != nothing {
		t.Errorf("a round of an empty archive ended as %q", got)
	}
	w.fill(10, 60, 60)
	w.round()
	for id, r := range w.records {
		r.Theme = nil
		w.records[id] = r
		w.apply(r)
	}
	if got := w.round(); got != nothing {
		t.Errorf("ended as %q", got)
	}
	if _, err := w.keeper.Similar(t.Context(), "a:1", motif, 5); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := os.Stat(w.keeper.modelFile()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestNoThemes: a Keeper that learns nothing notes nothing, and one of an archive without labels keeps and reads nothing of its records.
func TestNoThemes(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.Works = 0
	off := newWorld(t, cfg)
	off.fill(1, 30, 30)
	if since, waiting := off.keeper.changes.counts(); waiting > 0 || since.labelled > 0 {
		t.Errorf("%d artifacts wait for nobody", waiting)
	}
	if _, err := off.keeper.Similar(t.Context(), "a:1", motif, 5); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "themes.works") {
		t.Error(err)
	}
	bare := newWorld(t, usual())
	bare.fill(1, 30, 0)
	bare.round()
	bare.fill(2, 40, 0)
	bare.archive.fail = errors.New("it is read")
	bare.renew()
	if _, waiting := bare.keeper.changes.counts(); waiting > 0 {
		t.Errorf("%d artifacts wait for a model that is not there", waiting)
	}
	bare.last.ended = time.Now().Add(-1000 * time.Hour)
	if bare.keeper.due(bare.last) {
		t.Error("an archive without labels is read again")
	}
}

// TestDue: when a round is due.
func TestDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	done := rounds{any: true, cost: time.Minute, works: 8000, artifacts: 100_000}
	bare := rounds{any: true, cost: time.Minute, artifacts: 100_000}
	weak := bare
	weak.weak = true
	for _, c := range []struct {
		name  string
		last  rounds
		ended time.Duration
		since since
		want  bool
	}{
		{"the first", rounds{}, 0, since{}, true},
		{"nothing has changed", done, 1000 * time.Hour, since{}, false},
		{"much has, just now", done, 2 * time.Minute, since{labelled: 1000}, false},
		{"much has", done, 4 * time.Minute, since{labelled: 200}, true},
		{"much has of what has no labels", done, 4 * time.Minute, since{others: 3000}, true},
		{"some have of what has no labels", done, 4 * time.Minute, since{others: 1000}, false},
		{"half of both", done, 4 * time.Minute, since{80, 1000}, true},
		{"there are no labels", bare, 1000 * time.Hour, since{others: 90_000}, false},
		{"there are none but by fields", weak, 4 * time.Minute, since{others: 2000}, true},
		{"the first label", bare, 4 * time.Minute, since{labelled: 1}, true},
		{"one has", done, 4 * time.Minute, since{labelled: 1}, false},
		{"one has, long ago", done, 481 * time.Minute, since{labelled: 1}, true},
		{"it failed", rounds{any: true, failed: true}, 2 * time.Minute, since{}, true},
		{"it failed just now", rounds{any: true, failed: true}, 30 * time.Second, since{labelled: 50}, false},
	} {
		c.last.ended = ago(c.ended)
		w.keeper.changes.since = c.since
		if got := w.keeper.due(c.last); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestRun: a Keeper at work learns what comes, while batches, questions and declarations come beside, and ends when it is told to.
func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.keeper.Run(ctx) }()
	until := func(what string, is func(Status) bool) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Minute); !is(w.keeper.Status()); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v", what, w.keeper.Status())
			}
			answer, err := w.keeper.Similar(t.Context(), "a:5", motif, 3)
			if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrNotReady) && !errors.Is(err, ErrNoArtifact) || err == nil && len(answer.Items) > 3 {
				t.Fatalf("%v, %+v", err, answer)
			}
		}
	}
	terms := func(name string) func(Status) bool {
		return func(s Status) bool {
			return slices.ContainsFunc(s.Themes, func(t Theme) bool { return t.Name == name && t.State == Served })
		}
	}
	w.fill(11, 60, 50)
	until("the themes of the records", terms(motif))
	if err := w.keeper.Declare(Declaration{Name: "craft", Weak: []string{"technique"}}); err != nil {
		t.Fatal(err)
	}
	until("a theme that was declared", terms("craft"))
	rng := rand.New(rand.NewPCG(1, 12))
	for i := range 40 {
		w.apply(recordOf(rng, fmt.Sprintf("b:%d", i), true))
	}
	until("what came since", func(s Status) bool { return s.Made.Works == 100 && s.Profiles == 100 && s.Waiting == 0 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
