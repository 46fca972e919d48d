package demo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"
)

// near fails when a count lies further from its expectation than chance explains
// (five standard deviations).
func near(t *testing.T, what string, got, of, perMille int) {
	t.Helper()
	p := float64(perMille) / 1000
	want, sd := p*float64(of), math.Sqrt(p*(1-p)*float64(of))
	if of == 0 || math.Abs(float64(got)-want) > 5*sd+1 {
		t.Errorf("%s: %d of %d, want %.0f ± %.0f", what, got, of, want, 5*sd)
	}
}

func TestGapsAndMisspellings(t *testing.T) {
	t.Parallel()
	const n = 6000
	w, clean := newWriter(Options{Artifacts: n, Seed: 5}), newWriter(Options{Artifacts: n, Seed: 5})
	clean.spelt = true
	missing := map[string]int{}
	terms, slips, short := 0, 0, 0
	for i := range n {
		a, err := w.build(i)
		if err != nil {
			t.Fatal(err)
		}
		b, err := clean.build(i)
		if err != nil {
			t.Fatal(err)
		}
		lists := map[string][2][]term{
			"creator": {a.Creator, b.Creator}, "culture": {a.Culture, b.Culture}, "period": {a.Period, b.Period},
			"dynasty": {a.Dynasty, b.Dynasty}, "place": {a.Place, b.Place}, "material": {a.Material, b.Material},
			"technique": {a.Technique, b.Technique}, "type": {a.Type, b.Type}, "subject": {a.Subject, b.Subject},
			"collection": {a.Collection, b.Collection},
		}
		for field, l := range lists {
			if len(l[0]) != len(l[1]) {
				t.Fatalf("%s of %d: %v and %v", field, i, l[0], l[1])
			}
			if len(l[0]) == 0 {
				missing[field]++
				continue
			}
			if field == "collection" {
				continue
			}
			terms++
			if x, y := l[0][0], l[1][0]; x != y {
				slips++
				if x.id != y.id {
					t.Errorf("a slip in a URI: %s, %s", x.id, y.id)
				}
			} else if len([]rune(y.label)) < 4 {
				short++
			}
		}
		for field, absent := range map[string]bool{"title": a.Title == "", "description": a.Description == "", "date": a.Date == nil, "location": a.Location == nil} {
			if absent {
				missing[field]++
			}
		}
	}
	for field, rate := range Gaps() {
		near(t, "without "+field, missing[field], n, rate)
	}
	near(t, "misspelt terms", slips, terms-short, Misspelt)
}

func TestMisspell(t *testing.T) {
	t.Parallel()
	r := stream(1, 0, forNames)
	for _, s := range []string{"", "yün", "پشم", "kilim", "نقش\u200cها", "a b c d", "fließendes Wasser"} {
		for range 200 {
			got := misspell(r, s)
			if d := len([]rune(got)) - len([]rune(s)); d < -1 || d > 1 {
				t.Errorf("%q became %q", s, got)
			}
			if got != s && (len([]rune(s)) < 4 || []rune(got)[0] != []rune(s)[0]) {
				t.Errorf("%q became %q", s, got)
			}
		}
	}
}

func TestMotifIsNamedAtItsRate(t *testing.T) {
	t.Parallel()
	w := newWriter(Options{Artifacts: 6000, Seed: 5})
	w.spelt = true
	named, of := 0, 0
	for i := range w.opt.Artifacts {
		tr := w.truth(i)
		rec, err := w.build(i)
		if err != nil {
			t.Fatal(err)
		}
		if tr.kind != Textile || rec.Description == "" {
			continue
		}
		of++
		if strings.Contains(strings.ToLower(rec.Description), strings.ToLower(w.motifs[tr.motif][w.collections[tr.collection].language])) {
			named++
		}
	}
	near(t, "descriptions that name the motif", named, of, Named)
}

// namedRoute is a route with names in the place of its indexes.
type namedRoute struct {
	Theme    string // "motif" or "music"
	Label    string // as in the theme's labels
	From, To string // names of cultures
	Year     int
}

// namedRoutes are all planted borrowings.
func namedRoutes() []namedRoute {
	var all []namedRoute
	c := cultures()
	for _, r := range motifRoutes() {
		all = append(all, namedRoute{"motif", motifWords()[r.label][english], c[r.from].name.latin, c[r.to].name.latin, r.year})
	}
	for _, r := range modeRoutes() {
		all = append(all, namedRoute{"music", modes()[r.label].name.latin, c[r.from].name.latin, c[r.to].name.latin, r.year})
	}
	return all
}

