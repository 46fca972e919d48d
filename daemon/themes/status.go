package themes

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Phases of a Keeper.
const (
	Idle      = "idle"
	Reading   = "reading"   // the archive is surveyed
	Fitting   = "fitting"   // a model is made
	Profiling = "profiling" // the profiles of the artifacts are made by it
)

// progress is where the Keeper stands.
type progress struct {
	phase string
	ratio float64
	last  *survey // without works and labels; nil: there was none
	// stored is how many lists there are, and due of how many artifacts they are to be made anew.
	stored, due int
	// faults say, by theme, why its lists are not stored or published.
	faults map[string]string
}

func (k *Keeper) enter(phase string) {
	k.status.Lock()
	defer k.status.Unlock()
	k.status.phase, k.status.ratio = phase, 0
}

func (k *Keeper) advance(ratio float64) {
	k.status.Lock()
	defer k.status.Unlock()
	k.status.ratio = ratio
}

func (k *Keeper) surveyed(s *survey) {
	k.status.Lock()
	defer k.status.Unlock()
	k.status.last = &survey{declared: s.declared, artifacts: s.artifacts, labelled: s.labelled, left: s.left}
}

// Status is where the themes stand.
type Status struct {
	// Phase is one of the constants, and Ratio how much of it is done.
	Phase string
	Ratio float64
	// Made tells of the model that serves, nil: there is none.
	Made  *Made
	Terms int
	// Profiles are kept of so many artifacts, in so many Bytes; Waiting are those whose profiles are to be renewed.
	Profiles, Bytes, Waiting int
	// Lists are stored and published; those of Due artifacts are to be made anew.
	Lists, Due int
	// NoRoom is how many artifacts with labels the last survey had no room for.
	NoRoom int
	Themes []Theme // by name
}

// States of a Theme.
const (
	Served  = "served"
	Few     = "few"     // fewer artifacts have labels than Config.Least, or no two share one
	Waiting = "waiting" // it is to be learned
)

// Theme is one that was declared or seen in records.
type Theme struct {
	Name  string
	State string
	// Labelled is how many artifacts had labels of it, weak ones too, at the last survey. Terms is how many the model predicts.
	Labelled, Terms int
	Declared        bool
	Weak            []string
	// Fault says why its lists are not stored or published, "": they are, as far as there are any.
	Fault string
}

// Status tells where the themes stand.
func (k *Keeper) Status() Status {
	k.status.Lock()
	p := k.status.progress
	k.status.Unlock()
	out := Status{Phase: p.phase, Ratio: p.ratio, Lists: p.stored, Due: p.due}
	_, out.Waiting = k.changes.counts()
	s := k.serving.Load()
	declared := k.declared.all()
	names := map[string]bool{}
	for name := range declared {
		names[name] = true
	}
	labelled := map[string]int{}
	if s != nil {
		made := s.made
		out.Made, out.Terms = &made, s.model.Terms()
		out.Profiles, out.Bytes = s.sizes()
		maps.Copy(labelled, made.Labelled)
	}
	if p.last != nil {
		labelled, out.NoRoom = p.last.labelled, p.last.left
	}
	for name := range labelled {
		names[name] = true
	}
	for _, name := range slices.SortedFunc(maps.Keys(names), strings.Compare) {
		d, is := declared[name]
		t := Theme{Name: name, State: Few, Labelled: labelled[name], Declared: is, Weak: d.Weak, Fault: p.faults[name]}
		if s != nil {
			t.Terms = len(s.model.TermsOf(name))
		}
		switch {
		case t.Terms > 0:
			t.State = Served
		case p.last == nil, is && !k.knew(p.last, d), t.Labelled >= k.cfg.Least && p.phase != Idle:
			t.State = Waiting
		}
		out.Themes = append(out.Themes, t)
	}
	return out
}

// knew tells whether a survey was made with a Declaration.
func (k *Keeper) knew(s *survey, d Declaration) bool {
	was, ok := s.declared[d.Name]
	return ok && slices.Equal(was.Weak, d.Weak)
}

// age is that of the model, 0 without one.
func (s *Status) age() time.Duration {
	if s.Made == nil {
		return 0
	}
	return max(0, time.Since(s.Made.At))
}
