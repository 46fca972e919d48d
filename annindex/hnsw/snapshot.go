package hnsw

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"kilim/annindex/internal/ann"
	"kilim/annindex/internal/dist"
)

// A snapshot, little endian:
//
//	header  magic, version, dimension, count of vectors, length of the stream; CRC-32C of these
//	stream  in chunks of 64 KiB, each with a CRC-32C: ids, vectors, and the graph:
//	        length of a lower and of an upper list, entry, its level, levels of all,
//	        drifts of all (arena.drift), lower lists, upper lists
//
// Graph.write numbers the live slots anew, without gaps, so equal graphs have equal snapshots: TestSnapshot compares
// them.
const (
	// Magic begins the snapshots of all engines of package annindex.
	Magic = "kilimann"
	// Version is that of snapshots with a graph. Snapshots of version 1, which package annindex writes and reads, hold
	// vectors only.
	Version    = 2
	headerSize = len(Magic) + 4 + 4 + 8 + 8
)

// graphHead is the number of words before the arrays of the graph: two lengths, the entry and its level.
const graphHead = 4

// streamLength is the number of bytes of a stream of count vectors whose upper lists have upper words.
func streamLength(dim int, count, upper uint64, c *Config) uint64 {
	return count*(8+4*uint64(dim)) + 4*graphHead + count*(1+4+4*uint64(2*c.M)) + 4*upper
}

// Snapshot implements annindex.Index. Searches go on meanwhile, changes wait.
func (g *Graph) Snapshot(w io.Writer) error {
	g.arenaLock.Lock()
	defer g.arenaLock.Unlock()
	// consolidate first: write leaves dead slots out, and with them their links, which may be the last to some slot.
	s := g.scratch()
	defer g.release(s)
	s.fit(g.arena.Load())
	g.consolidate(s)
	if err := g.write(w); err != nil {
		return fmt.Errorf("annindex: write snapshot: %w", err)
	}
	return nil
}

func (g *Graph) write(w io.Writer) error {
	a := g.arena.Load()
	newSlots := make([]uint32, a.slots)
	var order []uint32
	var upper uint64
	for slot := range newSlots {
		newSlots[slot] = none
		if a.states[slot]&live != 0 {
			newSlots[slot] = uint32(len(order))
			order = append(order, uint32(slot))
			upper += uint64(a.levels[slot]) * uint64(a.maxUpper)
		}
	}
	count := uint64(len(order))
	header := append(make([]byte, 0, headerSize+4), Magic...)
	header = binary.LittleEndian.AppendUint32(header, Version)
	header = binary.LittleEndian.AppendUint32(header, uint32(a.dim))
	header = binary.LittleEndian.AppendUint64(header, count)
	header = binary.LittleEndian.AppendUint64(header, streamLength(a.dim, count, upper, &g.cfg))
	sum := crc32.Checksum(header, ann.Castagnoli())
	if _, err := w.Write(binary.LittleEndian.AppendUint32(header, sum)); err != nil {
		return err
	}
	out := newChunkWriter(w, sum)
	if err := a.writeSlots(out, order, newSlots); err != nil {
		return err
	}
	return out.flush()
}

