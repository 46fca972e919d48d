package theme

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// How long a date's span may be, in years, to say in which decades and in which centuries the artifact was made. A longer one
// says too little, and its names would outnumber all else that is shared.
const (
	decadesWithin   = 100
	centuriesWithin = 400
)

// remark is what stands in brackets behind a name: an attribution's doubt, a life's years, a number.
var remark = regexp.MustCompile(`\s*[(\[][^)\]]*[)\]]`)

// shared names what an artifact may share with others: its entities, each also without remarks in brackets, the words of its
// materials and techniques, and its decades and centuries. A name occurs once or several times.
func shared(a *profile.Artifact) []string {
	var out []string
	for _, e := range weave.Edges(a) {
		if !e.Type.IsEntity() || e.Type == graphstore.Decade {
			continue
		}
		kind := e.Type.String() + "\x00"
		out = append(out, kind+e.Key)
		label := graphstore.NormalizeLabel(e.Label)
		plain := label
		if strings.ContainsAny(label, "([") {
			plain = remark.ReplaceAllString(label, "")
		}
		if plain = strings.TrimSpace(plain); plain != "" && plain != e.Key {
			out = append(out, kind+plain)
		}
		if e.Type == graphstore.Material || e.Type == graphstore.Technique {
			out = append(out, parts(label)...)
		}
	}
	return append(out, times(a.Date)...)
}

// parts are the words of a phrase: "oil paint on canvas" and "oil on panel" share one.
func parts(phrase string) []string {
	var out []string
	for _, word := range strings.FieldsFunc(phrase, func(r rune) bool { return strings.ContainsRune(" ,;:.()[]/&", r) }) {
		out = append(out, "part\x00"+word)
	}
	return out
}

// times are the decades and centuries of a date.
func times(d *profile.Date) []string {
	if d == nil || d.Begin == nil && d.End == nil {
		return nil
	}
	begin, end := d.Begin, d.End
	if begin == nil {
		begin = end
	}
	if end == nil {
		end = begin
	}
	var out []string
	each := func(name string, years, within float64) {
		if *end-*begin > within {
			return
		}
		for y := math.Floor(*begin / years); y <= math.Floor(*end/years); y++ {
			out = append(out, name+"\x00"+strconv.FormatFloat(y, 'f', 0, 64))
		}
	}
	each("decade", 10, decadesWithin)
	each("century", 100, centuriesWithin)
	return out
}
