package themes

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/theme"
)

const (
	// pageSize is how many artifacts are read in one View, and between two rests.
	pageSize = 64
	// textBytes is how much text the works of a fit may have together, and workBytes one of them: a fit counts all words, and
	// each takes some 50 bytes while it does. The 12,000 works of the Tate have 4 MB.
	textBytes, workBytes = 32 << 20, 256 << 10
	// mostNames is how many names of themes are counted. Themes are few; what has more mistook something else for them.
	mostNames = 1024
	// mostTerms is how many terms of all themes are learned, those of the most works: a term takes 9 KB of a Model, and a Fit the time
	// that goes with it.
	mostTerms = 16384
)

// survey is what an archive says of themes at a time.
type survey struct {
	declared map[string]Declaration
	// artifacts is how many were read, and labelled how many of them have labels, by theme, weak ones too.
	artifacts int
	labelled  map[string]int
	// works are those with labels, by their nodes, as many as there is room for, and labels theirs of admitted themes. A work that has none of these is
	// fitted too: else a theme that is declared would bring works, and another Basis, so that all other themes would be solved anew and answer otherwise.
	works  []theme.Work
	labels map[string]theme.Labels
	// left is how many works with labels there was no room for.
	left int

	bytes int
}

// read surveys the archive. Nodes are hashes, so that works which there is room for are a sample that neither their arrival nor their
// alphabet decides.
func (k *Keeper) read(ctx context.Context) (*survey, error) {
	s := &survey{declared: k.declared.all(), labelled: map[string]int{}, labels: map[string]theme.Labels{}}
	err := k.each(ctx, func(a *profile.Artifact) { s.add(a, k.cfg.works()) })
	if err != nil {
		return nil, err
	}
	s.admit(k.cfg.Least)
	return s, nil
}

