package rerank

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// edits is what a change did to one list: enough to undo it. Ranks count from 0; marked are those whose records caused it.
type edits struct {
	left    []edit // from a rank in the list before, with its id
	entered []edit // to a rank in the list after
	moved   []edit // from the one to the other
}

type edit struct {
	id       string
	from, to int
	marked   bool
}

// editsOf compares two lists. Of those that stay in another order as few as possible count as moved: the others are a longest run that
// is in one order in both lists. What caused the change and has moved among those that stay (see Diff) is never of that run, lest the cause be lost.
func editsOf(before, after []Entry, causes map[string]bool) (out edits) {
	was, changes := ranksOf(before), Diff(before, after)
	stay := make([]edit, 0, len(after))
	for to := range after {
		id := after[to].ID
		from := was.of(id)
		e := edit{id: id, from: max(from, 0), to: to, marked: causes[id]}
		switch {
		case from < 0:
			out.entered = append(out.entered, e)
		case e.marked && slices.Contains(changes.Moved, id):
			out.moved = append(out.moved, e)
		default:
			e.marked = false
			stay = append(stay, e)
		}
	}
	for _, id := range changes.Left {
		out.left = append(out.left, edit{id: id, from: was.of(id), marked: causes[id]})
	}
	run := longestRun(stay)
	for _, e := range stay {
		if len(run) > 0 && run[0] == e {
			run = run[1:]
			continue
		}
		out.moved = append(out.moved, e)
	}
	return out
}

// longestRun returns the longest part of what is in the order of the list after that is in the order of the list before too.
func longestRun(stay []edit) []edit {
	if slices.IsSortedFunc(stay, func(a, b edit) int { return cmp.Compare(a.from, b.from) }) {
		return stay // as most changes leave it
	}
	best, next, first := make([]int, len(stay)), make([]int, len(stay)), -1
	for i := len(stay) - 1; i >= 0; i-- {
		best[i], next[i] = 1, -1
		for j := i + 1; j < len(stay); j++ {
			if stay[i].from < stay[j].from && best[j] >= best[i] {
				best[i], next[i] = best[j]+1, j
			}
		}
		if first < 0 || best[i] > best[first] {
			first = i
		}
	}
	var run []edit
	for i := first; i >= 0; i = next[i] {
		run = append(run, stay[i])
	}
	return run
}

// undo returns the ids of the list before.
func (e *edits) undo(after []string) ([]string, error) {
	came := make([]bool, len(after))
	take := func(to int) error {
		if to >= len(after) || came[to] {
			return fmt.Errorf("place %d of %d is not there, or comes twice", to+1, len(after))
		}
		came[to] = true
		return nil
	}
	for _, some := range [][]edit{e.entered, e.moved} {
		for _, one := range some {
			if err := take(one.to); err != nil {
				return nil, err
			}
		}
	}
	before := make([]string, len(after)-len(e.entered)+len(e.left))
	set := make([]bool, len(before))
	put := func(from int, id string) error {
		if from >= len(before) || set[from] {
			return fmt.Errorf("place %d of %d before is not there, or comes twice", from+1, len(before))
		}
		before[from], set[from] = id, true
		return nil
	}
	for _, one := range e.left {
		if err := put(one.from, one.id); err != nil {
			return nil, err
		}
	}
	for _, one := range e.moved {
		if err := put(one.from, after[one.to]); err != nil {
			return nil, err
		}
	}
	at := 0
	for i, id := range after {
		if came[i] {
			continue
		}
		for set[at] {
			at++
		}
		before[at], set[at] = id, true
	}
	return before, nil
}

// encodeStep is the form of a change without its time: whether the artifact's own record is a cause, and of each of the lists after the edits, and
// behind them, of those that are scored, the scores before. The id of one that left several lists is written once. It tells whether there is any edit.
func encodeStep(s *Step) (b []byte, changed bool) {
	causes := make(map[string]bool, len(s.Cause))
	for _, id := range s.Cause {
		causes[id] = true
	}
	b = append(b, bit(causes[s.ID])|withScores)
	b = binary.AppendUvarint(b, uint64(len(s.After)))
	var names []string
	for i := range s.After {
		e := editsOf(s.Before.Get(s.After[i].Name), s.After[i].Entries, causes)
		changed = changed || len(e.left)+len(e.entered)+len(e.moved) > 0
		b = binary.AppendUvarint(b, uint64(len(e.left)))
		for _, one := range e.left {
			at := slices.Index(names, one.id)
			b = binary.AppendUvarint(b, uint64(one.from)<<1|uint64(bit(one.marked)))
			b = binary.AppendUvarint(b, uint64(at+1))
			if at < 0 {
				names, b = append(names, one.id), appendString(b, one.id)
			}
		}
		b = binary.AppendUvarint(b, uint64(len(e.entered)))
		for _, one := range e.entered {
			b = binary.AppendUvarint(b, uint64(one.to)<<1|uint64(bit(one.marked)))
		}
		b = binary.AppendUvarint(b, uint64(len(e.moved)))
		for _, one := range e.moved {
			b = binary.AppendUvarint(b, uint64(one.from))
			b = binary.AppendUvarint(b, uint64(one.to)<<1|uint64(bit(one.marked)))
		}
		if scored(s.After[i].Name) {
			b = appendScores(b, s.Before.Get(s.After[i].Name))
		}
	}
	return b, changed
}

// decodeStep returns what caused a change, and the lists before it.
func decodeStep(id string, b []byte, after []Ranking) (causes []string, before []Ranking, err error) {
	d := decoder{rest: b}
	head := d.below("own record", withScores|1)
	if head&1 == 1 {
		causes = append(causes, id)
	}
	if n := d.uvarint("lists"); d.err == nil && n != uint64(len(after)) {
		d.fail("lists", fmt.Errorf("are %d, and %d in the row", n, len(after)))
	}
	var names []string
	cause := func(id string, marked bool) {
		if marked && !slices.Contains(causes, id) {
			causes = append(causes, id)
		}
	}
	for i := range after {
		e := d.edits(&names)
		if d.err != nil {
			break
		}
		ids, err := e.undo(after[i].IDs)
		if err != nil {
			d.fail(after[i].Name, err)
			break
		}
		for _, some := range [][]edit{e.entered, e.moved} {
			for _, one := range some {
				cause(after[i].IDs[one.to], one.marked)
			}
		}
		for _, one := range e.left {
			cause(one.id, one.marked)
		}
		list := Ranking{Name: after[i].Name, IDs: ids}
		if head&withScores != 0 && scored(list.Name) {
			list.Scores = d.scores(len(ids))
		}
		before = append(before, list)
	}
	return causes, before, d.finish("change")
}

func (d *decoder) edits(names *[]string) (e edits) {
	const most = 1 << 30 // so that a rank is an int
	for range d.count("left", 2) {
		v := d.below("rank", most)
		one := edit{from: int(v >> 1), marked: v&1 == 1}
		switch at := d.below("name", uint64(len(*names))); {
		case d.err != nil:
			return e
		case at > 0:
			one.id = (*names)[at-1]
		default:
			one.id = d.string("id")
			*names = append(*names, one.id)
		}
		e.left = append(e.left, one)
	}
	for range d.count("entered", 1) {
		v := d.below("rank", most)
		e.entered = append(e.entered, edit{to: int(v >> 1), marked: v&1 == 1})
	}
	for range d.count("moved", 2) {
		from, v := d.below("rank before", most), d.below("rank", most)
		e.moved = append(e.moved, edit{from: int(from), to: int(v >> 1), marked: v&1 == 1})
	}
	return e
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}
