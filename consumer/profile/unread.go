package profile

import (
	"slices"
	"strings"
)

// unreadNames and unreadBytes bound what an artifact keeps of the names of fields that were not understood.
const (
	unreadNames = 16
	unreadBytes = 64
)

// unread notes the name of a field that was not understood. Names that begin with an underscore are left out: programs that copy
// records mark theirs so (__deleted, _id, __op), and nobody expects them to be read.
func (p *parser) unread(name string) {
	if strings.HasPrefix(name, "_") || len(name) > unreadBytes || len(p.a.Unread) >= unreadNames || slices.Contains(p.a.Unread, name) {
		return
	}
	p.a.Unread = append(p.a.Unread, name)
}

// names are those of an artifact's fields, see Artifact.
var names = []string{
	"id", "title", "description", "language", "digitized", "creator", "culture", "period", "dynasty", "reign", "style", "place", "material",
	"technique", "type", "subject", "collection", "date", "location", "media", "theme", "link",
}

// IsField is true for the names of an artifact's fields.
func IsField(name string) bool { return slices.Contains(names, name) }

// Suggest is the field that an unknown name was probably meant for: the one that differs by case, or by at most two letters (one in
// names of up to four). It is "" when there is none, or more than one as near.
func Suggest(name string) string {
	lower, best, least := strings.ToLower(name), "", 3
	if len(name) > unreadBytes {
		return ""
	}
	if len(name) <= 4 {
		least = 2
	}
	for _, field := range names {
		switch d := distance(lower, field); {
		case d < least:
			best, least = field, d
		case d == least:
			best = ""
		}
	}
	if best == name {
		return ""
	}
	return best
}

// distance is the least number of bytes to insert, remove and replace that makes b of a (Levenshtein, 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			replaced := before
			if a[i] != b[j] {
				replaced++
			}
			before = row[j+1]
			row[j+1] = min(replaced, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
