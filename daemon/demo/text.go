package demo

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Named is how many of 1000 descriptions name the motif (the mode).
const Named = 550

// words fills one artifact's sentences.
type words struct {
	t        *truth
	w        *writer
	r        *rng
	language int
	place    int
	occasion int
	material int
}

func (d *words) fill(template string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(template, '{')
		if at < 0 {
			b.WriteString(template)
			return capital(b.String(), d.language)
		}
		b.WriteString(template[:at])
		b.WriteString(d.slot(template[at+1]))
		template = template[at+len("{.}"):]
	}
}

func (d *words) slot(c byte) string {
	t, w := d.t, d.w
	culture := func(i int) string { return w.cultures[i].name.in(d.language) }
	switch c {
	case 'o':
		return w.objects[t.object][d.language]
	case 'm':
		return w.motifs[t.motif][d.language]
	case 'x':
		return w.materials[d.material][d.language]
	case 'k':
		return w.crafts[t.craft][d.language]
	case 'b':
		return w.beliefs[t.belief][d.language]
	case 'g':
		return w.occasions[d.occasion][d.language]
	case 'c':
		return culture(t.culture)
	case 'p':
		return w.cultures[t.culture].places[d.place].name.in(d.language)
	case 's':
		return w.modes[t.mode].name.in(d.language)
	case 'f':
		if t.motifFrom != none {
			return culture(t.motifFrom)
		}
		return culture(t.modeFrom)
	}
	panic("demo: a phrase with an unknown slot {" + string(c) + "}")
}

func (d *words) title() string {
	list := d.w.phrases[d.language].titles[d.t.kind]
	if d.t.kind == Recording && !d.r.chance(Named/3) {
		list = list[:len(list)-1] // the last one names the mode
	}
	return d.fill(pick(d.r, list))
}

func (d *words) description() string {
	p, r := &d.w.phrases[d.language], d.r
	said := []string{d.fill(pick(r, p.opening[d.t.kind]))}
	say := func(list []string) { said = append(said, d.fill(pick(r, list))) }
	if d.t.motif != none {
		if r.chance(Named) {
			say(p.motif)
		} else if d.t.kind == Textile {
			say(p.unnamed)
		}
	}
	if d.t.mode != none {
		if r.chance(Named) {
			say(p.mode)
		} else {
			say(p.tune)
		}
	}
	if r.chance(350) {
		say(p.belief)
	}
	if r.chance(300) {
		say(p.occasion)
	}
	if (d.t.motifFrom != none || d.t.modeFrom != none) && r.chance(150) {
		say(p.borrowed)
	}
	return strings.Join(said, " ")
}

// verses is what stands on a page, or is sung.
func (d *words) verses(lines int) string {
	said := make([]string, lines)
	for i := range said {
		said[i] = pick(d.r, d.w.phrases[d.language].verses)
	}
	return strings.Join(said, "\n")
}

func capital(s string, language int) string {
	first, size := utf8.DecodeRuneInString(s)
	up := unicode.ToUpper(first)
	if language == turkish {
		up = unicode.TurkishCase.ToUpper(first)
	}
	if up == first {
		return s
	}
	return string(up) + s[size:]
}

// date draws how exactly a catalogue knows the year. The year lies within it.
func (d *words) date() *recordDate {
	p := &d.w.phrases[d.language]
	year := d.t.year
	text := func(form string, v int) string {
		return strings.Replace(form, "%s", number(v, d.language), 1)
	}
	switch d.r.weighted(25, 40, 35) {
	case 0:
		return &recordDate{year, year, text("%s", year)}
	case 1:
		near := year / 10 * 10
		return &recordDate{near - 10, near + 10, text(p.circa, near)}
	default:
		century := (year + 99) / 100
		return &recordDate{century*100 - 99, century * 100, text(p.century, century)}
	}
}

// number writes a number in the digits of the language.
func number(v, language int) string {
	s := strconv.Itoa(v)
	if language != persian {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		b.WriteRune('۰' + c - '0')
	}
	return b.String()
}

// misspell makes one slip of the pen: two letters change places, one is lost, or one
// comes twice. The first letter stays.
func misspell(r *rng, s string) string {
	letters := []rune(s)
	if len(letters) < 4 {
		return s
	}
	for range 8 {
		i := r.in(1, len(letters)-2)
		if !unicode.IsLetter(letters[i]) || !unicode.IsLetter(letters[i+1]) || letters[i] == letters[i+1] {
			continue
		}
		out := make([]rune, 0, len(letters)+1)
		switch r.n(3) {
		case 0:
			out = append(append(out, letters[:i]...), letters[i+1], letters[i])
			out = append(out, letters[i+2:]...)
		case 1:
			out = append(append(out, letters[:i]...), letters[i+1:]...)
		default:
			out = append(append(out, letters[:i+1]...), letters[i:]...)
		}
		return string(out)
	}
	return s
}
