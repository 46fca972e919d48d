package encode

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/feature"
)

// history drives a desk and its oracle through the same random units.
type history struct {
	*desk
	rng    *rand.Rand
	oracle *oracle
	// origin is the state that this one, a standby, is made from; nil otherwise.
	origin *history
	// late are answers that were asked for and not taken yet.
	late []Answer
}

const ids = 6

// invent makes a record whose media are of few contents, so that they meet: those of one modality do.
func (h *history) invent(id string) *profile.Artifact {
	pool := []profile.Media{
		picture("star"), picture("star"), picture("hook"), picture("bad"), picture("comb"),
		pictureAt("u0"), pictureAt("u1"), pictureAt("nowhere"), pictureAt("forbidden"),
		soundAt("s0"), soundAt("s1"), soundAt("nowhere"), soundAt("forbidden"), {Kind: profile.Audio, Data: []byte("a song")},
		embedded(profile.Image, "eye", 1, 2, 3, 4, 5), embedded(profile.Image, "other", 1, 2, 3, 4, 5), embedded(profile.Image, "eye", 1),
		embedded(profile.Audio, "ear", 6, 7, 8), embedded(profile.Text, "reader", 9, 9, 9, 9),
		written("a border of stars"), written("it is broken"), {Kind: profile.Text, URI: "u0"},
	}
	a := artifact(id)
	if h.rng.IntN(2) == 0 {
		a.Title = []string{"a rug", "two rugs", "bad luck"}[h.rng.IntN(3)]
	}
	for range h.rng.IntN(5) {
		a.Media = append(a.Media, pool[h.rng.IntN(len(pool))])
	}
	if old := h.durable.records[id]; old != nil && h.rng.IntN(3) == 0 {
		a.Media = slices.Clone(old.Media) // in another order
		h.rng.Shuffle(len(a.Media), func(i, j int) { a.Media[i], a.Media[j] = a.Media[j], a.Media[i] })
	}
	return a
}

// records is a unit of some, which fails at its end or not. Those of a standby are what its origin has by now.
func (h *history) records(fails bool) {
	if h.origin != nil {
		h.origin.step()
		h.from = h.origin.durable
	}
	var events []event
	p, g := h.attempt(func(p *Pass, g *archive) {
		for _, i := range h.rng.Perm(ids)[:1+h.rng.IntN(3)] {
			e := event{revision: h.revision, id: fmt.Sprint(i)}
			switch {
			case h.origin != nil:
				e.from = h.origin.durable
				e.record = e.from.records[e.id]
			case h.rng.IntN(4) > 0:
				e.record = h.invent(e.id)
			}
			h.put(p, g, e.id, e.record)
			events = append(events, e)
		}
	})
	if fails {
		return
	}
	h.durable = g
	p.Committed()
	h.oracle.log = append(h.oracle.log, events...)
}

// ask lets some tasks be answered, of which the state does not hear yet.
func (h *history) ask() {
	for _, t := range h.tasks() {
		if h.rng.IntN(2) == 0 {
			if a, ok := h.desk.ask(t); ok {
				h.late = append(h.late, a)
			}
		}
	}
}

// deliver is a unit of some of the answers, in any order. One may come twice.
func (h *history) deliver() {
	h.rng.Shuffle(len(h.late), func(i, j int) { h.late[i], h.late[j] = h.late[j], h.late[i] })
	n := h.rng.IntN(len(h.late) + 1)
	answers := slices.Clone(h.late[:n])
	if h.rng.IntN(3) > 0 {
		h.late = h.late[n:]
	}
	if n > 0 {
		h.oracle.log = append(h.oracle.log, event{answers: answers})
		touched := h.take(answers)
		if want := h.oracle.outcome().touched; !slices.Equal(touched, want) {
			h.t.Errorf("the answers touch %v, want %v", touched, want)
		}
	}
}

func (h *history) step() {
	switch h.rng.IntN(12) {
	case 0:
		h.restart()
		h.oracle.log = append(h.oracle.log, event{})
	case 1:
		h.records(true)
	case 2, 3, 4, 5:
		h.records(false)
	case 6, 7, 8:
		h.ask()
	default:
		h.deliver()
	}
}

func (h *history) check() {
	h.t.Helper()
	h.oracle.outcome().compare(h.t, h.desk)
	c := h.encoders.Check(h.durable, h.revision, func(fault string) { h.t.Error(fault) })
	for _, a := range h.durable.records {
		h.must(c.Artifact(a, weave.Edges(a)))
	}
	h.must(c.Rest())
}

// encodersOf varies who encodes what.
func encodersOf(seed uint64) Encoders {
	e := eyeAndEar()
	if seed%2 == 1 {
		e.Text = newHashed("reader", 4)
	}
	if seed%5 == 2 {
		// Another version than eyeAndEar's: a standby takes over the vectors of one identity, and a fresh desk has none to take.
		e.Audio = Precomputed{ID: feature.Identity{Name: "ear", Version: 2, Dim: 3}}
	}
	if seed%7 == 3 {
		e.Image = nil
	}
	if seed%4 < 2 {
		e.Reach = walled{}
	}
	return e
}