func TestBorrowingFollowsTheRoutes(t *testing.T) {
	t.Parallel()
	describe := Describer(Options{Seed: 9})
	routes := namedRoutes()
	type key struct{ theme, label, to string }
	years := map[key]map[string]int{}
	for _, r := range namedRoutes() {
		k := key{r.Theme, r.Label, r.To}
		if years[k] == nil {
			years[k] = map[string]int{}
		}
		years[k][r.From] = r.Year
	}
	native := map[key]bool{}
	for _, c := range cultures() {
		for _, m := range c.motifs {
			native[key{"motif", motifWords()[m][english], c.name.latin}] = true
		}
		native[key{"music", modes()[c.mode].name.latin, c.name.latin}] = true
	}
	used := map[key]int{}
	borrowed, could := 0, 0
	for i := range 12_000 {
		tr := describe(i)
		check := func(theme, label, from string) {
			if label == "" {
				return
			}
			k := key{theme, label, tr.Culture}
			if from == "" {
				if !native[k] {
					t.Fatalf("%d: %+v has %s as its own", i, tr, label)
				}
				return
			}
			year, there := years[k][from]
			if !there || tr.Year < year {
				t.Fatalf("%d: %+v borrows %s, route %d", i, tr, label, year)
			}
			used[k]++
		}
		check("motif", tr.Motif, tr.BorrowedFrom)
		check("music", tr.Mode, tr.ModeBorrowedFrom)
		if tr.Motif == "" || tr.CopyOf >= 0 {
			continue
		}
		for _, r := range routes {
			if r.Theme == "motif" && r.To == tr.Culture && r.Year <= tr.Year {
				could++
				if tr.BorrowedFrom != "" {
					borrowed++
				}
				break
			}
		}
	}
	near(t, "borrowed motifs", borrowed, could, borrowedShare)
	for k := range years {
		if used[k] == 0 {
			t.Errorf("the route of %v was never used", k)
		}
	}
}

func TestCopiesBooksAndTastes(t *testing.T) {
	t.Parallel()
	describe, all := Describer(Options{Seed: 2}), cultures()
	motifList, beliefList, craftList := motifWords(), beliefWords(), craftWords()
	var textiles, copies, abroad, motifs, beliefs, made, favourite, books int
	for i := range 8_000 {
		tr := describe(i)
		if tr.CopyOf >= 0 {
			o := describe(tr.CopyOf)
			if tr.CopyOf >= i || o.CopyOf >= 0 || o.Kind != Textile || o.Motif != tr.Motif || o.Year > tr.Year {
				t.Fatalf("%d: %+v is a copy of %+v", i, tr, o)
			}
			copies++
			if o.Culture != tr.Culture {
				abroad++
			}
		}
		if tr.PartOf >= 0 {
			o := describe(tr.PartOf)
			if tr.Kind != Page || o.Kind != Codex || o.Culture != tr.Culture || o.Year != tr.Year {
				t.Fatalf("%d: %+v is part of %+v", i, tr, o)
			}
		}
		if tr.Kind == Codex {
			books++
		}
		if tr.Motif != "" && tr.CopyOf < 0 {
			motifs++
			family := slices.IndexFunc(motifList, func(w word) bool { return w[english] == tr.Motif })
			if beliefList[motifBelief(family)][english] == tr.Belief {
				beliefs++
			}
		}
		if tr.Kind == Textile {
			textiles++
		}
		if (tr.Kind == Textile || tr.Kind == Entry) && tr.CopyOf < 0 {
			made++
			for _, c := range all {
				if c.name.latin == tr.Culture && (craftList[c.crafts[0]][english] == tr.Craft || craftList[c.crafts[1]][english] == tr.Craft) {
					favourite++
				}
			}
		}
	}
	if books != 8_000/codexEvery {
		t.Errorf("%d codices, want %d", books, 8_000/codexEvery)
	}
	near(t, "copies", copies, textiles, copyShare)
	near(t, "beliefs that follow the motif", beliefs, motifs, 700+300/8)
	near(t, "favourite crafts", favourite, made, 800+200*2/6)
	if abroad*5 < copies {
		t.Errorf("%d of %d copies were made in another culture", abroad, copies)
	}
}

func TestPatternsAreWhole(t *testing.T) {
	t.Parallel()
	if len(motifPatterns()) != len(motifWords()) {
		t.Fatalf("%d patterns for %d families", len(motifPatterns()), len(motifWords()))
	}
	for i, rows := range motifPatterns() {
		if len(rows) != motifKnots && len(rows) != motifKnots/2+1 {
			t.Errorf("%s: %d rows", motifWords()[i][english], len(rows))
		}
		for y, row := range rows {
			if len(row) != motifKnots/2+1 || strings.Trim(row, ".abcd") != "" {
				t.Errorf("%s, row %d: %q", motifWords()[i][english], y, row)
			}
		}
	}
}

