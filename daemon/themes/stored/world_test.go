package stored

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/graphstore/weave"
	"kilim/learner/theme"
	"kilim/rerank"
)

const similar = "kilim.similar"

// world is an archive with the store of its lists and the topics that they are told in.
type world struct {
	*testing.T
	rng     *rand.Rand
	cfg     Config
	works   map[string]theme.Work
	labels  map[string]theme.Labels
	waiting map[string]struct{} // what has changed and no Pass knows
	lists   *Lists
	model   *Model
	muted   []string // themes that nothing can be told of
	kept    map[string]profile
	table   *theme.Table // of these

	revision uint64
	rows     map[string][]byte
	pasts    map[[2]string][]byte // by artifact and theme
	tellings map[[2]string][]telling
	topics   map[string]map[string]message // what each ends with, by key
	told     int
	resized  bool // lists had another length: what is told has changed is so among those of now
	states   int  // that histories told of
}

type profile struct {
	work uint64
	*theme.Profile
}

func (w *world) Table(fn func(*theme.Table)) { fn(w.table) }

func (w *world) Admit(id string, from []float64) { w.table.Admit(id, from) }

func (w *world) ProfileOf(id string) (*theme.Profile, uint64) {
	p := w.kept[id]
	return p.Profile, p.work
}

func newWorld(t *testing.T, seed uint64, cfg Config) *world {
	cfg.Similar = similar
	w := &world{T: t, rng: rand.New(rand.NewPCG(seed, 3)), cfg: cfg, works: map[string]theme.Work{}, labels: map[string]theme.Labels{}, waiting: map[string]struct{}{},
		rows: map[string][]byte{}, pasts: map[[2]string][]byte{}, tellings: map[[2]string][]telling{}, topics: map[string]map[string]message{}}
	w.lists = New(w.cfg)
	return w
}

// themes are four, of which an artifact has one or two.
var themes = []string{"motif", "Craft & trade", "belief", "music"}

// put makes an artifact anew.
func (w *world) put(id string) {
	labels := theme.Labels{}
	var said []string
	var shared []string
	for range 1 + w.rng.IntN(2) {
		topic := w.rng.IntN(12)
		for range 4 {
			said = append(said, fmt.Sprintf("word%cq%d", 'a'+topic, w.rng.IntN(5)))
		}
		shared = append(shared, fmt.Sprintf("place %d", topic/2))
		name := themes[topic%len(themes)]
		labels[name] = append(labels[name], fmt.Sprintf("term %d", topic))
	}
	for range 3 {
		said = append(said, fmt.Sprintf("noise%d", w.rng.IntN(60)))
	}
	title := weave.Text{Body: strings.Join(said[:2], " ")}
	w.works[id] = theme.Work{ID: id, Title: title, Texts: []weave.Text{title, {Body: strings.Join(said, " ")}}, Shared: shared}
	if delete(w.labels, id); w.rng.IntN(4) > 0 {
		w.labels[id] = labels
	}
	w.waiting[id] = struct{}{}
}

func (w *world) remove(id string) {
	delete(w.works, id)
	delete(w.labels, id)
	w.waiting[id] = struct{}{}
}

func sumOf(work theme.Work) (sum uint64) {
	for _, b := range []byte(fmt.Sprint(work)) {
		sum = sum*1099511628211 + uint64(b)
	}
	return sum
}

func (w *world) profile(id string) {
	work, ok := w.works[id]
	if !ok {
		delete(w.kept, id)
		w.table.Remove(id)
		return
	}
	w.kept[id] = profile{sumOf(work), w.model.Model.Profile(&work)}
	w.table.Put(id, w.kept[id].Profile)
}

// fit has a model of the labels of now take the place of the one before, without the themes that are left out.
func (w *world) fit(without ...string) {
	w.Helper()
	var works []theme.Work
	labels := map[string]theme.Labels{}
	sum := uint64(0)
	for _, id := range slices.Sorted(maps.Keys(w.labels)) {
		own := maps.Clone(w.labels[id])
		for _, name := range without {
			delete(own, name)
		}
		if len(own) > 0 {
			works, labels[id] = append(works, w.works[id]), own
			sum = sum*31 + sumOf(w.works[id]) + sumOf(theme.Work{ID: fmt.Sprint(own)})
		}
	}
	w.model = nil
	w.kept = map[string]profile{}
	if len(works) > 0 {
		basis, err := theme.NewBasis(theme.DefaultConfig(), works)
		if err != nil {
			w.Fatal(err)
		}
		m, err := basis.Fit(w.Context(), labels, nil)
		if err != nil && !errors.Is(err, theme.ErrNoTerms) {
			w.Fatal(err)
		}
		if err == nil {
			w.model = &Model{ID: fmt.Sprint(sum), Model: m, Profiles: w}
			w.model.Of = func(string) string { return w.model.ID }
		}
	}
	w.align()
}

