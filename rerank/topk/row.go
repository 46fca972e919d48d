package topk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"kilim/rerank"
	"kilim/rerank/topk/stale"
)

// Row is what the store keeps of an artifact's lists: as they are served, and, where that is not the same, as they were last
// published. Lists that were made by other settings than those of now append nothing until they are computed anew, so they are
// never filled up with whatever comes.
type Row struct {
	// RankedAt is the rank time at which the lists were last computed in full, or stale.Never.
	RankedAt float64
	// Revision is that of the update that published them last, see also Lists.Lost; 0: none yet, since they were made in a state
	// that does not publish.
	Revision uint64
	// Size is the most entries that each list could have when they were last computed in full, 0: they never were, and
	// Settings is Config.Settings as it was then.
	Size, Settings uint32
	// Depth is Size for the list total where an Order wants more of it than is published; 0: it is as long as the others.
	Depth uint32
	// Lists are by the stated scores.
	Lists rerank.Lists
	// Ordered is the list total as last published, without parts, where an Order ordered it; nil: it was published as it is in Lists.
	Ordered *rerank.Ordered
	// Again is true when a record has changed what an Order reads since then, so that it is to be ordered again however Lists stand.
	Again bool
	// Pending is nil while the Lists are those that what was last published was made of, see Unit.Linger.
	Pending *rerank.Pending
	// History is how those last published came to be, see Past; empty when none was.
	History rerank.History
}

// Published are the lists as last published.
func (r *Row) Published() rerank.Lists {
	lists := r.Lists
	if r.Pending != nil {
		lists = r.Pending.Before
	}
	if r.Ordered != nil {
		return r.Ordered.Over(lists)
	}
	return lists
}

// listed are the lists as deep as they are told, the list total as it was ordered last where it was.
func (r *Row) listed() rerank.Lists {
	lists := slices.Clone(r.Lists)
	for i := range lists {
		lists[i].Entries = lists[i].Entries[:min(int(r.Size), len(lists[i].Entries))]
	}
	if r.Ordered != nil {
		return r.Ordered.Over(lists)
	}
	return lists
}

// Past is what is known of the lists of the artifact of this row, as they were published.
func (r *Row) Past(id string) (*rerank.Past, error) { return r.History.Read(id, r.Published()) }

// most is the most entries that a list of the row could have when it was last computed in full.
func (r *Row) most(list string) int {
	if list == rerank.ListTotal && r.Depth > 0 {
		return int(r.Depth)
	}
	return int(r.Size)
}

// is tells whether a row which has the lists of another is all the same.
func (r *Row) is(o *Row) bool {
	return r.RankedAt == o.RankedAt && r.Revision == o.Revision && r.Size == o.Size && r.Depth == o.Depth && r.Settings == o.Settings &&
		r.Ordered == o.Ordered && r.Again == o.Again && r.Pending == o.Pending && bytes.Equal(r.History, o.History)
}

// ranker names the Order of what was last published, 0: none.
func (r *Row) ranker() uint64 {
	if r.Ordered == nil {
		return 0
	}
	return r.Ordered.Ranker
}

const (
	// rowVersion is 5 since rows have a history, 4 since changes may wait to be published, 3 since rows say what they were made by, 2 since lists have names.
	rowVersion = 5
	// orderedVersion is that of the rows for an Order: between the history and what is pending they have Depth, Again and Ordered. All others are
	// written as they were before there were Orders.
	orderedVersion = 6
	// rowHead is the length of what stands before the lists; after them come the history, and what is pending, if anything is.
	rowHead = 31
	// orderedHead is the length of what stands before Ordered.
	orderedHead = 9
)

// Marshal returns the binary form.
func (r *Row) Marshal() []byte {
	b := make([]byte, 0, 1024)
	ordered := r.Depth > 0 || r.Ordered != nil
	if ordered {
		b = append(b, orderedVersion)
	} else {
		b = append(b, rowVersion)
	}
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(r.RankedAt))
	b = binary.BigEndian.AppendUint64(b, r.Revision)
	b = binary.BigEndian.AppendUint32(b, r.Size)
	b = binary.BigEndian.AppendUint32(b, r.Settings)
	lists := r.Lists.Marshal()
	b = binary.BigEndian.AppendUint32(b, uint32(len(lists)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.History)))
	b = append(b, lists...)
	b = append(b, r.History...)
	if ordered {
		b = r.appendOrdered(b)
	}
	if r.Pending != nil {
		b = append(b, r.Pending.Marshal(r.Lists)...)
	}
	return b
}

func (r *Row) appendOrdered(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, r.Depth)
	var ordered []byte
	if r.Ordered != nil {
		ordered = r.Ordered.Marshal()
	}
	if r.Again {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(ordered))), ordered...)
}

