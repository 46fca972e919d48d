package topk

import (
	"math"
	"sync"

	"kilim/rerank"
)

// cache keeps of artifacts, from one unit to the next, what stage 2 reads of them. A newcomer is scored with hundreds: what is
// read of each lies in a few large pieces of memory, whose bytes are counted, and not in objects and slices of its own.
//
// What is too much goes at the beginning of a unit, the oldest segment first, so that what a unit has met stays where it is. What was
// used lately is not spared: an artifact that everybody is near to is read anew once while the whole cache is filled
// anew, and to know that it was used would cost a write at each use.
//
// The unit at work writes, and reads without the lock; a search, which runs beside it, copies under the lock what nobody writes
// to while it is kept.
type cache struct {
	most, mostBytes int
	// tolerance is how much of the archive may change, as read on the encode clock, before what was weighed is weighed
	// anew. To weigh the candidates of a single newcomer costs more than to score them, and a record changes the weights by little.
	tolerance float64

	lock sync.RWMutex
	// slots has the place in records of each artifact that is kept, free the places of none.
	slots   map[uint64]int32
	records []*[recordsAtOnce]kept
	free    []int32
	// segments hold the runs of numbers, the oldest first; runs are cut from the last one.
	segments []*segment
	numbers  int
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

// segment is memory for the runs of many artifacts. It is given up as a whole.
type segment struct {
	rest []uint32
	size int
	// nodes are those whose runs were cut from it, live the number of those that are still kept here.
	nodes []uint64
	live  int
}

const (
	recordsAtOnce = 256
	segmentSize   = 1 << 16
	// recordBytes is what an artifact takes beside its run: its record, its id, and its part of the maps.
	recordBytes = 256
	// staleWeights is the part of Config.Sweep by which weights may be older than the lists that they are used for.
	staleWeights = 0.1
)

// newCache bounds the artifacts that are kept, and the bytes that they take.
func newCache(most, mostBytes int, sweep float64) *cache {
	return &cache{most: most, mostBytes: mostBytes, tolerance: sweep * staleWeights, slots: map[uint64]int32{}}
}

// get returns nil when the artifact is not kept.
func (c *cache) get(node uint64) *kept {
	if slot, ok := c.slots[node]; ok {
		return c.record(slot)
	}
	return nil
}

func (c *cache) record(slot int32) *kept { return &c.records[slot/recordsAtOnce][slot%recordsAtOnce] }

// fresh tells whether the weights still serve at an encode time.
func (c *cache) fresh(k *kept, encode float64) bool { return encode-k.at <= c.tolerance }

// put keeps an artifact's evidence in place of what was kept of it.
func (c *cache) put(node uint64, e *rerank.Evidence) *kept {
	run, from := c.cut(e.Numbers())
	return c.keep(node, kept{Prepared: rerank.Lay(e, run), segment: from})
}

func (c *cache) keep(node uint64, k kept) *kept {
	k.at, k.least = math.NaN(), anybody()
	k.segment.nodes = append(k.segment.nodes, node)
	k.segment.live++
	c.forget(node)
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(c.free) == 0 {
		for i := range int32(recordsAtOnce) {
			c.free = append(c.free, int32(len(c.records))*recordsAtOnce+i)
		}
		c.records = append(c.records, new([recordsAtOnce]kept))
	}
	slot := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	c.slots[node] = slot
	*c.record(slot) = k
	return c.record(slot)
}

// cut takes n numbers from the newest segment, or begins another.
func (c *cache) cut(n int) ([]uint32, *segment) {
	last := len(c.segments) - 1
	if last < 0 || len(c.segments[last].rest) < n {
		size := max(n, segmentSize)
		c.segments = append(c.segments, &segment{rest: make([]uint32, size), size: size})
		c.numbers += size
		last++
	}
	s := c.segments[last]
	run := s.rest[:n:n]
	s.rest = s.rest[n:]
	return run, s
}

// forget must be called when the evidence itself changes.
func (c *cache) forget(node uint64) {
	slot, ok := c.slots[node]
	if !ok {
		return
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	c.record(slot).segment.live--
	*c.record(slot) = kept{}
	delete(c.slots, node)
	c.free = append(c.free, slot)
}

// setLeast notes what it takes to get into the stored lists of an artifact, if it is kept.
func (c *cache) setLeast(node uint64, to least) {
	if k := c.get(node); k != nil {
		k.least = to
	}
}

// bound is called once a unit, before it looks at anything.
func (c *cache) bound() {
	for len(c.segments) > 0 && (len(c.slots) > c.most || c.bytes() > c.mostBytes || c.segments[0].live == 0) {
		oldest := c.segments[0]
		for _, node := range oldest.nodes {
			if k := c.get(node); k != nil && k.segment == oldest {
				c.forget(node)
			}
		}
		c.segments[0] = nil
		c.segments = c.segments[1:]
		c.numbers -= oldest.size
	}
}

// bytes is what the cache takes.
func (c *cache) bytes() int { return 4*c.numbers + recordBytes*len(c.slots) }

// copyTo keeps an artifact in another cache too, if it is in this one. It may be called while a unit is at work on this one.
func (c *cache) copyTo(other *cache, node uint64) *kept {
	c.lock.RLock()
	defer c.lock.RUnlock()
	k := c.get(node)
	if k == nil {
		return nil
	}
	run, from := other.cut(k.Numbers())
	return other.keep(node, kept{Prepared: k.Copy(run), segment: from})
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