func (w *world) align() {
	if w.model != nil {
		w.table = theme.NewTable(w.model.Model)
		for id := range w.works { // in whatever order
			w.profile(id)
		}
	}
	w.lists.Align(w.model, w.muted...)
}

// mute has nothing be told of some themes any more, and of all others again.
func (w *world) mute(themes ...string) {
	w.muted = themes
	w.lists.Align(w.model, w.muted...)
}

func (w *world) mutedTopic(topic string) bool {
	return slices.ContainsFunc(w.muted, func(theme string) bool { return Topic(similar, theme) == topic })
}

// crash loses all but the store.
func (w *world) crash() {
	w.Helper()
	w.lists = New(w.cfg)
	for _, row := range w.rows {
		if err := w.lists.Load(row); err != nil {
			w.Fatal(err)
		}
	}
	clear(w.waiting)
	w.kept = map[string]profile{}
	w.align()
}

// commit is a Writer.
type commit struct {
	w     *world
	rows  map[string][]byte
	pasts map[[2]string][]byte
	out   [][]byte
}

func (c *commit) Recorded() time.Time { return c.w.clock() }

func (c *commit) Past(id, theme string) ([]byte, error) { return c.w.pasts[[2]string{id, theme}], nil }

func (c *commit) PutPast(id, theme string, past []byte) error {
	c.pasts[[2]string{id, theme}] = past
	return nil
}

func (c *commit) Revision() uint64 { return c.w.revision }

func (c *commit) Put(id string, row []byte) error {
	c.rows[id] = row
	return nil
}

func (c *commit) Delete(id string) error {
	c.rows[id] = nil
	return nil
}

func (c *commit) Enqueue(message []byte) error {
	c.out = append(c.out, message)
	return nil
}

// step brings some of what has changed, or is due, up to date. If it fails, nothing of it is durable.
func (w *world) step(fails bool) {
	w.Helper()
	p := w.lists.Begin()
	taken := 0
	for _, id := range slices.Sorted(maps.Keys(w.waiting)) {
		if taken == 7 {
			break
		}
		if w.model != nil {
			w.profile(id)
		}
		p.Take(id, rerank.Cause{ID: id})
		taken++
	}
	if taken == 0 {
		for _, id := range w.lists.Take(7) {
			p.Take(id, rerank.Cause{})
		}
	}
	p.Rank(w.rng.IntN(4))
	w.revision++
	c := &commit{w: w, rows: map[string][]byte{}, pasts: map[[2]string][]byte{}}
	if err := p.Write(c); err != nil {
		w.Fatal(err)
	}
	if fails {
		return
	}
	for id, row := range c.rows {
		if w.rows[id] = row; row == nil {
			delete(w.rows, id)
		}
	}
	for key, past := range c.pasts {
		if w.pasts[key] = past; past == nil {
			delete(w.pasts, key)
		}
	}
	for _, b := range c.out {
		w.publish(b)
	}
	p.Committed()
	for id := range p.taken {
		delete(w.waiting, id)
	}
}

// publish puts a message into its topic. What it says has changed must be what has since the one before.
func (w *world) publish(b []byte) {
	w.Helper()
	m, err := rerank.Decode(b)
	if err != nil || m.Kind != rerank.KindThemed {
		w.Fatal(err, m)
	}
	w.told++
	if w.mutedTopic(m.Topic) {
		w.Errorf("%s: %q is told", m.Topic, m.ID)
	}
	topic := w.topics[m.Topic]
	if topic == nil {
		topic = map[string]message{}
		w.topics[m.Topic] = topic
	}
	before, had := topic[m.ID]
	if m.Value == nil {
		if !had {
			w.Errorf("%s: %q is told to be gone, and was not there", m.Topic, m.ID)
		}
		delete(topic, m.ID)
		for name := range before.Lists {
			delete(w.tellings, [2]string{m.ID, strings.TrimPrefix(name, "theme:")})
		}
		return
	}
	var now message
	if err := json.Unmarshal(m.Value, &now); err != nil || now.ID != m.ID || now.Revision != m.Revision || len(now.Lists) != 1 {
		w.Fatalf("%v: %s", err, m.Value)
	}
	if now.Model == "" {
		w.Errorf("%s: %q is told as made by no model", m.Topic, m.ID)
	}
	for name := range now.Lists {
		want := rerank.Diff(entriesOf(before.Lists[name]), entriesOf(now.Lists[name]))
		if got := now.Changes[name]; !w.resized && !(slices.Equal(got.Entered, want.Entered) && slices.Equal(got.Left, want.Left) && slices.Equal(got.Moved, want.Moved)) {
			w.Errorf("%s: %q says %+v of its changes, which are %+v", m.Topic, m.ID, got, want)
		}
		if Topic(similar, strings.TrimPrefix(name, "theme:")) != m.Topic {
			w.Errorf("%s has a list of %s", m.Topic, name)
		}
	}
	topic[m.ID] = now
	w.tell(now)
}