// writeSlots writes the stream of the slots of order; newSlots holds their new numbers, and none for all other slots.
func (a *arena) writeSlots(w io.Writer, order, newSlots []uint32) error {
	ids, drift, levels := make([]uint64, len(order)), make([]float32, len(order)), make([]uint8, len(order))
	for i, slot := range order {
		ids[i], drift[i], levels[i] = a.ids[slot], a.drift[slot], a.levels[slot]
	}
	if err := writeNumbers(w, ids); err != nil {
		return err
	}
	vector := make([]float32, a.dim)
	for _, slot := range order {
		copy(vector, a.vector(slot))
		if err := writeNumbers(w, vector); err != nil {
			return err
		}
	}
	entry, top := uint32(none), 0
	if e, level := entryOf(a.entry.Load()); e != none {
		entry, top = newSlots[e], level
	}
	if err := writeNumbers(w, []uint32{uint32(a.maxLower), uint32(a.maxUpper), entry, uint32(top)}); err != nil {
		return err
	}
	if err := writeNumbers(w, levels); err != nil {
		return err
	}
	if err := writeNumbers(w, drift); err != nil {
		return err
	}
	list := make([]uint32, 0, a.maxLower)
	write := func(links []uint32) error {
		list = list[:0]
		for _, other := range links {
			if other != none && newSlots[other] != none {
				list = append(list, newSlots[other])
			}
		}
		for len(list) < len(links) {
			list = append(list, none)
		}
		return writeNumbers(w, list)
	}
	for _, slot := range order {
		if err := write(a.links(slot, 0)); err != nil {
			return err
		}
	}
	for _, slot := range order {
		for level := range int(a.levels[slot]) {
			if err := write(a.links(slot, level+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// content is what readContent reads from a snapshot.
type content struct {
	ids               []uint64
	vectors           []float32
	head              []uint32 // the graphHead words
	levels            []uint8
	drift             []float32
	lower, upperLists []uint32
}

// ReadVectors returns the ids and the vectors, one after another, of a snapshot of a graph. The engines of package
// annindex that keep no graph restore from them.
func ReadVectors(r io.Reader, dim int) (ids []uint64, vectors []float32, err error) {
	c, err := readContent(r, dim)
	if err != nil {
		return nil, nil, err
	}
	return c.ids, c.vectors, nil
}

func readContent(r io.Reader, dim int) (*content, error) {
	header := make([]byte, headerSize+4)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, ann.Refuse("header: %v", err)
	}
	body, at := header[:headerSize], len(Magic)
	if string(body[:at]) != Magic {
		return nil, ann.Refuse("it begins with %q, not %q", body[:at], Magic)
	}
	sum := crc32.Checksum(body, ann.Castagnoli())
	if sum != binary.LittleEndian.Uint32(header[headerSize:]) {
		return nil, ann.Refuse("the header's checksum is wrong")
	}
	if v := binary.LittleEndian.Uint32(body[at:]); v != Version {
		return nil, ann.Refuse("version %d, want %d", v, Version)
	}
	if d := binary.LittleEndian.Uint32(body[at+4:]); uint64(d) != uint64(dim) {
		return nil, ann.Refuse("dimension %d, the index has %d", d, dim)
	}
	count := binary.LittleEndian.Uint64(body[at+8:])
	if count > maxSlots {
		return nil, ann.Refuse("%d vectors", count)
	}
	in := &chunkReader{r: r, sum: sum, length: binary.LittleEndian.Uint64(body[at+16:])}
	c := &content{}
	if err := c.read(in, count, dim); err != nil {
		return nil, err
	}
	if err := in.end(); err != nil {
		return nil, err
	}
	return c, c.check(dim)
}

func (c *content) read(in *chunkReader, count uint64, dim int) (err error) {
	if c.ids, err = readNumbers[uint64](in, count); err != nil {
		return err
	}
	if c.vectors, err = readNumbers[float32](in, count*uint64(dim)); err != nil {
		return err
	}
	if c.head, err = readNumbers[uint32](in, graphHead); err != nil {
		return err
	}
	if c.head[0] < 1 || c.head[0] > 2*maxM || c.head[1] < 1 || c.head[1] > maxM {
		return ann.Refuse("lists of %d and %d links", c.head[0], c.head[1])
	}
	if c.levels, err = readNumbers[uint8](in, count); err != nil {
		return err
	}
	if c.drift, err = readNumbers[float32](in, count); err != nil {
		return err
	}
	if c.lower, err = readNumbers[uint32](in, count*uint64(c.head[0])); err != nil {
		return err
	}
	upper := uint64(0)
	for _, level := range c.levels {
		upper += uint64(level) * uint64(c.head[1])
	}
	c.upperLists, err = readNumbers[uint32](in, upper)
	return err
}

// check refuses a content that no graph can hold, though its checksums are right: searches trust that each link leads
// to a slot.
func (c *content) check(dim int) error {
	for i, id := range c.ids {
		if err := ann.CheckVector(c.vectors[i*dim:(i+1)*dim], dim); err != nil {
			return ann.Refuse("id %d: %v", id, err)
		}
		if d := c.drift[i]; !(d >= 0) || math.IsInf(float64(d), 0) {
			return ann.Refuse("id %d: drifted by %v", id, d)
		}
		if c.levels[i] > 31 {
			return ann.Refuse("id %d: level %d", id, c.levels[i])
		}
	}
	count := uint32(len(c.ids))
	if e, top := c.head[2], c.head[3]; count > 0 && (e >= count || top != uint32(c.levels[e])) || count == 0 && e != none {
		return ann.Refuse("the entry is slot %d on level %d", e, top)
	}
	for _, other := range c.lower {
		if other != none && other >= count {
			return ann.Refuse("a link to slot %d of %d", other, count)
		}
	}
	at := 0
	for i, level := range c.levels {
		for l := range int(level) {
			for _, other := range c.upperLists[at : at+int(c.head[1])] {
				if other != none && (other >= count || int(c.levels[other]) <= l) {
					return ann.Refuse("slot %d on level %d: a link to slot %d of %d", i, l+1, other, count)
				}
			}
			at += int(c.head[1])
		}
	}
	return nil
}

// Restore implements annindex.Index, for snapshots of graphs. It rebuilds the graph if the snapshot's has another M.
func (g *Graph) Restore(r io.Reader) error {
	c, err := readContent(r, g.cfg.Dim)
	if err != nil {
		return err
	}
	slots := make(map[uint64]uint32, len(c.ids))
	for slot, id := range c.ids {
		slots[id] = uint32(slot)
	}
	if len(slots) < len(c.ids) {
		return ann.Refuse("an id occurs twice")
	}
	if int(c.head[0]) != 2*g.cfg.M || int(c.head[1]) != g.cfg.M {
		return g.Rebuild(c.ids, c.vectors)
	}
	g.replaceContent(c.arena(&g.cfg), slots)
	return nil
}

// Rebuild replaces the graph by one of these vectors, which lie one after another. It builds the new graph beside the
// old one.
func (g *Graph) Rebuild(ids []uint64, vectors []float32) error {
	cfg := g.cfg
	cfg.Capacity = max(cfg.Capacity, len(ids))
	next, err := New(cfg)
	if err != nil {
		return err
	}
	for i, id := range ids {
		if err := next.Put(id, vectors[i*cfg.Dim:(i+1)*cfg.Dim]); err != nil {
			return fmt.Errorf("id %d: %w", id, err)
		}
	}
	g.replaceContent(next.arena.Load(), next.slots)
	return nil
}

// replaceContent replaces what the graph holds.
func (g *Graph) replaceContent(a *arena, slots map[uint64]uint32) {
	g.arenaLock.Lock()
	defer g.arenaLock.Unlock()
	g.slotsLock.Lock()
	defer g.slotsLock.Unlock()
	g.slots, g.pendingFree = slots, nil
	g.count.Store(int64(len(slots)))
	g.arena.Store(a)
}

// arena returns an arena that holds the content.
func (c *content) arena(cfg *Config) *arena {
	n := len(c.ids)
	a := newArena(cfg, max(n, cfg.Capacity, minSlots))
	copy(a.levels, c.levels)
	drawLevels(a.levels, n, cfg.Seed, cfg.M)
	a.layOutLists(0)
	copy(a.ids, c.ids)
	copy(a.drift, c.drift)
	copy(a.upper, c.upperLists)
	codes := make([]int16, a.codeStride)
	for slot := range uint32(n) {
		vec := c.vectors[int(slot)*a.dim : int(slot+1)*a.dim]
		copy(a.vector(slot), vec)
		a.scales[slot] = dist.Codes(vec, 127, codes)
		a.rows.Store(slot, codes)
		a.states[slot] = live | linkable
		copy(a.links(slot, 0), c.lower[int(slot)*a.maxLower:int(slot+1)*a.maxLower])
		for level := range int(a.levels[slot]) + 1 {
			for _, other := range a.links(slot, level) {
				if other != none {
					*a.inDegree(other, level)++
				}
			}
		}
	}
	a.next = uint32(n)
	if n > 0 {
		a.entry.Store(packEntry(c.head[2], int(c.head[3])))
	}
	return a
}
