package profile

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Reasons for which a record is refused. They are values of a metric's label
// and of a dead letter's header: few, and fixed.
const (
	ReasonTooLarge        = "too_large"           // over a limit in bytes
	ReasonTooMany         = "too_many"            // a list over its limit, all of them together over that of edges, or names of encoders over that of the state
	ReasonTooDeep         = "too_deep"            // nested over the limit
	ReasonNotUTF8         = "not_utf8"            // bytes that are not UTF-8, or a lone surrogate
	ReasonNotJSON         = "not_json"            // not one JSON value
	ReasonNotObject       = "not_object"          // JSON, but not an object
	ReasonNoFields        = "no_fields"           // an object of which no field but the id is an artifact's
	ReasonDuplicateField  = "duplicate_field"     // a field given twice
	ReasonWrongType       = "wrong_type"          // a field of another JSON type
	ReasonOutOfRange      = "out_of_range"        // a number outside of its range
	ReasonNoID            = "no_id"               // neither id nor key
	ReasonBadID           = "bad_id"              // blank, too long, or with control characters
	ReasonIDMismatch      = "id_mismatch"         // id and key differ
	ReasonMediaKind       = "media_kind"          // a media item of no known kind
	ReasonMediaEmpty      = "media_empty"         // a media item without content
	ReasonBadBase64       = "bad_base64"          // data that can't be decoded
	ReasonNoEncoder       = "no_encoder"          // an embedding of an unnamed encoder
	ReasonEmbeddingRange  = "embedding_range"     // a value that float32 can't hold, or a vector without a direction
	ReasonEmbeddingLength = "embedding_dimension" // not its encoder's dimension
	ReasonBadLink         = "bad_link"            // a link without type or target, or to itself
	ReasonBadEnvelope     = "bad_envelope"        // an envelope that can't be opened
	ReasonPanic           = "panic"               // the record made the code panic
	ReasonUnprocessable   = "unprocessable"       // the record made its unit of work fail, or ended the process
)

// Reasons lists all reasons of this package, for whoever counts by them.
func Reasons() []string {
	return []string{
		ReasonTooLarge, ReasonTooMany, ReasonTooDeep, ReasonNotUTF8, ReasonNotJSON, ReasonNotObject, ReasonNoFields,
		ReasonDuplicateField, ReasonWrongType, ReasonOutOfRange, ReasonNoID, ReasonBadID, ReasonIDMismatch,
		ReasonMediaKind, ReasonMediaEmpty, ReasonBadBase64, ReasonNoEncoder, ReasonEmbeddingRange,
		ReasonEmbeddingLength, ReasonBadLink, ReasonBadEnvelope, ReasonPanic, ReasonUnprocessable,
	}
}

// Refusal says why a record was refused. It is an error.
type Refusal struct {
	Reason string // one of the Reason constants
	Field  string // a path such as media[2].embedding[17]; "record" or "key" for the whole
	Value  string // the offending value, shortened, always valid UTF-8
	Detail string // for people
}

func (r *Refusal) Error() string {
	s := r.Reason + ": " + r.Field
	if r.Value != "" {
		s += " " + r.Value
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// Refuse makes a Refusal, shortening the value.
func Refuse(reason, field, value, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Field: field, Value: shorten(value), Detail: fmt.Sprintf(format, args...)}
}

const valueBytes = 80

// shorten keeps the beginning of a value. Bytes that are not text are quoted,
// so that a dead letter's header and a log line stay readable.
func shorten(s string) string {
	cut := len(s) > valueBytes
	if cut {
		n := valueBytes
		for n > valueBytes-utf8.UTFMax && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	for _, r := range s {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			s = strconv.Quote(s)
			break
		}
	}
	if cut {
		s += "..."
	}
	return s
}
