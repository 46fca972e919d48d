package profile

import "strings"

// Term is a catalogue value: a label, an identifier (a URI), or both.
// In JSON it is a string (the label) or {"id": ..., "label": ...}.
type Term struct {
	ID    string // without white space at its ends
	Label string // "" when it is blank
}

// Text is what a person would read: the label, or the identifier of a term
// that has no label.
func (t Term) Text() string {
	if t.Label != "" {
		return t.Label
	}
	return t.ID
}

// Date is a span of years, astronomical reckoning is not assumed: -500 is
// what the archive calls 500 BC. A nil bound is not known.
// When both bounds are known, *Begin <= *End.
type Date struct {
	Begin, End *float64 // years, within ±Limits.Year
	Text       string
}

// Kinds of Media.
const (
	Text  = "text"
	Image = "image"
	Audio = "audio"
)

// Media is one digitized item of an artifact. At least one of URI, Data,
// Text and Embedding is present.
type Media struct {
	Kind      string // Text, Image or Audio
	URI       string
	Data      []byte // decoded from base64
	Text      string
	MediaType string // an IANA media type, not checked
	Language  string
	Embedding []float32 // of length 1
	Encoder   string    // names the encoder of Embedding; never empty beside one
}

// Link points from an artifact to another one, which need not exist yet.
type Link struct {
	Type   string
	Target string // an artifact's id
}

// Location is a point on the WGS 84 ellipsoid, in degrees.
type Location struct {
	Lat float64 // -90..90
	Lon float64 // -180..180
}

// Artifact is one record of an archive.
type Artifact struct {
	ID          string // 1..Limits.IDBytes bytes of UTF-8 without control characters
	Title       string
	Description string
	Language    string

	Creator    []Term
	Culture    []Term
	Period     []Term
	Dynasty    []Term
	Reign      []Term
	Style      []Term
	Place      []Term
	Material   []Term
	Technique  []Term
	Type       []Term
	Subject    []Term
	Collection []Term

	Date      *Date
	Digitized string // as received
	Location  *Location
	Media     []Media
	Theme     map[string][]string // theme name to labels
	Link      []Link

	// Unread are the names of fields that stand in the record and were not understood: those that no artifact has, and
	// "date" when one of its years is no year. At most unreadNames of them; they do no harm, but whoever
	// sent them may have meant something else, see Suggest.
	Unread []string

	// Raw is the artifact's JSON as received (after unwrapping), unknown
	// fields included. It shares memory with what was given to Parse.
	// Parse(Raw, ID, limits) gives the same artifact again.
	Raw []byte
}

// Blank is true for an artifact that says nothing about itself: no words, terms, media, links, date or place.
func (a *Artifact) Blank() bool {
	return strings.TrimSpace(a.Title+a.Description) == "" && a.edges() == 0 && a.Date == nil && a.Location == nil
}

// edges is how many the graph is asked for, at most.
func (a *Artifact) edges() int {
	n := len(a.Media) + len(a.Link)
	for _, terms := range [...][]Term{
		a.Creator, a.Culture, a.Period, a.Dynasty, a.Reign, a.Style, a.Place, a.Material, a.Technique, a.Type, a.Subject, a.Collection,
	} {
		n += len(terms)
	}
	if a.Date != nil {
		n += 2 // the decades of both ends
	}
	return n
}
