package stored

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"kilim/learner/theme"
)

// Config says which lists there are, and where they are told.
type Config struct {
	// Size is the length of a list, and Themes how many lists an artifact has at most.
	Size, Themes int
	// Tolerance is the change of a score below which a list stays as it was published.
	Tolerance float64
	// Similar is the topic of the other lists, see Topic.
	Similar string
}

// kept is how many entries of a list are: so many may go that are told before all have to be looked at again.
func (c *Config) kept() int { return c.Size + (c.Size+1)/2 }

// Bytes is about how much memory the lists of an artifact take where so many themes stand apart.
func (c *Config) Bytes(apart int) int {
	return (c.Themes + min(c.Themes, apart)) * c.kept() * entryMemory
}

// entryMemory is what an entry takes, with the one by which its artifact knows who lists it.
const entryMemory = 56

// Profiles are those of all artifacts that may be listed.
type Profiles interface {
	// ProfileOf is that of one artifact, nil when there is none, with a checksum of what it was made of.
	ProfileOf(id string) (p *theme.Profile, work uint64)
	// Table calls fn with all of them, which must not keep it or change it.
	Table(fn func(*theme.Table))
	// Admit says from which scores on others enter an artifact's lists: theme.Table's.
	Admit(id string, from []float64)
}

// Model is what lists are made by. Profiles are its.
type Model struct {
	// ID names it: models of one ID are the same to the bit.
	ID string
	// Of names what lists of a theme are made by, which a theme that stands apart from it has no part in: those of one name are the same to the bit. It is
	// what a List has for its Model.
	Of func(theme string) string
	*theme.Model
	Profiles
}

// Lists is what is known of all lists from one Pass to the next. It is used by one goroutine.
type Lists struct {
	cfg  Config
	rows map[string]*Row // by artifact; a row is not changed once it is here
	// holders are those who list an artifact.
	holders map[string][]string
	// model is what lists are made by now, nil: none is there, and no artifact has a list. by names it, with the settings.
	model *Model
	by    string
	// muted are the themes that nothing can be told of now. Their lists stay as they were told, of no model, and nobody gets one.
	muted map[string]bool
	// due are the artifacts whose lists may not be what a Pass would make of them.
	due map[string]struct{}
	// lost is the revision up to which what was published is not known to be in the topics any more.
	lost  uint64
	count int // of all lists
}

// New returns the lists of an archive in which nobody has one.
func New(cfg Config) *Lists {
	return &Lists{cfg: cfg, rows: map[string]*Row{}, holders: map[string][]string{}, due: map[string]struct{}{}}
}

// Load takes up a stored row, before the first Pass.
func (l *Lists) Load(b []byte) error {
	r := new(Row)
	if err := r.Unmarshal(b); err != nil {
		return err
	}
	if l.rows[r.ID] != nil {
		return fmt.Errorf("themes: two rows of lists are of artifact %q", r.ID)
	}
	l.set(r.ID, r)
	return nil
}

// Align has all be due that is not as m would make it: lists by another model, of artifacts that were something else when they were made, or that are
// not there, and those that artifacts lack. m is nil when no theme is learned. Nothing is told of the muted themes, whose topics are not there; all the
// more is once they are muted no more.
func (l *Lists) Align(m *Model, muted ...string) {
	l.muted = map[string]bool{}
	for _, name := range muted {
		l.muted[name] = true
	}
	if l.model, l.by = m, ""; m != nil {
		l.by = fmt.Sprintf("%s size %d themes %d by gate tolerance %g", m.ID, l.cfg.Size, l.cfg.Themes, l.cfg.Tolerance)
	}
	clear(l.due)
	for id, r := range l.rows {
		l.admit(id, r)
		if !l.settled(id) {
			l.due[id] = struct{}{}
		}
	}
	if m == nil {
		return
	}
	m.Table(func(t *theme.Table) {
		t.Each(func(id string, _ *theme.Profile) {
			if l.rows[id] == nil {
				l.due[id] = struct{}{}
			}
		})
	})
}

// admit has the profiles know from which scores on others enter an artifact's lists, by its row, nil: it has none.
func (l *Lists) admit(id string, r *Row) {
	if l.model == nil {
		return
	}
	var from []float64
	for _, name := range l.model.Themes() {
		least := math.Inf(1)
		if r != nil && l.current(r) && !l.muted[name] {
			if list := r.List(name); list != nil {
				least = list.least()
			}
		}
		from = append(from, least)
	}
	l.model.Admit(id, from)
}