// Form tells the motif, whatever the colours: the picture nearest in form, of
// another culture, is one of the same family.
func TestFormTellsTheMotif(t *testing.T) {
	t.Parallel()
	type piece struct {
		culture, motif int
		size           image.Point
		edges          []uint64
	}
	var all []piece
	w := newWriter(Options{Seed: 4})
	for i := 0; len(all) < 450; i++ {
		tr := w.truth(i)
		if tr.kind != Textile {
			continue
		}
		data, err := w.loom.picture(w.weave(i, &tr))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		p := img.(*image.Paletted)
		size := p.Bounds().Size()
		if len(data) > 3<<10 || min(size.X, size.Y) < 48 || max(size.X, size.Y) > 96 || len(p.Palette) > 16 {
			t.Errorf("%d: %d bytes, %v, %d colours", i, len(data), size, len(p.Palette))
		}
		dyeAt := func(x, y int) uint8 { return p.ColorIndexAt(x, y) % uint8(dyes) }
		edges := make([]uint64, 48*48*2/64)
		bit := 0
		mark := func(edge bool) {
			if edge {
				edges[bit/64] |= 1 << (bit % 64)
			}
			bit++
		}
		for y := 16; y < size.Y-16; y += pixels {
			for x := 16; x < size.X-16; x += pixels {
				mark(dyeAt(x, y) != dyeAt(x+pixels, y))
				mark(dyeAt(x, y) != dyeAt(x, y+pixels))
			}
		}
		all = append(all, piece{tr.culture, tr.motif, size, edges})
	}
	right, of := 0, 0
	for i, a := range all {
		best, nearest := math.MaxInt, none
		same := false
		for j, b := range all {
			if i == j || a.size != b.size || a.culture == b.culture {
				continue
			}
			same = same || a.motif == b.motif
			d := 0
			for k := range a.edges {
				d += bits.OnesCount64(a.edges[k] ^ b.edges[k])
			}
			if d < best {
				best, nearest = d, b.motif
			}
		}
		if same {
			of++
			if nearest == a.motif {
				right++
			}
		}
	}
	t.Logf("nearest in form has the same motif: %d of %d", right, of)
	if of < 200 || right*10 < of*8 {
		t.Errorf("the nearest in form has the same motif in %d of %d pictures", right, of)
	}
}

func TestMelodiesAreInTheirMode(t *testing.T) {
	t.Parallel()
	w := newWriter(Options{Seed: 4})
	heard := 0
	for i := 0; heard < 40; i++ {
		tr := w.truth(i)
		if tr.kind != Recording {
			continue
		}
		heard++
		notes, tonic := w.tune(i, &tr)
		scale := w.modes[tr.mode].scale
		for k, n := range notes {
			if !slices.Contains(scale, n.quarters%24) || n.quarters > 24+scale[0] {
				t.Errorf("%d: note %d is %d quarter tones above the tonic, not in %v", i, k, n.quarters, scale)
			}
		}
		if notes[len(notes)-1].quarters != 0 {
			t.Errorf("%d does not end on the tonic", i)
		}
		wav := w.sing(i, &tr)
		if len(wav) > 12<<10 || len(wav)%2 != 0 || string(wav[:4])+string(wav[8:16]) != "RIFFWAVEfmt " ||
			int(binary.LittleEndian.Uint32(wav[4:])) != len(wav)-8 || int(binary.LittleEndian.Uint32(wav[40:])) != len(wav)-44 {
			t.Fatalf("%d: header % x, %d bytes", i, wav[:44], len(wav))
		}
		// The last note's own pitch rings louder than its neighbours, a quarter tone off.
		last := wav[len(wav)-lastNote:]
		at := func(hz float64) float64 {
			var re, im float64
			for k, v := range last {
				s, c := math.Sincos(2 * math.Pi * hz * float64(k) / sampleRate)
				re += (float64(v) - 128) * c
				im += (float64(v) - 128) * s
			}
			return math.Hypot(re, im)
		}
		hz := float64(tonic) / 10
		if here := at(hz); here < at(hz*math.Exp2(1.0/24)) || here < at(hz*math.Exp2(-1.0/24)) || here < 3*at(hz*math.Exp2(0.5)) {
			t.Errorf("%d: its last note is not at %.1f Hz", i, hz)
		}
	}
}

func TestEveryPhraseFills(t *testing.T) {
	t.Parallel()
	w := newWriter(Options{Seed: 1})
	for language := range languages {
		p := w.phrases[language]
		for kind, object := range map[Kind]int{Textile: kilim, Page: page, Codex: codex, Recording: song, Entry: garment} {
			tr := truth{w: w, kind: kind, object: object, motifFrom: 1, modeFrom: 2}
			d := words{t: &tr, w: w, r: stream(1, 1, forWords), language: language}
			for _, list := range [][]string{p.titles[kind], p.opening[kind], p.motif, p.unnamed, p.mode, p.tune, p.belief, p.occasion, p.borrowed} {
				if len(list) == 0 {
					t.Errorf("%s, %s: an empty list of phrases", languageCode(language), kind)
				}
				for _, phrase := range list {
					if got := d.fill(phrase); strings.ContainsAny(got, "{}") || strings.Contains(got, "%") {
						t.Errorf("%q: %q", phrase, got)
					}
				}
			}
		}
		for _, form := range []string{p.dynasty, p.circa, p.century} {
			if strings.Count(form, "%s") != 1 {
				t.Errorf("%s: %q", languageCode(language), form)
			}
		}
	}
}
