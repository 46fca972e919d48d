package demo

// Kind is what an artifact is.
type Kind string

// The kinds; their names are also their object's English type, loosely.
const (
	Textile   Kind = "textile"
	Page      Kind = "page"      // of a manuscript
	Codex     Kind = "codex"     // the manuscript
	Recording Kind = "recording" // of a song
	Entry     Kind = "entry"     // of a catalogue, without media
)

// Truth is what the archive knows of an artifact, and says in full only here.
// Names are those of the theme's labels and of the cultures; "" is none.
type Truth struct {
	Kind             Kind
	Culture          string
	Year             int
	Motif            string
	Mode             string // of the music
	Craft            string
	Belief           string
	BorrowedFrom     string // the culture that the motif came from, last
	ModeBorrowedFrom string // the same of the mode
	CopyOf           int    // ordinal of the original, or -1
	PartOf           int    // ordinal of the codex, or -1
}

// Describer returns a function that gives the truth behind an artifact, by its ordinal,
// which may lie beyond the archive's end. The function is safe for concurrent use.
func Describer(opt Options) func(ordinal int) Truth {
	w := newWriter(opt)
	return func(ordinal int) Truth {
		t := w.truth(ordinal)
		out := Truth{Kind: t.kind, Year: t.year, CopyOf: t.copyOf, PartOf: t.partOf, Culture: t.cultureName(t.culture),
			Craft: w.crafts[t.craft][english], Belief: w.beliefs[t.belief][english],
			BorrowedFrom: t.cultureName(t.motifFrom), ModeBorrowedFrom: t.cultureName(t.modeFrom)}
		if t.motif >= 0 {
			out.Motif = w.motifs[t.motif][english]
		}
		if t.mode >= 0 {
			out.Mode = w.modes[t.mode].name.latin
		}
		return out
	}
}

const none = -1

// truth is Truth in indexes.
type truth struct {
	w          *writer
	kind       Kind
	culture    int
	year       int
	motif      int
	motifFrom  int
	mode       int
	modeFrom   int
	craft      int
	belief     int
	object     int
	collection int
	copyOf     int
	partOf     int
}

func (t *truth) cultureName(c int) string {
	if c == none {
		return ""
	}
	return t.w.cultures[c].name.latin
}

// firstRecording is the year when songs began to be recorded.
const firstRecording = 1890

// codexEvery is how many ordinals hold one codex.
const codexEvery = 32

// codexOf is the ordinal of the codex among the ordinal's neighbours.
func (w *writer) codexOf(ordinal int) int {
	group := ordinal / codexEvery
	return group*codexEvery + stream(w.opt.Seed, group, forCodex).n(codexEvery)
}

// truth is the whole truth: an original's, or that of a copy of one.
func (w *writer) truth(ordinal int) truth {
	t := w.original(ordinal)
	if t.kind == Textile {
		w.makeCopy(ordinal, &t)
	}
	return t
}

// original does not look at other ordinals, but for a page's codex.
func (w *writer) original(ordinal int) truth {
	r := stream(w.opt.Seed, ordinal, forTruth)
	t := truth{w: w, motif: none, motifFrom: none, mode: none, modeFrom: none, copyOf: none, partOf: none}
	t.culture = r.n(len(w.cultures))
	c := &w.cultures[t.culture]
	t.year = r.in(c.from, c.to)
	lead := w.codexOf(ordinal)
	if ordinal == lead {
		t.kind = Codex
	} else {
		t.kind = [...]Kind{Textile, Page, Recording, Entry}[r.weighted(42, 22, 17, 19)]
	}
	if t.kind == Recording {
		t.year = r.in(firstRecording, c.to)
	}
	weights := make([]int, 0, 8)
	for _, c := range w.collections {
		if t.kind == Recording {
			weights = append(weights, c.sound)
		} else {
			weights = append(weights, c.weight)
		}
	}
	t.collection = r.weighted(weights...)
	if t.kind == Page {
		l := w.original(lead)
		t.culture, t.year, t.collection, t.partOf = l.culture, l.year, l.collection, lead
	}
	w.themes(&t, r)
	return t
}

