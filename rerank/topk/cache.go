package topk

import (
	"math"
	"slices"
	"sync"

	"kilim/rerank"
)

// cache keeps of artifacts, from one unit to the next, what stage 2 reads of them. A newcomer is scored with hundreds: what is
// read of each lies in a few large pieces of memory, whose bytes are counted, and not in objects and slices of its own.
//
// It is bounded by the bytes that it takes. A bound by number would be none: an artifact's evidence may have 4,096 words.
// What is too much goes when a unit begins, the oldest segment first, and between the few queries that a unit scores at once, of
// what it put itself: while they are scored, what they have met stays where it is.
// What was used lately is not spared: an artifact that everybody is near to is read anew once while the whole cache is filled
// anew, and to know that it was used would cost a write at each use.
//
// The unit at work writes, and reads without the lock; a search, which runs beside it, copies under the lock what nobody writes
// to while it is kept.
type cache struct {
	limit int
	// segmentSize is the numbers of a segment, and segmentRecords the records that it makes at once.
	segmentSize, segmentRecords int
	// tolerance is how much of the archive may change, as read on the encode clock, before what was weighed is weighed
	// anew. To weigh the candidates of a single newcomer costs more than to score them, and a record changes the weights by little.
	// With tolerance 0 no weights outlive a change.
	tolerance float64

	lock sync.RWMutex
	by   map[uint64]*kept
	// segments hold the records and their runs of numbers, the oldest first; they are cut from the last one.
	segments []*segment
	bytes    int // of all segments
	// older is the number of segments that were there when the unit began.
	older int
}

// kept is one artifact in the cache.
type kept struct {
	rerank.Prepared
	// at is the encode time at which it was weighed, NaN before.
	at float64
	// least is what it takes to get into its stored lists.
	least   least
	segment *segment
}

// segment is memory for many artifacts. It is given up as a whole.
type segment struct {
	numbers []uint32 // not used yet
	records []kept   // those in use of the last that were made
	// nodes are those whose records were cut from it, live the number of those that are still kept here.
	nodes []uint64
	live  int
	bytes int
}

const (
	numberBytes = 4
	// recordBytes is at least what a record takes, nodeBytes an artifact beside its record, its id and its numbers: its
	// places among the segment's nodes and in the map, with what these leave free, and what an id takes more than it is long.
	recordBytes = 128
	nodeBytes   = 96
	// mostSegmentSize makes segments of 256 KiB, for some 240 artifacts of real archives; in a small cache a segment has a sixteenth of
	// the numbers that there may be, so that little goes at once.
	mostSegmentSize = 1 << 16
	segmentsAtLeast = 16
	// numbersARecord is what most artifacts have at least: more records than one for so many would stay unused.
	numbersARecord = 256
	// staleWeights is the part of Config.Sweep by which weights may be older than the lists that they are used for.
	staleWeights = 0.1
)

// newCache bounds the bytes that the cache takes.
func newCache(limit int, sweep float64) *cache {
	size := max(1, min(mostSegmentSize, limit/segmentsAtLeast/numberBytes))
	return &cache{limit: limit, segmentSize: size, segmentRecords: max(1, size/numbersARecord), tolerance: sweep * staleWeights,
		by: map[uint64]*kept{}}
}

// get returns nil when the artifact is not kept.
func (c *cache) get(node uint64) *kept { return c.by[node] }

// fresh tells whether the weights still serve at an encode time.
func (c *cache) fresh(k *kept, encode float64) bool { return encode-k.at <= c.tolerance }

// put keeps an artifact's evidence in place of what was kept of it.
func (c *cache) put(node uint64, e *rerank.Evidence) *kept {
	s, run := c.cut(e.Numbers())
	return c.keep(node, s, rerank.Lay(e, run))
}

func (c *cache) keep(node uint64, s *segment, p rerank.Prepared) *kept {
	c.forget(node)
	if len(s.records) == cap(s.records) {
		s.records = make([]kept, 0, c.segmentRecords)
		c.take(s, recordBytes*c.segmentRecords)
	}
	s.records = append(s.records, kept{Prepared: p, at: math.NaN(), least: anybody(), segment: s})
	k := &s.records[len(s.records)-1]
	s.nodes = append(s.nodes, node)
	s.live++
	c.take(s, nodeBytes+len(p.ID))
	c.lock.Lock()
	defer c.lock.Unlock()
	c.by[node] = k
	return k
}

func (c *cache) take(s *segment, bytes int) {
	s.bytes += bytes
	c.bytes += bytes
}

// cut takes n numbers from the newest segment, or begins another. A segment ends also when what is beside its numbers takes as much
// as they: artifacts may have none.
func (c *cache) cut(n int) (*segment, []uint32) {
	last := len(c.segments) - 1
	if last < 0 || len(c.segments[last].numbers) < n || c.segments[last].bytes >= 2*numberBytes*c.segmentSize {
		s := &segment{numbers: make([]uint32, max(n, c.segmentSize))}
		c.segments = append(c.segments, s)
		c.take(s, numberBytes*len(s.numbers))
		last++
	}
	s := c.segments[last]
	run := s.numbers[:n:n]
	s.numbers = s.numbers[n:]
	return s, run
}

// forget must be called when the evidence itself changes. Its memory stays the segment's.
func (c *cache) forget(node uint64) {
	k := c.by[node]
	if k == nil {
		return
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	k.segment.live--
	delete(c.by, node)
}

// setLeast notes what it takes to get into the stored lists of an artifact, if it is kept.
func (c *cache) setLeast(node uint64, to least) {
	if k := c.get(node); k != nil {
		k.least = to
	}
}

// begin is called once a unit, before it looks at anything, and makes room when little is left: the oldest segments go first.
func (c *cache) begin() {
	c.drop(0, c.limit/4*3)
	c.older = len(c.segments)
}

// bound must be called when nobody holds what get and put have returned. What is too much goes, of what the unit has put since it
// began, so that it works with one set of weights: what it puts again it weighs as before.
func (c *cache) bound() { c.drop(c.older, c.limit) }

// drop gives up segments from the given one on while more is taken than the limit.
func (c *cache) drop(from, limit int) {
	to := from
	for to < len(c.segments) && (c.bytes > limit || c.segments[to].live == 0) {
		s := c.segments[to]
		for _, node := range s.nodes {
			if k := c.get(node); k != nil && k.segment == s {
				c.forget(node)
			}
		}
		c.bytes -= s.bytes
		to++
	}
	c.segments = slices.Delete(c.segments, from, to)
}

// copyTo keeps an artifact in another cache too, if it is in this one. It may be called while a unit is at work on this one.
func (c *cache) copyTo(other *cache, node uint64) *kept {
	c.lock.RLock()
	defer c.lock.RUnlock()
	k := c.get(node)
	if k == nil {
		return nil
	}
	s, run := other.cut(k.Numbers())
	return other.keep(node, s, k.Copy(run))
}

// evidence is that of an artifact, nil if it is not kept. It may be called while a unit is at work.
func (c *cache) evidence(node uint64) *rerank.Evidence {
	c.lock.RLock()
	defer c.lock.RUnlock()
	if k := c.get(node); k != nil {
		return k.Evidence()
	}
	return nil
}