func entriesOf(items []item) (out []rerank.Entry) {
	for _, i := range items {
		out = append(out, rerank.Entry{ID: i.ID})
	}
	return out
}

func (w *world) settle() {
	w.Helper()
	for range 10_000 {
		if len(w.waiting) == 0 && w.lists.Due() == 0 {
			return
		}
		w.step(false)
	}
	w.Fatalf("%d wait and %d are due, for ever", len(w.waiting), w.lists.Due())
}

// dull are the lists of all artifacts, each compared with all others one by one.
func (w *world) dull() map[string]map[string][]Entry {
	out := map[string]map[string][]Entry{}
	if w.model == nil {
		return out
	}
	profiles := map[string]*theme.Profile{}
	for id, work := range w.works {
		profiles[id] = w.model.Model.Profile(&work)
	}
	for id, p := range profiles {
		var names []string
		for _, a := range w.model.Gate(p, len(w.model.Themes())) {
			names = append(names, a.Theme)
		}
		out[id] = map[string][]Entry{}
		for _, name := range names[:min(len(names), w.cfg.Themes)] {
			if slices.Contains(w.muted, name) {
				continue
			}
			all := []Entry{}
			for other, to := range profiles {
				if other != id {
					parts, _ := w.model.Ask(p).Compare(name, to)
					all = append(all, Entry{other, parts})
				}
			}
			slices.SortFunc(all, func(a, b Entry) int {
				return cmp.Or(cmp.Compare(b.Parts.Score(), a.Parts.Score()), cmp.Compare(a.ID, b.ID))
			})
			out[id][name] = all
		}
	}
	return out
}

// verify holds rows and topics against the dull lists. Scores may differ by the tolerance. Lists of muted themes are of no model.
func (w *world) verify() (lists int) {
	w.Helper()
	want := w.dull()
	for id := range want {
		if w.rows[id] == nil {
			w.Errorf("%q has no row", id)
		}
	}
	for id, b := range w.rows {
		var r Row
		if err := r.Unmarshal(b); err != nil {
			w.Fatal(err)
		}
		before := len(r.Lists)
		r.Lists = slices.DeleteFunc(r.Lists, func(l List) bool { return slices.Contains(w.muted, l.Theme) && l.Model == "" })
		if want[id] == nil && (before == 0 || len(r.Lists) > 0) {
			w.Errorf("%q is not there and has a row of %d lists", id, before)
		}
		if len(r.Lists) != len(want[id]) {
			w.Errorf("%q has %d lists, want %d", id, len(r.Lists), len(want[id]))
		}
		for _, list := range r.Lists {
			lists++
			dull, ok := want[id][list.Theme]
			told := list.told(w.cfg.Size)
			if len(told) < min(len(dull), w.cfg.Size) || list.Whole && len(list.Entries) < len(dull) {
				w.Fatalf("%q in %s: %+v, want %+v", id, list.Theme, list, dull)
			}
			if dull = dull[:min(len(dull), len(list.Entries))]; !ok || material(told, dull[:len(told)], w.cfg.Tolerance) || w.cfg.Tolerance == 0 && !slices.Equal(list.Entries, dull) {
				w.Fatalf("%q in %s: %+v, want %+v", id, list.Theme, list.Entries, dull)
			}
			last, ok := w.topics[Topic(similar, list.Theme)][id]
			items := last.Lists[Name(list.Theme)]
			if !ok || list.Model != w.model.ID || last.Revision != list.Revision || last.Model != list.Model || len(items) != len(told) {
				w.Fatalf("%q in %s: the topic ends with %+v, stored is %+v", id, list.Theme, last, list)
			}
			for i, item := range items {
				if e := told[i]; item.ID != e.ID || item.Parts != parts(e.Parts) || item.Score != e.Parts.Score() {
					w.Fatalf("%q in %s: the topic ends with %+v, stored is %+v", id, list.Theme, last, list)
				}
			}
		}
	}
	w.verifyPasts()
	told := 0
	for topic, keys := range w.topics {
		if !w.mutedTopic(topic) {
			told += len(keys)
		}
	}
	if told != lists {
		w.Errorf("the topics end with %d lists, %d are stored", told, lists)
	}
	return lists
}
