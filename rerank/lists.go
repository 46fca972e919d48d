package rerank

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Parts are the addends of a score before weighting: Cosine in [-1, 1], the others in [0, 1].
type Parts struct {
	Cosine   float32 `json:"cosine"`
	Entities float32 `json:"entities"`
	Words    float32 `json:"words"`
	Date     float32 `json:"date"`
	Link     float32 `json:"link"`
}

// Entry is one place of a list.
type Entry struct {
	ID    string  `json:"id"`
	Score float32 `json:"score"`
	Parts Parts   `json:"parts"`
}

// Names of the lists that every artifact has: ListTotal is ordered by the score of stage 2, ListGeneral by the cosine
// of the embeddings alone.
const (
	ListTotal   = "total"
	ListGeneral = "general"
)

// List is one of an artifact's lists, best first.
type List struct {
	Name    string
	Entries []Entry
}

// Lists are an artifact's lists, each name once. Their order is that in which they are stored, published and compared;
// whoever makes Lists fixes it. They are a slice and not a struct of two, so that a theme's list is one more name.
type Lists []List

// Get returns the entries of the named list, none when there is no such list.
func (l Lists) Get(name string) []Entry {
	for i := range l {
		if l[i].Name == name {
			return l[i].Entries
		}
	}
	return nil
}

func (l Lists) has(name string) bool {
	return slices.ContainsFunc(l, func(list List) bool { return list.Name == name })
}

// Members calls fn once for each id in any of the lists.
func (l Lists) Members(fn func(id string)) {
	seen := make(map[string]struct{}, l.size())
	for i := range l {
		for j := range l[i].Entries {
			id := l[i].Entries[j].ID
			if _, ok := seen[id]; !ok {
				seen[id] = struct{}{}
				fn(id)
			}
		}
	}
}

// size is the number of entries of all lists.
func (l Lists) size() int {
	n := 0
	for i := range l {
		n += len(l[i].Entries)
	}
	return n
}

// each calls fn for every name in either of the two, in the order of new, then of old, with the entries in both.
func each(old, new Lists, fn func(name string, old, new []Entry)) {
	for i := range new {
		fn(new[i].Name, old.Get(new[i].Name), new[i].Entries)
	}
	for i := range old {
		if !new.has(old[i].Name) {
			fn(old[i].Name, old[i].Entries, nil)
		}
	}
}

// Before is the order of lists: by falling score, then by id, so that ties have one order.
func Before(a, b *Entry) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	return strings.Compare(a.ID, b.ID) < 0
}

// TopK returns the best k entries by falling score, ties by rising id. The entries are not
// modified; k < 1 gives an empty list.
func TopK(entries []Entry, k int) []Entry {
	if k < 1 || len(entries) == 0 {
		return nil
	}
	out := make([]Entry, 0, min(k, len(entries)))
	for i := range entries {
		out = Insert(out, entries[i], k)
	}
	return out
}

// Insert puts an entry where it belongs in a list of at most k entries, in place, and drops what is too much. k is small: to keep the
// best in order is quicker than to sort all.
func Insert(list []Entry, e Entry, k int) []Entry {
	if len(list) >= k {
		if k < 1 || !Before(&e, &list[k-1]) {
			return list
		}
		list = list[:k-1]
	}
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if Before(&e, &list[mid]) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	list = append(list, Entry{})
	copy(list[lo+1:], list[lo:])
	list[lo] = e
	return list
}

// Changes is what happened to a list. Entered and Moved are in the new list's order, Left
// in the old one's.
type Changes struct {
	Entered []string `json:"entered"`
	Left    []string `json:"left"`
	// Moved are the ids in both lists whose place among the ids in both lists
	// differs: one that only slid down because another entered above has not moved.
	Moved []string `json:"moved"`
}

// Diff tells how the new list differs from the old one in ids and order. Its slices
// are never nil.
func Diff(old, new []Entry) Changes {
	c := Changes{Entered: []string{}, Left: []string{}, Moved: []string{}}
	was, is := ranksOf(old), ranksOf(new)
	var room [fewEntries]int
	before, both := room[:0], 0 // by rank in old: how many above are in both lists
	for i := range old {
		before = append(before, both)
		if is.of(old[i].ID) >= 0 {
			both++
		} else {
			c.Left = append(c.Left, old[i].ID)
		}
	}
	kept := 0
	for i := range new {
		at := was.of(new[i].ID)
		if at < 0 {
			c.Entered = append(c.Entered, new[i].ID)
			continue
		}
		if before[at] != kept {
			c.Moved = append(c.Moved, new[i].ID)
		}
		kept++
	}
	return c
}