// themes draws what the kind has of motif, mode, craft, belief and object.
func (w *writer) themes(t *truth, r *rng) {
	c := &w.cultures[t.culture]
	hasMotif, hasMode := true, false
	switch t.kind {
	case Textile, Entry:
		t.object = r.n(garment + 1)
		t.craft = r.n(inkDrawing)
		if r.chance(800) {
			t.craft = c.crafts[r.n(2)]
		}
	case Page, Codex:
		t.object = page
		if t.kind == Codex {
			t.object = codex
		}
		t.craft = inkDrawing + t.culture%2
		if r.chance(200) {
			t.craft = inkDrawing + r.n(2)
		}
		hasMode = r.chance(350)
	case Recording:
		t.object, t.craft = song, soloSong+t.culture%2
		if r.chance(200) {
			t.craft = soloSong + r.n(2)
		}
		hasMotif, hasMode = r.chance(300), true
	}
	if hasMotif {
		t.motif, t.motifFrom = repertoire(r, c.motifs, w.motifRoutes, t.culture, t.year)
	}
	if hasMode {
		t.mode, t.modeFrom = repertoire(r, []int{c.mode}, w.modeRoutes, t.culture, t.year)
	}
	switch t.belief = r.n(8); {
	case !r.chance(700):
	case t.motif != none:
		t.belief = motifBelief(t.motif)
	default:
		t.belief = t.mode
	}
}

// borrowedShare is how many of 1000 artifacts use a borrowed motif or mode, of
// those whose culture has one.
const borrowedShare = 400

// repertoire draws a label that the culture has in the year, and from whom it
// has it (none: native).
func repertoire(r *rng, native []int, routes []route, culture, year int) (label, from int) {
	var borrowed [8]*route
	n := 0
	for i := range routes {
		if routes[i].to == culture && routes[i].year <= year {
			borrowed[n] = &routes[i]
			n++
		}
	}
	if n > 0 && r.chance(borrowedShare) {
		b := borrowed[r.n(n)]
		return b.label, b.from
	}
	return pick(r, native), none
}

// copyShare is how many of 1000 textiles are copies of an earlier one.
const copyShare = 125

func (w *writer) copies(ordinal int) (*rng, bool) {
	r := stream(w.opt.Seed, ordinal, forCopy)
	return r, ordinal > 0 && r.chance(copyShare)
}

// makeCopy makes the textile a copy, if it is one. Only originals are copied,
// so that the truth of one artifact needs that of one other.
func (w *writer) makeCopy(ordinal int, t *truth) {
	r, is := w.copies(ordinal)
	for try := 0; is && try < 8; try++ {
		target := r.n(ordinal)
		from := w.original(target)
		if _, also := w.copies(target); from.kind != Textile || also {
			continue
		}
		*t = w.copied(r, t, &from)
		t.copyOf = target
		return
	}
}

// copied is the truth of a copy of from: made in a culture that has the motif
// from there, if there is one, else in the same; not before from.
func (w *writer) copied(r *rng, t, from *truth) truth {
	c := *t
	c.culture, c.motif, c.motifFrom, c.craft, c.belief = from.culture, from.motif, from.motifFrom, from.craft, from.belief
	since := from.year
	for i := range w.motifRoutes {
		way := &w.motifRoutes[i]
		if way.label == from.motif && way.from == from.culture && max(since, way.year) <= w.cultures[way.to].to && r.chance(600) {
			c.culture, c.motifFrom, since = way.to, way.from, max(since, way.year)
			break
		}
	}
	c.year = r.in(since, min(since+150, w.cultures[c.culture].to))
	return c
}

// related is an earlier artifact of the same motif (or mode, of a recording), or
// none: links that a curator would have set.
func (w *writer) related(ordinal int, t *truth) int {
	r := stream(w.opt.Seed, ordinal, forRelated)
	if ordinal == 0 || !r.chance(130) {
		return none
	}
	for range 24 {
		target := r.n(ordinal)
		o := w.truth(target)
		if target == t.copyOf || target == t.partOf {
			continue
		}
		if t.kind == Recording && o.mode == t.mode || t.kind != Recording && o.motif == t.motif {
			return target
		}
	}
	return none
}