// TestHistories: records, answers that come late, twice or never, units that fail and restarts, in any order: after each
// of them rows, vectors, queue and counts are what the whole history, worked off anew, says that they must be. When all is
// answered, an artifact is known by what a state would know it by that got what lives at once.
func TestHistories(t *testing.T) {
	t.Parallel()
	cached, late := 0, 0
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 4))
		encoders := encodersOf(seed)
		h := &history{desk: newDesk(t, encoders), rng: rng, oracle: &oracle{encoders: encoders}}
		h.behind = map[string]string{"u0": "star", "u1": "a house", "s0": "a song", "s1": "bad noise"}
		if seed%3 == 0 { // a standby, of a state that may have had other encoders
			other := encodersOf(rng.Uint64N(70))
			h.origin = &history{desk: newDesk(t, other), rng: rng, oracle: &oracle{encoders: other}}
			h.origin.behind = h.behind
			for range 20 {
				h.origin.step()
			}
		}
		for step := range 60 {
			h.step()
			if h.origin != nil {
				h.origin.check()
			}
			if h.check(); t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
		w := h.oracle.outcome()
		cached, late = cached+w.cached, late+w.late
		h.encodeAll()
		fresh := newDesk(t, encodersOf(seed))
		fresh.behind = h.behind
		fresh.feed(slices.Collect(maps.Values(h.durable.records))...)
		fresh.encodeAll()
		for id := range h.durable.records {
			if got, want := h.vectors(id), fresh.vectors(id); !sameVectors(got, want) {
				t.Fatalf("seed %d: %q is known by %v, want %v", seed, id, got, want)
			}
		}
		for kind, c := range h.media.Counts() {
			if c.Waiting > 0 {
				t.Fatalf("seed %d: %d of %s wait", seed, c.Waiting, kind)
			}
		}
	}
	if cached < 100 || late < 100 {
		t.Errorf("%d vectors were there before their medium and %d answers came late: the test shows too little", cached, late)
	}
}

// TestForbidden: what can't be had is refused in the unit of its record, and asks nobody anything; when the record comes anew
// that is as it was, and what may be had by then waits.
func TestForbidden(t *testing.T) {
	t.Parallel()
	encoders := eyeAndEar()
	encoders.Reach = walled{}
	d := newDesk(t, encoders)
	record := artifact("a", pictureAt("forbidden/1"), pictureAt("u"), soundAt("forbidden/2"))
	d.feed(record)
	first := *d.row("a", graphstore.Image, 0)
	if first.State != graphstore.MediaRefused || first.Reason != feature.ReasonNotAllowed || first.Detail != "not forbidden/1" {
		t.Errorf("the row is %+v", first)
	}
	if left := d.tasks(); len(left) != 1 {
		t.Errorf("%d wait, want one: %v", len(left), left)
	}
	d.feed(record)
	if again := *d.row("a", graphstore.Image, 0); again != first {
		t.Errorf("the row is %+v after the record came anew, want %+v", again, first)
	}
	d.encoders.Reach = nil
	d.restart()
	d.feed(record)
	if left := d.tasks(); len(left) != 3 {
		t.Errorf("%d wait when all may be had, want 3: %v", len(left), left)
	}
}

// TestAChangedURI: what is behind a URI is read once for as long as its medium stays, wherever among the media that is.
func TestAChangedURI(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.behind["u"] = "star"
	d.feed(artifact("a", pictureAt("u"), picture("comb")))
	d.encodeAll()
	d.behind["u"] = "hook"
	d.feed(artifact("a", picture("comb"), pictureAt("u")))
	if left := d.tasks(); len(left) > 0 {
		t.Errorf("asked again: %v", left)
	}
	d.remove("a")
	d.feed(artifact("a", pictureAt("u")))
	d.encodeAll()
	if v := d.vectors("a").Image; len(v) != 1 || !slices.Equal(v[0], newHashed("eye", 5).vector("hook")) {
		t.Errorf("known by %v", v)
	}
}

// TestForeignAnswer: an answer by another encoder than the state's changes nothing.
func TestForeignAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, eyeAndEar())
	d.feed(artifact("a", picture("star")))
	a, _ := d.ask(d.tasks()[0])
	a.Encoder = "eye v0, 5 numbers"
	if touched := d.take([]Answer{a}); touched != nil {
		t.Errorf("it touches %v", touched)
	}
	if row := d.row("a", graphstore.Image, 0); row.State != graphstore.MediaWaiting {
		t.Errorf("the row is %+v", row)
	}
	if len(d.durable.vectors) > 0 {
		t.Error("its vector was kept")
	}
}
