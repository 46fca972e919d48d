package graphstore

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ID derives a node's identity from its type and key alone: the first 8 bytes,
// big endian, of SHA-256(type name, 0x00, key). Two keys with the same id are
// told apart when the second is put: see ErrCollision and KeyCheck.
func ID(t Type, key string) NodeID {
	name := t.String()
	b := make([]byte, 0, 128)
	b = append(b, name...)
	b = append(b, 0)
	b = append(b, key...)
	sum := sha256.Sum256(b)
	return NodeID(binary.BigEndian.Uint64(sum[:8]))
}

// NormalizeLabel is the key of an entity that is known by its label only:
// Unicode NFKC, case folded, leading and trailing space removed and inner
// space collapsed to one blank. It is idempotent.
func NormalizeLabel(s string) string {
	// Folding may leave a string that NFKC changes, and NFKC may make spaces, so
	// go on to the fixed point: nearly always one round more. The bound is for
	// input made to go round in circles.
	for range 8 {
		next := normalizeOnce(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

func normalizeOnce(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }); i < 0 {
		return normalizeASCII(s)
	}
	return normalizeAny(s)
}

// normalizeASCII is normalizeAny of a string that NFKC leaves as it is, without Unicode's tables: most labels are such.
func normalizeASCII(s string) string {
	s = strings.ToLower(s)
	blank := true // before s[i]: a blank there is one too many
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' && blank || c >= '\t' && c <= '\r':
			return strings.Join(strings.Fields(s), " ")
		default:
			blank = c == ' '
		}
	}
	return strings.TrimSuffix(s, " ")
}

func normalizeAny(s string) string {
	s = norm.NFKC.String(s)
	s = cases.Fold().String(s)
	return strings.Join(strings.Fields(norm.NFKC.String(s)), " ")
}
