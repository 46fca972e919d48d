package publish

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"kilim/rerank"
)

// JSON gives the value of the topic of lists: the lists in their order, the changes by name. What is empty is [], not
// null. It is written member by member: encoding/json has no object of ordered names, reads all that a
// json.Marshaler returns again to check it, and takes twice the time, by reflection, for the hundred numbers and the strings of an
// update. What it makes of each of them is what is written, byte by byte.
func JSON(u *rerank.Update) ([]byte, error) {
	o := object{text: make([]byte, 0, room(u))}
	o.open()
	o.name("id")
	o.string(u.ID)
	o.name("revision")
	o.text = strconv.AppendUint(o.text, u.Revision, 10)
	o.name("epoch")
	o.text = strconv.AppendUint(o.text, uint64(u.Epoch), 10)
	o.name("lists")
	o.open()
	for _, l := range u.Lists {
		o.name(l.Name)
		o.entries(l.Entries)
	}
	o.close()
	o.name("changes")
	o.open()
	for _, name := range slices.Sorted(maps.Keys(u.Changes)) {
		c := u.Changes[name]
		o.name(name)
		o.open()
		o.strings("entered", c.Entered)
		o.strings("left", c.Left)
		o.strings("moved", c.Moved)
		o.close()
	}
	o.close()
	o.strings("cause", u.Cause)
	o.close()
	if o.err != nil {
		return nil, fmt.Errorf("publish: JSON of an update: %w", o.err)
	}
	return o.text, nil
}

// room is about what the JSON of an update takes: an entry of a real archive has six numbers of up to ten digits.
func room(u *rerank.Update) int {
	const update, entry = 512, 160
	n := update
	for _, l := range u.Lists {
		n += entry * len(l.Entries)
	}
	return n
}

// object writes JSON objects with their members in the order of the calls. The first error sticks.
type object struct {
	text []byte
	err  error
}

func (o *object) open() { o.text = append(o.text, '{') }

func (o *object) close() { o.text = append(o.text, '}') }

// name begins a member, after a comma unless it is the first of its object.
func (o *object) name(name string) {
	if o.text[len(o.text)-1] != '{' {
		o.text = append(o.text, ',')
	}
	o.string(name)
	o.text = append(o.text, ':')
}

func (o *object) entries(entries []rerank.Entry) {
	o.text = append(o.text, '[')
	for i := range entries {
		if i > 0 {
			o.text = append(o.text, ',')
		}
		e := &entries[i]
		o.text = append(o.text, `{"id":`...)
		o.string(e.ID)
		o.number(`,"score":`, e.Score)
		o.number(`,"parts":{"cosine":`, e.Parts.Cosine)
		o.number(`,"entities":`, e.Parts.Entities)
		o.number(`,"words":`, e.Parts.Words)
		o.number(`,"date":`, e.Parts.Date)
		o.number(`,"link":`, e.Parts.Link)
		o.text = append(o.text, "}}"...)
	}
	o.text = append(o.text, ']')
}

func (o *object) strings(name string, values []string) {
	o.name(name)
	o.text = append(o.text, '[')
	for i, s := range values {
		if i > 0 {
			o.text = append(o.text, ',')
		}
		o.string(s)
	}
	o.text = append(o.text, ']')
}

// string writes a string that needs no escape, as nearly all do, and has encoding/json write the others.
func (o *object) string(s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			o.any(s)
			return
		}
	}
	o.text = append(o.text, '"')
	o.text = append(o.text, s...)
	o.text = append(o.text, '"')
}

// number writes, behind what comes before it, a number that needs no exponent, as nearly all do, and has encoding/json write the
// others, or say why it can't.
func (o *object) number(before string, v float32) {
	o.text = append(o.text, before...)
	if size := max(v, -v); size == 0 || size >= 1e-6 && size < 1e21 {
		o.text = strconv.AppendFloat(o.text, float64(v), 'f', -1, 32)
		return
	}
	o.any(v)
}

func (o *object) any(v any) {
	text, err := json.Marshal(v)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.text = append(o.text, text...)
}
