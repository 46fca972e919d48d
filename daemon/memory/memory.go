package memory

import (
	"fmt"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	mib = 1 << 20
	// Least is the smallest limit: below it there is no room for two states, each with its model, and for the work beside them.
	Least = 512 * mib
	// ofMachine: without a setting half of the machine is taken. The other half is for the pages of files, and for others.
	ofMachine = 2
)

// The parts, in 64ths of the limit. Whoever gives a part more takes it from rest.
const (
	whole = 64
	// A state has three memtables in memory, and two more while they are written as tables.
	memtable, memtables = 2, 5
	nodes, tables       = 4, 1
	lists               = 5
	// A second state, made beside the one that serves, has all of that too. While none is made, a training has its part.
	state = memtables*memtable + nodes + tables + lists
	// A record in flight takes up to recordCopies times its size: as it was fetched, unpacked, decoded and woven.
	records, recordCopies = 6, 4
	pictures, fetched     = 8, 2
	// A cutover holds the outbox in memory.
	outbox = 2
	// The model of themes is made beside the one that serves, as the profiles of the artifacts are.
	themes = 3
	// The map of the archive is shown, and the next one made; a quarter of it is for those of themes.
	archive, ofThemes = 1, 4
	// rest is for the program, the models, the unit at work, and what of each artifact is always in memory.
	rest = whole - 2*state - records - pictures - fetched - outbox - themes - archive
)

// mostMemtable bounds a memtable. The same 521 commits of 251 MB, of a feed of 8,000 artifacts, had a store write 1,230 to 1,250 MB to the disk with memtables of 16 MiB, 900 with 32 and
// 1,150 with 64, and took 6.5 to 7.4, 4.9 to 5.1 and 4.6 to 5.3 s of processor time. The peak of memory was 580, 600 and 690 MB: what makes a table of a memtable has all of it in memory
// once more. Larger ones are synced in one go, which a batch has to wait for, and as much more of the disk has to stay free (graphstore.Store.Margin).
//
// It is 24 for what badger makes tables in: buffers of 4, 8, 16, 32 ... MiB, one after the other as they are full, of which it keeps up to eight such rows for the next tables, each at
// the most that it ever needed. Some 26 MiB of a table, what a last commit goes beyond and the blocks leave empty included, fit into the first three, 28 MiB; those of 32 need the
// fourth, 60. Of the feed of Walters' 15,252 records, beside each other: peak of RSS 1,453 MB with 32 MiB and 1,296 with 24, of which in those buffers 312 and 180.
const mostMemtable = 24 * mib

// mostFacts is enough for 20,000 artifacts.
const mostFacts = 32 * mib

// Budget says how many bytes each part may take.
type Budget struct {
	// Limit is what all of it may take, and Heap is for debug.SetMemoryLimit: the collector works the harder the nearer it is.
	Limit, Heap int64
	// Memtable is the size of one, Nodes that of the cache of decoded nodes and neighbourhoods, Tables that of badger's indexes and filters.
	Memtable, Nodes, Tables int64
	// Lists is what the evidence and lists take that are kept decoded; Facts what a ranker keeps of artifacts, as long as one serves. It is of the rest.
	Lists, Facts int64
	// Records is the size of the records in flight, Pictures the memory of all that are decoded at the same time, Fetched the size of
	// the media that wait for an encoder, Outbox that of the messages that wait for Kafka, Training that of a snapshot to train on.
	Records, Pictures, Fetched, Outbox, Training int64
	// Themes is for what the themes keep of artifacts, and for the making of their model; Map is for the map of the archive, ThemeMaps for all those of themes.
	Themes, Map, ThemeMaps int64
}

// Split divides a limit. It takes one below Least for Least, see Check.
func Split(limit int64) Budget {
	limit = max(limit, Least)
	part := func(n int64) int64 { return limit / whole * n }
	return Budget{
		Limit: limit, Heap: limit - limit/16,
		Memtable: min(part(memtable), mostMemtable), Nodes: part(nodes), Tables: part(tables),
		Lists: part(lists), Facts: min(part(lists)/4, mostFacts), Records: part(records) / recordCopies, Pictures: part(pictures), Fetched: part(fetched), Outbox: part(outbox), Themes: part(themes), Map: part(archive) - part(archive)/ofThemes, ThemeMaps: part(archive) / ofThemes,
		Training: part(state) / 2, // the other half is for its model, optimizer and steps
	}
}

// Check refuses a limit that is too small.
func Check(limit int64) error {
	if limit < Least {
		return fmt.Errorf("%d MiB: want %d MiB at least", limit/mib, Least/mib)
	}
	return nil
}

// Default is the limit of who has set none: half of what the control group of this process may take, or of the machine, and Least at
// least. Where neither is known it is Least.
func Default() int64 {
	most, err := memlimit.FromSystem()
	if err != nil {
		return Least
	}
	// A process in no control group, or in one without a limit, has the machine.
	if group, err := memlimit.FromCgroup(); err == nil {
		most = min(most, group)
	}
	return max(Least, int64(most/ofMachine))
}