// settled tells whether an artifact's row is what the model makes of what is there of the artifact, and was told.
func (l *Lists) settled(id string) bool {
	r := l.rows[id]
	var want []string
	if p, work := l.profile(id); p != nil {
		if r == nil || !l.current(r) || r.Work != work {
			return false
		}
		want = l.themes(p)
	} else if r == nil || len(r.Lists) == 0 {
		return r == nil
	}
	lists := 0
	for i := range r.Lists {
		list := &r.Lists[i]
		switch {
		case l.muted[list.Theme]:
			if list.Model != "" {
				return false
			}
		case l.untold(*list) || !slices.Contains(want, list.Theme) || list.Model != l.model.Of(list.Theme):
			return false
		default:
			lists++
		}
	}
	return lists == len(want)
}

// profile is that of an artifact, nil when there is none, or no model.
func (l *Lists) profile(id string) (p *theme.Profile, work uint64) {
	if l.model == nil {
		return nil, 0
	}
	return l.model.ProfileOf(id)
}

// current tells whether a row's lists are complete by the model and the settings of now.
func (l *Lists) current(r *Row) bool { return l.model != nil && r.By == l.by }

// Told is an artifact's list of a theme as it was told last, nil when it has none, or one that is to be made anew.
func (l *Lists) Told(id, theme string) *List {
	r := l.rows[id]
	if r == nil || !l.current(r) || l.muted[theme] {
		return nil
	}
	if list := r.List(theme); list != nil && list.Model == l.model.Of(theme) {
		return list
	}
	return nil
}

// Themes are those of which there are lists, by name.
func (l *Lists) Themes() []string {
	seen := map[string]bool{}
	for _, r := range l.rows {
		for i := range r.Lists {
			seen[r.Lists[i].Theme] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (l *Lists) untold(list List) bool { return list.Revision <= l.lost && !l.muted[list.Theme] }

// withheld tells whether a list stays as it was told, of no model: its theme is muted, or was until now and the list is due to be made anew. To tell of what
// leaves it before that would be to tell it twice, once as made by no model.
func (l *Lists) withheld(list *List) bool { return l.muted[list.Theme] || list.Model == "" }

// Lost says that what was published up to a revision is not known to be in the topics any more: such lists are due to be told again.
func (l *Lists) Lost(upto uint64) {
	if upto <= l.lost {
		return
	}
	l.lost = upto
	for id, r := range l.rows {
		if slices.ContainsFunc(r.Lists, l.untold) {
			l.due[id] = struct{}{}
		}
	}
}

// Due is how many artifacts are due.
func (l *Lists) Due() int { return len(l.due) }

// Take gives up to n artifacts that are due. They are due until a Pass that has Took them is Committed.
func (l *Lists) Take(n int) []string {
	var out []string
	for id := range l.due {
		if len(out) == n {
			break
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// Count is how many lists there are.
func (l *Lists) Count() int { return l.count }

// Rows is how many artifacts have one.
func (l *Lists) Rows() int { return len(l.rows) }

// themes are those that an artifact is to have lists of.
func (l *Lists) themes(p *theme.Profile) []string {
	return slices.DeleteFunc(Applying(l.model.Model, p, l.cfg.Themes), func(name string) bool { return l.muted[name] })
}

// Applying are the themes that apply to an artifact by the Model's gate, at most so many of those that stand apart and of the others; by name.
func Applying(m *theme.Model, p *theme.Profile, most int) []string {
	var out []string
	for _, a := range m.Gate(p, most) {
		out = append(out, a.Theme)
	}
	slices.Sort(out)
	return out
}

// set gives an artifact another row, nil: none.
func (l *Lists) set(id string, now *Row) {
	was := l.rows[id]
	l.hold(was, now)
	l.admit(id, now)
	if was != nil {
		l.count -= len(was.Lists)
	}
	if now == nil {
		delete(l.rows, id)
		return
	}
	l.rows[id] = now
	l.count += len(now.Lists)
}

// hold keeps who lists whom, when a row takes the place of another one; nil is none.
func (l *Lists) hold(before, now *Row) {
	was, is := members(before), members(now)
	for id := range was {
		if _, still := is[id]; still {
			continue
		}
		all := l.holders[id]
		if at := slices.Index(all, before.ID); at >= 0 {
			all = slices.Delete(all, at, at+1)
		}
		if l.holders[id] = all; len(all) == 0 {
			delete(l.holders, id)
		}
	}
	for id := range is {
		if _, had := was[id]; !had {
			l.holders[id] = append(l.holders[id], now.ID)
		}
	}
}

// members are the artifacts in any list of a row.
func members(r *Row) map[string]struct{} {
	out := map[string]struct{}{}
	if r != nil {
		for i := range r.Lists {
			for j := range r.Lists[i].Entries {
				out[r.Lists[i].Entries[j].ID] = struct{}{}
			}
		}
	}
	return out
}