// each calls fn for every artifact whose document can be read, in the order of nodes, leaves time to others, and renews what they change, but while
// somebody waits for a theme. The artifacts are not
// all of one committed state: what changes meanwhile is told to Note, and seen by the next who reads.
func (k *Keeper) each(ctx context.Context, fn func(*profile.Artifact)) error {
	for after, done := graphstore.NodeID(0), false; !done; {
		start := time.Now()
		var page []*profile.Artifact
		last := after
		err := k.archive.View(func(r Documents) error {
			page = page[:0]
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
				if a != nil {
					page = append(page, a)
				}
				last = graphstore.ID(graphstore.Artifact, id)
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = last
		for _, a := range page {
			fn(a)
		}
		if err := k.rest(ctx, time.Since(start)); err != nil {
			return err
		}
		if !k.hurried {
			_, _ = k.renew(ctx) // what can't be renewed now waits
		}
	}
	return nil
}

func (s *survey) add(a *profile.Artifact, room int) {
	s.artifacts++
	labels := s.labelsOf(a)
	for name := range labels {
		if _, known := s.labelled[name]; known || len(s.labelled) < mostNames {
			s.labelled[name]++
		} else {
			delete(labels, name)
		}
	}
	if len(labels) == 0 {
		return
	}
	w := theme.WorkOf(a)
	size := 0
	for _, t := range w.Texts {
		size += len(t.Body)
	}
	if len(s.works) >= room || size > workBytes || s.bytes+size > textBytes {
		s.left++
		return
	}
	s.bytes += size
	s.works, s.labels[a.ID] = append(s.works, w), labels
}

// labelsOf are the labels in the record, and weak ones of declared themes of which it has none.
func (s *survey) labelsOf(a *profile.Artifact) theme.Labels {
	labels := theme.Labels{}
	maps.Copy(labels, a.Theme)
	for name, d := range s.declared {
		if len(labels[name]) > 0 {
			continue
		}
		if weak := d.weakLabels(a); len(weak) > 0 {
			labels[name] = weak
		}
	}
	return labels
}

// admit drops the labels of themes that nobody declared and of which fewer than least artifacts have labels, and those of the rarest terms where
// there are too many.
func (s *survey) admit(least int) {
	kept := s.keptTerms(least)
	for id, own := range s.labels {
		for name, terms := range own {
			own[name] = slices.DeleteFunc(slices.Clone(terms), func(t string) bool { return !kept[term{name, t}] })
			if len(own[name]) == 0 {
				delete(own, name)
			}
		}
		if len(own) == 0 {
			delete(s.labels, id)
		}
	}
}

type term struct{ theme, label string }

// keptTerms are the terms of admitted themes, of too many those that most works have.
func (s *survey) keptTerms(least int) map[term]bool {
	count := map[term]int{}
	for _, own := range s.labels {
		for name, terms := range own {
			if !s.admitted(name, least) {
				continue
			}
			for _, t := range terms {
				count[term{name, t}]++
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(count), func(a, b term) int {
		x, y := s.declared[a.theme].Apart, s.declared[b.theme].Apart
		if x != y { // one that stands apart takes no room from the others
			if x {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.theme, b.theme), cmp.Compare(a.label, b.label))
	})
	kept := make(map[term]bool, len(order))
	for _, t := range order[:min(len(order), mostTerms)] {
		kept[t] = true
	}
	return kept
}

// admitted tells whether a theme is to be learned.
func (s *survey) admitted(name string, least int) bool {
	_, declared := s.declared[name]
	return declared || s.labelled[name] >= least
}

// sums tell two surveys apart by what a fit makes of them. Labels are those of the themes that don't stand apart.
type sums struct {
	Works  string `json:"works"`
	Labels string `json:"labels"`
	Apart  string `json:"apart,omitempty"`
}

// sums also returns checksums of the labels of each theme that stands apart.
func (s *survey) sums() (all sums, apart map[string]string) {
	works, labels := checksum{sha256.New()}, checksum{sha256.New()}
	own := map[string]checksum{}
	for i := range s.works {
		w := &s.works[i]
		works.work(w)
		of := s.labels[w.ID]
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(of)), func(name string) bool {
			if !s.declared[name].Apart {
				return false
			}
			if _, there := own[name]; !there {
				own[name] = checksum{sha256.New()}
			}
			own[name].text(w.ID)
			own[name].texts(of[name])
			return true
		})
		labels.text(w.ID)
		labels.number(len(names))
		for _, name := range names {
			labels.text(name)
			labels.texts(of[name])
		}
	}
	all = sums{Works: hex.EncodeToString(works.Sum(nil)), Labels: hex.EncodeToString(labels.Sum(nil))}
	if len(own) == 0 {
		return all, nil
	}
	apart = map[string]string{}
	together := checksum{sha256.New()}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		apart[name] = hex.EncodeToString(own[name].Sum(nil))
		together.text(name)
		together.text(apart[name])
	}
	all.Apart = hex.EncodeToString(together.Sum(nil))
	return all, apart
}

type checksum struct{ hash.Hash }

func (c checksum) number(n int) { c.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func (c checksum) texts(all []string) {
	c.number(len(all))
	for _, s := range all {
		c.text(s)
	}
}

func (c checksum) work(w *theme.Work) {
	c.text(w.ID)
	c.text(w.Title.Body)
	c.text(w.Title.Language)
	c.number(len(w.Texts))
	for _, t := range w.Texts {
		c.text(t.Body)
		c.text(t.Language)
	}
	c.number(len(w.Shared))
	for _, name := range w.Shared {
		c.text(name)
	}
}

// sumOf is a checksum of all that is read of an artifact.
func sumOf(w *theme.Work) uint64 {
	c := checksum{sha256.New()}
	c.work(w)
	return binary.LittleEndian.Uint64(c.Sum(nil))
}

func (c checksum) text(s string) {
	c.number(len(s))
	c.Write([]byte(s))
}