// readOrdered reads what appendOrdered wrote, and returns what comes behind it.
func (r *Row) readOrdered(b []byte) (rest []byte, err error) {
	if len(b) < orderedHead {
		return nil, fmt.Errorf("topk: list row: a learned order of %d bytes: want at least %d", len(b), orderedHead)
	}
	r.Depth, r.Again = binary.BigEndian.Uint32(b), b[4] != 0
	n := binary.BigEndian.Uint32(b[5:])
	if b = b[orderedHead:]; uint64(n) > uint64(len(b)) {
		return nil, fmt.Errorf("topk: list row: a learned order of %d bytes in a row that has %d more", n, len(b))
	}
	if n > 0 {
		r.Ordered = new(rerank.Ordered)
		if err := r.Ordered.Unmarshal(b[:n]); err != nil {
			return nil, fmt.Errorf("topk: list row: %w", err)
		}
	}
	return b[n:], nil
}

// Unmarshal reads the binary form. After an error r is not changed.
func (r *Row) Unmarshal(b []byte) error {
	if len(b) > 0 && b[0] != rowVersion && b[0] != orderedVersion {
		return fmt.Errorf("topk: list row of version %d: this program reads versions %d and %d", b[0], rowVersion, orderedVersion)
	}
	if len(b) < rowHead {
		return fmt.Errorf("topk: list row of %d bytes: want at least %d", len(b), rowHead)
	}
	v := Row{
		RankedAt: math.Float64frombits(binary.BigEndian.Uint64(b[1:])), Revision: binary.BigEndian.Uint64(b[9:]),
		Size: binary.BigEndian.Uint32(b[17:]), Settings: binary.BigEndian.Uint32(b[21:]),
	}
	rest := b[rowHead:]
	n, m := uint64(binary.BigEndian.Uint32(b[25:])), uint64(binary.BigEndian.Uint16(b[29:]))
	if n+m > uint64(len(rest)) {
		return fmt.Errorf("topk: list row: lists of %d bytes and a history of %d in a row that has %d more", n, m, len(rest))
	}
	lists, pending := rest[:n], rest[n+m:]
	if m > 0 {
		v.History = slices.Clone(rest[n : n+m]) // the buffer is the store's
	}
	if err := v.Lists.Unmarshal(lists); err != nil {
		return fmt.Errorf("topk: list row: %w", err)
	}
	if b[0] == orderedVersion {
		var err error
		if pending, err = v.readOrdered(pending); err != nil {
			return err
		}
	}
	if len(pending) > 0 {
		v.Pending = new(rerank.Pending)
		if err := v.Pending.Unmarshal(pending, v.Lists); err != nil {
			return fmt.Errorf("topk: list row: %w", err)
		}
	}
	*r = v
	return nil
}

// current is a stored row as it stands with the settings of now: when it was made by others, or does not reach as deep as the Order wants, it is due.
func (l *Lists) current(r *Row) Row {
	now := *r
	if r.Settings != l.cfg.Settings || l.isShallow(r) {
		now.RankedAt = stale.Never
	}
	return now
}

// RankedAt is the rank time at which stored lists were computed in full; ok is false when they are to be computed again, since they
// have lost an entry or were made by other settings.
func (l *Lists) RankedAt(r *Row) (at float64, ok bool) {
	at = l.current(r).RankedAt
	return at, at != stale.Never
}

// cut shortens lists that were made longer than lists are now, the list total to depth: their first entries are those of a list of any length.
// A unit that changes such lists cuts them last of all. To leave what happens behind the cut out of them would make them wrong if
// the size were raised again.
func (r *Row) cut(size, depth int) {
	if r.most(rerank.ListGeneral) <= size && r.most(rerank.ListTotal) <= depth {
		return
	}
	deep := min(depth, r.most(rerank.ListTotal))
	r.Size, r.Depth, r.Lists = min(r.Size, uint32(size)), 0, slices.Clone(r.Lists)
	if deep > int(r.Size) {
		r.Depth = uint32(deep)
	}
	for i := range r.Lists {
		entries := r.Lists[i].Entries
		r.Lists[i].Entries = entries[:min(r.most(r.Lists[i].Name), len(entries))]
	}
}

// appends tells whether an entry that scores lower than all in one of the row's lists belongs to its end: the list has been
// computed in full and has room, so that there is nobody else. A list that is due may have lost an entry, and who comes
// after the last is not known: a search has to tell.
func (r *Row) appends(name string, list []rerank.Entry) bool {
	return r.RankedAt != stale.Never && len(list) < r.most(name)
}

// Stored reads an artifact's lists, nil when the node has none.
func Stored(g Reader, node uint64) (*Row, error) {
	b, err := g.Lists(node)
	if err != nil || b == nil {
		return nil, err
	}
	r := new(Row)
	if err := r.Unmarshal(b); err != nil {
		return nil, err
	}
	return r, nil
}
