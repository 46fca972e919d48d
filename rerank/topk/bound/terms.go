package bound

import (
	"math"
	"slices"
)

// terms are the words or the entities of all artifacts, inverted: who has each. Those of artifacts that are gone stay in the lists
// until the next epoch, which goes over all of them anyway.
type terms struct {
	// at is where a term is in all, few that of small keys, which words have.
	at   map[uint64]uint32
	few  []place
	all  []term
	free []uint32
}

// place is where a term is, 1 more, 0 for one that is not there, with its idf: an artifact is weighed by hundreds of them, each of which would else be looked for in two
// places far from each other.
type place struct {
	at  uint32
	idf float32
}

// fewKeys are found without hashing: for each candidate that is weighed, each of its words is looked up.
const fewKeys = 1 << 20

func newTerms() terms { return terms{at: map[uint64]uint32{}} }

// find returns where a term is.
func (x *terms) find(key uint64) (at uint32, ok bool) {
	if key >= fewKeys {
		at, ok = x.at[key]
		return at, ok
	}
	if key >= uint64(len(x.few)) || x.few[key].at == 0 {
		return 0, false
	}
	return x.few[key].at - 1, true
}

// idf is that of a term, if it is there.
func (x *terms) idf(key uint64) (idf float32, ok bool) {
	if key < uint64(len(x.few)) {
		p := x.few[key]
		return p.idf, p.at > 0
	}
	if t := x.get(key); t != nil {
		return t.idf, true
	}
	return 0, false
}

// set says where a term is, and with which idf, and unset that it is nowhere.
func (x *terms) set(key uint64, at uint32, idf float32) {
	x.all[at].idf = idf
	if key >= fewKeys {
		x.at[key] = at
		return
	}
	if n := int(key) + 1; n > len(x.few) {
		x.few = append(x.few, make([]place, n-len(x.few))...)
	}
	x.few[key] = place{at + 1, idf}
}

func (x *terms) unset(key uint64) {
	if key >= fewKeys {
		delete(x.at, key)
		return
	}
	x.few[key] = place{}
}

type term struct {
	key uint64
	// idf is that of the epoch, or with which the term came within it.
	idf float32
	// common terms are bounded by their lengths, not looked up. A term is common from one epoch to the next.
	common bool
	had    []posting
}

// posting is an artifact that has a term: its slot, and the weight before idf.
type posting struct {
	slot      uint32
	frequency float32
}

// commonShare is the part of the archive that may have a term before it is common, and leastCommon how many may in a small archive. Of 6,000
// records of Walters each newcomer leaves 217 artifacts to be scored with 0.03 and 1,200 postings, 54 with 0.06 and 2,400, 33 with 0.12 and
// 4,900, 31 with 0.25 and 8,600: a posting is an addition, and an artifact some thousand of them.
const (
	commonShare = 0.12
	leastCommon = 64
)

// of returns a term, which is there from then on. idf is asked for that of a new one.
func (x *terms) of(key uint64, idf func(key uint64) float32) *term {
	if i, ok := x.find(key); ok {
		return &x.all[i]
	}
	var i uint32
	if n := len(x.free); n > 0 {
		i, x.free = x.free[n-1], x.free[:n-1]
	} else {
		i = uint32(len(x.all))
		x.all = append(x.all, term{})
	}
	x.all[i] = term{key: key}
	x.set(key, i, idf(key))
	return &x.all[i]
}

// get returns nil for a term that nobody has.
func (x *terms) get(key uint64) *term {
	if i, ok := x.find(key); ok {
		return &x.all[i]
	}
	return nil
}

// lengths are squares of the lengths of artifacts' vectors of terms.
type lengths struct{ all, common float64 }

func (l *lengths) add(t *term, frequency float32) {
	w := float64(frequency * t.idf)
	l.all += w * w
	if t.common {
		l.common += w * w
	}
}

// scale is what brings the vector to length 1, common the length of its common part then.
func (l *lengths) scale() (scale, common float32) {
	if l.all == 0 {
		return 0, 0
	}
	return float32(1 / math.Sqrt(l.all)), float32(math.Sqrt(l.common / l.all))
}

// begin begins an epoch of an archive of so many artifacts: it forgets who is gone, nil: nobody is; asks for the idf of each term, given the number that has
// it; and adds up the lengths by slot.
func (x *terms) begin(artifacts int, gone []bool, idf func(key uint64, has int) float32, sums []lengths) {
	most := max(leastCommon, int(commonShare*float64(artifacts)))
	for i := range x.all {
		t := &x.all[i]
		if t.had == nil {
			continue // free
		}
		if gone != nil {
			t.had = slices.DeleteFunc(t.had, func(p posting) bool { return gone[p.slot] })
		}
		if len(t.had) == 0 {
			x.unset(t.key)
			*t = term{}
			x.free = append(x.free, uint32(i))
			continue
		}
		t.common = len(t.had) > most
		x.set(t.key, uint32(i), idf(t.key, len(t.had)))
		addLengths(t, sums)
	}
}

// addLengths adds what a term gives to the lengths of those that have it. An epoch goes over all postings of the archive.
func addLengths(t *term, sums []lengths) {
	idf := t.idf
	if t.common {
		for _, p := range t.had {
			sums[p.slot].add(t, p.frequency)
		}
		return
	}
	for _, p := range t.had {
		w := float64(p.frequency * idf)
		sums[p.slot].all += w * w
	}
}
