package hostile

import (
	"fmt"
	"strconv"
	"strings"
)

// worst are the families whose records take the most memory within all limits, each by another part of the daemon.
var worst = []family{
	{"worst-nodes", 6, worstNodes}, {"worst-small-terms", 2, worstSmallTerms}, {"worst-labels", 2, worstLabels}, {"worst-words", 6, worstWords},
	{"worst-texts", 2, worstTexts}, {"worst-themes", 4, worstThemes}, {"worst-placeholders", 2, worstPlaceholders}, {"worst-vectors", 6, worstVectors},
	{"worst-picture", 2, worstPicture}, {"worst-raw", 10, worstRaw},
}

// worstNodes asks for as many new nodes as a record may, in as few bytes.
func worstNodes(g *Generator, r *Record) {
	r.Note, r.Fate = fmt.Sprintf("%d new entities", mostEdges), Applied
	g.sendPlain(r, g.overCatalogue(func(i int) string { return `"` + strconv.FormatInt(int64(r.Seq*mostEdges+i), 36) + `"` }))
}

// worstSmallTerms has the terms that take the most memory a byte when they are decoded. All records have the same.
func worstSmallTerms(g *Generator, r *Record) {
	r.Note, r.Fate = fmt.Sprintf("%d terms of two bytes", mostEdges), Applied
	g.sendPlain(r, g.overCatalogue(func(i int) string { return `"` + strconv.FormatInt(int64(36+i%1000), 36) + `"` }))
}

// worstLabels asks for as many new nodes, and fills the record with their labels.
func worstLabels(g *Generator, r *Record) {
	r.Note, r.Fate = fmt.Sprintf("%d new entities with long labels", mostEdges), Applied
	long := strings.Repeat("l", (mostText-mostEdges*12)/mostEdges-8)
	g.sendPlain(r, g.overCatalogue(func(i int) string { return `"` + strconv.FormatInt(int64(r.Seq*mostEdges+i), 36) + long + `"` }))
}

// worstWords is a text of different words only.
func worstWords(g *Generator, r *Record) {
	r.Note, r.Fate = "a text of different words", Applied
	var b strings.Builder
	for i := 0; b.Len() < mostText; i++ {
		b.WriteString(strconv.FormatInt(int64(r.Seq*300_000+i), 36))
		b.WriteByte(' ')
	}
	g.sendPlain(r, `"description":"`+b.String()[:mostText]+`"`)
}

// worstTexts are as many media as a record may have.
func worstTexts(g *Generator, r *Record) {
	r.Note, r.Fate = fmt.Sprintf("%d texts", mostEdges), Applied
	g.sendPlain(r, `"media":`+list(mostEdges, func(i int) string { return `{"kind":"text","text":"t` + strconv.Itoa(i) + `"}` }))
}

// worstThemes are as many themes.
func worstThemes(g *Generator, r *Record) {
	r.Note, r.Fate = fmt.Sprintf("%d themes", mostEdges), Applied
	labels := list(40, func(i int) string { return `"` + strconv.Itoa(10+i) + `"` })
	themes := make([]string, mostEdges)
	for i := range themes {
		themes[i] = `"` + strconv.Itoa(i) + `":` + labels
	}
	g.sendPlain(r, `"theme":{`+strings.Join(themes, ",")+`}`)
}

// worstPlaceholders links to as many artifacts that are not there.
func worstPlaceholders(g *Generator, r *Record) {
	r.Note, r.Fate = fmt.Sprintf("%d links to what is not there", mostEdges), Applied
	g.sendPlain(r, `"link":`+list(mostEdges, func(i int) string {
		return `{"type":"l","target":"` + strconv.Itoa(r.Seq*mostEdges+i) + `"}`
	}))
}

// worstVectors are as many numbers as fit.
func worstVectors(g *Generator, r *Record) {
	r.Note, r.Fate = "vectors of 500,000 numbers in all", Applied
	numbers := list(dimensions, func(i int) string { return "1" })
	g.sendPlain(r, `"media":`+list(mostText/(len(numbers)+80), func(i int) string {
		return `{"kind":"text","encoder":"worst","embedding":` + numbers + `}`
	}))
}

// worstPicture is a picture of as much memory as media.max-memory allows, in a hundred kilobytes.
func worstPicture(g *Generator, r *Record) {
	r.Note, r.Fate = "a picture of 7000 x 7000 pixels of 16 bits", Applied
	if g.largest == nil {
		g.largest = grayPNG(7000, 7000, 16)
	}
	g.sendPlain(r, `"media":[`+g.inline("image", append(g.largest, r.ID...))+`]`) // each another content
}

// worstRaw is a record of the largest size of which the daemon knows nothing but its title.
func worstRaw(g *Generator, r *Record) {
	r.Note, r.Fate = "a large unknown field", Applied
	g.sendPlain(r, `"unknown":`+quote(strings.Repeat("u", mostText)))
}

// overCatalogue spreads as many terms as a record may have over all fields.
func (g *Generator) overCatalogue(term func(i int) string) string {
	parts := make([]string, len(catalogue))
	for f, field := range catalogue {
		from, to := mostEdges*f/len(catalogue), mostEdges*(f+1)/len(catalogue)
		parts[f] = `"` + field + `":` + list(to-from, func(i int) string { return term(from + i) })
	}
	return strings.Join(parts, ",")
}

// sendPlain makes the record one of an artifact with the fields and a title, in no envelope.
func (g *Generator) sendPlain(r *Record, fields string) {
	r.Artifact = []byte(`{"id":` + quote(r.ID) + `,"title":"worst",` + fields + `}`)
	r.Key, r.Value = []byte(r.ID), r.Artifact
}
