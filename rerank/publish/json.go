package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"kilim/rerank"
)

// JSON gives the value of the topic of lists: the lists in their order, the changes by name. What is empty is [], not
// null. It is written member by member: encoding/json has no object of ordered names, and reads all that a
// json.Marshaler returns again to check it.
func JSON(u *rerank.Update) ([]byte, error) {
	o := newObject()
	o.open()
	o.member("id", u.ID)
	o.member("revision", u.Revision)
	o.member("epoch", u.Epoch)
	if u.Ordered != nil {
		o.member("ranker", RankerName(u.Ordered.Ranker))
	}
	o.name("lists")
	o.open()
	for _, l := range u.Lists {
		if u.Ordered != nil && l.Name == rerank.ListTotal {
			o.member(l.Name, orderedOf(u.Ordered)[:len(l.Entries)])
			continue
		}
		o.member(l.Name, present(l.Entries))
	}
	o.close()
	o.name("changes")
	o.open()
	for _, name := range slices.Sorted(maps.Keys(u.Changes)) {
		c := u.Changes[name]
		o.member(name, rerank.Changes{Entered: present(c.Entered), Left: present(c.Left), Moved: present(c.Moved)})
	}
	o.close()
	o.member("cause", present(u.Cause))
	o.close()
	if o.err != nil {
		return nil, fmt.Errorf("publish: JSON of an update: %w", o.err)
	}
	return o.text.Bytes(), nil
}

// RankerName is how the name of a ranker is told.
func RankerName(ranker uint64) string { return fmt.Sprintf("%016x", ranker) }

// item is a place of a list in a learned order.
type item struct {
	ID    string             `json:"id"`
	Score float64            `json:"score"`
	Parts map[string]float64 `json:"parts"`
}

func orderedOf(o *rerank.Ordered) []item {
	items := make([]item, len(o.Entries))
	for i, e := range o.Entries {
		items[i] = item{e.ID, e.Score, map[string]float64{}}
		for _, p := range e.Parts {
			items[i].Parts[p.Name] = p.Value
		}
	}
	return items
}

// object writes JSON objects with their members in the order of the calls. The first error sticks.
type object struct {
	text bytes.Buffer
	// values writes to text what json.Marshal would return, without an array of its own for each.
	values *json.Encoder
	err    error
}

// usualObject is room for the lists of most artifacts.
const usualObject = 6 << 10

func newObject() *object {
	o := &object{}
	o.text.Grow(usualObject)
	o.values = json.NewEncoder(&o.text)
	return o
}

func (o *object) open() { o.text.WriteByte('{') }

func (o *object) close() { o.text.WriteByte('}') }

func (o *object) member(name string, value any) {
	o.name(name)
	o.value(value)
}

// name begins a member, after a comma unless it is the first of its object.
func (o *object) name(name string) {
	if text := o.text.Bytes(); text[len(text)-1] != '{' {
		o.text.WriteByte(',')
	}
	o.value(name)
	o.text.WriteByte(':')
}

func (o *object) value(v any) {
	if err := o.values.Encode(v); err != nil {
		if o.err == nil {
			o.err = err
		}
		return
	}
	o.text.Truncate(o.text.Len() - 1) // the end of a line
}

func present[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
