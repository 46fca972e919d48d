package stored

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// slugBytes is how much of a theme's name a topic's has.
const slugBytes = 64

// Topic is where the lists of a theme go: the topic of the other lists, a dot, and the theme's name, as it is if it consists of small letters, digits and
// single hyphens. Of any other name that is what is left, and a checksum, so that no two themes have one topic. (A name that ends as if it had one gets one
// too.)
func Topic(similar, theme string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(theme) {
		switch {
		case b.Len() == slugBytes:
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := strings.TrimSuffix(b.String(), "-")
	if slug == theme && slug != "" && !checked(slug) {
		return similar + "." + slug
	}
	sum := sha256.Sum256([]byte(theme))
	if slug != "" {
		slug += "-"
	}
	return similar + "." + slug + hex.EncodeToString(sum[:sumBytes])
}

// sumBytes of a checksum are in the name of a topic.
const sumBytes = 4

// checked tells whether a name is, or ends in, what may be a checksum.
func checked(slug string) bool {
	last := slug[strings.LastIndexByte(slug, '-')+1:]
	_, err := hex.DecodeString(last)
	return len(last) == 2*sumBytes && err == nil
}
