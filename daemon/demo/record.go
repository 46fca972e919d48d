package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Misspelt is how many of 1000 terms have a slip of the pen (a few of them too
// short to have one).
const Misspelt = 50

// Gaps is how many of 1000 artifacts lack a field that they could have.
func Gaps() map[string]int {
	return map[string]int{
		"title": 10, "description": 60, "culture": 150, "period": 350, "dynasty": 550, "place": 200,
		"material": 120, "technique": 250, "type": 50, "subject": 300, "creator": 600, "collection": 20,
		"date": 200, "location": 700,
	}
}

// The profile's form, with the fields in its order.
type record struct {
	ID          string              `json:"id"`
	Title       string              `json:"title,omitempty"`
	Description string              `json:"description,omitempty"`
	Language    string              `json:"language"`
	Creator     []term              `json:"creator,omitempty"`
	Culture     []term              `json:"culture,omitempty"`
	Period      []term              `json:"period,omitempty"`
	Dynasty     []term              `json:"dynasty,omitempty"`
	Date        *recordDate         `json:"date,omitempty"`
	Place       []term              `json:"place,omitempty"`
	Material    []term              `json:"material,omitempty"`
	Technique   []term              `json:"technique,omitempty"`
	Type        []term              `json:"type,omitempty"`
	Subject     []term              `json:"subject,omitempty"`
	Collection  []term              `json:"collection,omitempty"`
	Digitized   string              `json:"digitized"`
	Location    *location           `json:"location,omitempty"`
	Media       []media             `json:"media,omitempty"`
	Theme       map[string][]string `json:"theme"`
	Link        []link              `json:"link,omitempty"`
}

type recordDate struct {
	Begin int    `json:"begin"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

type location struct {
	Lat hundredths `json:"lat"`
	Lon hundredths `json:"lon"`
}

// hundredths is a number of hundredths, written with a point.
type hundredths int

func (h hundredths) MarshalJSON() ([]byte, error) {
	sign, v := "", int(h)
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Appendf(nil, "%s%d.%02d", sign, v/100, v%100), nil
}

type media struct {
	Kind      string `json:"kind"`
	URI       string `json:"uri,omitempty"`
	Data      []byte `json:"data,omitempty"` // base64 in JSON
	Text      string `json:"text,omitempty"`
	MediaType string `json:"media_type,omitempty"`
	Language  string `json:"language,omitempty"`
}

type link struct {
	Type   string `json:"type"`
	Target string `json:"target"`
}

// term is a label, or a label with a URI.
type term struct{ id, label string }

func (t term) MarshalJSON() ([]byte, error) {
	if t.id == "" {
		return marshal(t.label)
	}
	return marshal(struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	}{t.id, t.label})
}

// writer holds the world's tables, built once, and makes records.
type writer struct {
	opt         Options
	cultures    []culture
	collections []collection
	motifRoutes []route
	modeRoutes  []route
	motifs      []word
	modes       []mode
	crafts      []word
	beliefs     []word
	materials   []word
	objects     []word
	occasions   []word
	periods     []period
	phrases     [languages]phrases
	gaps        map[string]int
	spelt       bool // without misspellings: what tests compare with
	loom        loom
	buf         bytes.Buffer
}

func newWriter(opt Options) *writer {
	return &writer{
		opt: opt, cultures: cultures(), collections: collections(), motifRoutes: motifRoutes(), modeRoutes: modeRoutes(),
		motifs: motifWords(), modes: modes(), crafts: craftWords(), beliefs: beliefWords(), materials: materialWords(),
		objects: objectWords(), occasions: occasionWords(), periods: periods(), phrases: phraseBook(), gaps: Gaps(),
	}
}

// marshal is json.Marshal without its care for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	err := encode(&b, v)
	return b.Bytes(), err
}

func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line's end
	return nil
}

func (w *writer) record(ordinal int) ([]byte, error) {
	rec, err := w.build(ordinal)
	if err != nil {
		return nil, err
	}
	w.buf.Reset()
	if err := encode(&w.buf, rec); err != nil {
		return nil, err
	}
	return bytes.Clone(w.buf.Bytes()), nil
}

// authority makes the URI of a term.
func authority(kind, key string) string {
	return "https://terms.example.org/" + kind + "/" + strings.ReplaceAll(strings.ToLower(key), " ", "-")
}

func (w *writer) build(ordinal int) (*record, error) {
	t := w.truth(ordinal)
	r := stream(w.opt.Seed, ordinal, forFields)
	slips := stream(w.opt.Seed, ordinal, forNames)
	col := &w.collections[t.collection]
	c := &w.cultures[t.culture]
	d := &words{t: &t, w: w, r: stream(w.opt.Seed, ordinal, forWords), language: col.language,
		place: r.n(3), occasion: r.n(len(w.occasions)), material: w.material(&t, r)}

	rec := &record{ID: ID(ordinal), Language: languageCode(col.language), Digitized: w.digitized(ordinal), Theme: w.theme(&t)}
	given := func(field string) bool { return !r.chance(w.gaps[field]) }
	one := func(field, id, label string) []term {
		present, slip := given(field), slips.chance(Misspelt)
		if !present {
			return nil
		}
		if slip && !w.spelt {
			label = misspell(slips, label)
		}
		return []term{{id, label}}
	}
	concept := func(kind string, of word) (id, label string) {
		if col.authority {
			id = authority(kind, of[english])
		}
		return id, of[col.language]
	}
	if title := d.title(); given("title") {
		rec.Title = title
	}
	if text := d.description(); given("description") {
		rec.Description = text
		if slips.chance(Misspelt) && !w.spelt {
			rec.Description = misspell(slips, text)
		}
	}
	rec.Creator = one("creator", "", w.creator(&t, r))
	rec.Culture = one("culture", "", c.name.in(col.language))
	rec.Period = one("period", "", w.period(t.year)[col.language])
	house := c.dynasties[0]
	if t.year >= (c.from+c.to)/2 {
		house = c.dynasties[1]
	}
	rec.Dynasty = one("dynasty", "", strings.Replace(w.phrases[col.language].dynasty, "%s", house.in(col.language), 1))
	if date := d.date(); given("date") {
		rec.Date = date
	}
	at := &c.places[d.place]
	rec.Place = one("place", authority("place", at.name.latin), at.name.in(col.language))
	id, label := concept("material", w.materials[d.material])
	rec.Material = one("material", id, label)
	id, label = concept("technique", w.crafts[t.craft])
	rec.Technique = one("technique", id, label)
	id, label = concept("type", w.objects[t.object])
	rec.Type = one("type", id, label)
	about := w.occasions[d.occasion]
	if r.chance(500) {
		about = w.beliefs[t.belief]
	}
	rec.Subject = one("subject", "", about[col.language])
	if given("collection") {
		rec.Collection = []term{{label: col.name}}
	}
	if given("location") {
		rec.Location = &location{hundredths(at.lat), hundredths(at.lon)}
	}
	rec.Link = w.links(ordinal, &t)
	return rec, w.media(ordinal, &t, d, rec)
}

func (w *writer) theme(t *truth) map[string][]string {
	theme := map[string][]string{"craft": {w.crafts[t.craft][english]}, "belief": {w.beliefs[t.belief][english]}}
	if t.motif != none {
		theme["motif"] = []string{w.motifs[t.motif][english]}
	}
	if t.mode != none {
		theme["music"] = []string{w.modes[t.mode].name.latin}
	}
	return theme
}

// links are kept to what the archive holds, by its end.
func (w *writer) links(ordinal int, t *truth) []link {
	var all []link
	if t.partOf != none && t.partOf < w.opt.Artifacts {
		all = append(all, link{"part_of", ID(t.partOf)})
	}
	if t.copyOf != none {
		all = append(all, link{"copy_of", ID(t.copyOf)})
	}
	if target := w.related(ordinal, t); target != none {
		all = append(all, link{"related", ID(target)})
	}
	return all
}

func (w *writer) material(t *truth, r *rng) int {
	switch t.kind {
	case Page, Codex:
		return parchment + r.n(2)
	case Recording:
		return waxCylinder + r.n(2)
	}
	if t.craft == felt {
		return wool
	}
	return r.weighted(50, 15, 12, 13, 10)
}

// creator is one of a dozen people of the culture.
func (w *writer) creator(t *truth, r *rng) string {
	first := [...]string{"Ama", "Beri", "Coro", "Dasha", "Edun", "Fira", "Galu", "Hesh", "Ilo", "Jara", "Keth", "Luma"}
	last := [...]string{"Arvand", "Brill", "Ostan", "Merrow", "Tuul", "Vesper", "Quay", "Sollen"}
	who := r.n(len(first))
	return first[who] + " " + last[(who+t.culture)%len(last)] + " of " + w.cultures[t.culture].places[who%3].name.latin
}

func (w *writer) period(year int) word {
	for _, p := range w.periods {
		if year <= p.until {
			return p.name
		}
	}
	panic("demo: no period for the year " + strconv.Itoa(year))
}

// digitized is the time of an ordinal: one artifact each seven minutes, or so.
func (w *writer) digitized(ordinal int) string {
	const every = 7 * 60
	second := ordinal*every + stream(w.opt.Seed, ordinal, forClock).n(every)
	began := time.Date(2012, time.March, 1, 8, 0, 0, 0, time.UTC).Unix()
	return time.Unix(began+int64(second), 0).UTC().Format(time.RFC3339)
}

// media adds what the kind has: pictures and melodies inline, if wanted.
func (w *writer) media(ordinal int, t *truth, d *words, rec *record) error {
	file := func(kind, mediaType, suffix string, make func() ([]byte, error)) error {
		m := media{Kind: kind, MediaType: mediaType, URI: "https://media.example.org/" + rec.ID + suffix}
		if w.opt.Media {
			data, err := make()
			if err != nil {
				return err
			}
			m.URI, m.Data = "", data
		}
		rec.Media = append(rec.Media, m)
		return nil
	}
	picture := func() ([]byte, error) { return w.loom.picture(w.weave(ordinal, t)) }
	switch t.kind {
	case Textile:
		return file("image", "image/png", ".png", picture)
	case Page:
		rec.Media = append(rec.Media, media{Kind: "text", Text: d.verses(4), Language: rec.Language})
		if d.r.chance(500) {
			return file("image", "image/png", ".png", picture)
		}
	case Recording:
		rec.Media = append(rec.Media, media{Kind: "text", Text: d.verses(2), Language: rec.Language})
		return file("audio", "audio/wav", ".wav", func() ([]byte, error) { return w.sing(ordinal, t), nil })
	}
	return nil
}