// ranks finds the rank of an id in a list. A short list is looked through: to make a map of the ten that most lists have takes longer than all looks.
type ranks struct {
	list []Entry
	at   map[string]int // of a list that is not short
}

// fewEntries are a short list.
const fewEntries = 32

func ranksOf(list []Entry) ranks {
	r := ranks{list: list}
	if len(list) > fewEntries {
		r.at = make(map[string]int, len(list))
		for i := range list {
			r.at[list[i].ID] = i
		}
	}
	return r
}

// of is the rank of an id from 0, -1 where it is not in the list.
func (r *ranks) of(id string) int {
	if r.at != nil {
		if at, there := r.at[id]; there {
			return at
		}
		return -1
	}
	for i := range r.list {
		if r.list[i].ID == id {
			return i
		}
	}
	return -1
}

// DiffAll is Diff of each list, by name; one that is only in old or only in new is compared with an empty one.
func DiffAll(old, new Lists) map[string]Changes {
	out := make(map[string]Changes, len(new))
	each(old, new, func(name string, old, new []Entry) { out[name] = Diff(old, new) })
	return out
}

// Material tells whether the change from old to new is worth publishing: other ids or another
// order in any list, or a score that moved by more than tolerance.
func Material(old, new Lists, tolerance float32) bool {
	found := false
	each(old, new, func(_ string, old, new []Entry) { found = found || material(old, new, tolerance) })
	return found
}

func material(old, new []Entry, tolerance float32) bool {
	if len(old) != len(new) {
		return true
	}
	for i := range old {
		if old[i].ID != new[i].ID || math.Abs(float64(old[i].Score)-float64(new[i].Score)) > float64(tolerance) {
			return true
		}
	}
	return false
}

const (
	listsVersion = 2
	// entryBytes is the least an entry takes: an empty id's length and six numbers.
	entryBytes = 1 + 6*4
	// listBytes is the least a list takes: the lengths of its name and of the list.
	listBytes = 2
)

// Marshal returns the binary form.
func (l Lists) Marshal() []byte {
	b := make([]byte, 0, 32+64*l.size())
	return appendLists(append(b, listsVersion), l)
}

// Unmarshal reads the binary form; a score that is not finite is an error. After an
// error l is not changed.
func (l *Lists) Unmarshal(b []byte) error {
	d := decoder{rest: b}
	d.version(listsVersion)
	v := d.lists()
	if err := d.finish("lists"); err != nil {
		return err
	}
	*l = v
	return nil
}

func appendLists(b []byte, lists Lists) []byte {
	b = binary.AppendUvarint(b, uint64(len(lists)))
	for i := range lists {
		list := lists[i].Entries
		b = appendString(b, lists[i].Name)
		b = binary.AppendUvarint(b, uint64(len(list)))
		for j := range list {
			b = appendEntry(b, &list[j])
		}
	}
	return b
}

func appendEntry(b []byte, e *Entry) []byte {
	b = appendString(b, e.ID)
	for _, v := range [...]float32{e.Score, e.Parts.Cosine, e.Parts.Entities, e.Parts.Words, e.Parts.Date, e.Parts.Link} {
		b = appendFloat32(b, v)
	}
	return b
}

func (d *decoder) lists() Lists {
	n := d.count("lists", listBytes)
	if n == 0 {
		return nil
	}
	out := make(Lists, 0, n)
	for range n {
		name := d.string("list")
		if out.has(name) {
			d.fail("list", fmt.Errorf("%q comes twice", name))
			return nil
		}
		out = append(out, List{Name: name, Entries: d.entries(name)})
		if d.err != nil {
			return nil
		}
	}
	return out
}

func (d *decoder) entries(field string) []Entry {
	n := d.count(field, entryBytes)
	if n == 0 {
		return nil
	}
	out := make([]Entry, n)
	for i := range out {
		out[i] = d.entry(field)
	}
	return out
}

func (d *decoder) entry(field string) Entry {
	return Entry{ID: d.string(field), Score: d.float32(field), Parts: Parts{
		Cosine: d.float32(field), Entities: d.float32(field), Words: d.float32(field),
		Date: d.float32(field), Link: d.float32(field),
	}}
}
