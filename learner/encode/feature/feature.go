package feature

import (
	"errors"
	"fmt"
	"math"
)

// Identity names an encoder: vectors of encoders with equal identities can be
// compared, others cannot and are never mixed.
type Identity struct {
	Name    string
	Version int // of the algorithm with its constants, or of the model behind a server
	Dim     int // coordinates of a vector; 0 for Spellings
}

// Spellings is the place of a user's spellings among the identities of encoders by modality. They have no vectors of their own, but
// the built-in encoder reads all words by them.
const Spellings = "spellings"

func (id Identity) String() string {
	if id.Dim == 0 {
		return fmt.Sprintf("%s v%d", id.Name, id.Version)
	}
	return fmt.Sprintf("%s v%d, %d numbers", id.Name, id.Version, id.Dim)
}

// Reasons of a Refusal. They are few, so that they can label a metric.
const (
	ReasonEmpty         = "empty"           // no bytes, or no text
	ReasonUnknownFormat = "unknown_format"  // the bytes are of no format that this encoder reads
	ReasonUnsupported   = "unsupported"     // the format's, but a variant that is not read
	ReasonCorrupt       = "corrupt"         // broken or cut off
	ReasonTooManyPixels = "too_many_pixels" // a picture larger than allowed, seen in its header
	ReasonTooManyBytes  = "too_many_bytes"  // larger than allowed
	ReasonTooShort      = "too_short"       // less sound than one analysis window
	ReasonNotAllowed    = "not_allowed"     // configuration forbids to fetch it
	ReasonNotFound      = "not_found"       // it is not where the artifact says
	ReasonRejected      = "rejected"        // an encoder server will not take it
)

// Reasons are all of them.
func Reasons() []string {
	return []string{
		ReasonEmpty, ReasonUnknownFormat, ReasonUnsupported, ReasonCorrupt, ReasonTooManyPixels, ReasonTooManyBytes,
		ReasonTooShort, ReasonNotAllowed, ReasonNotFound, ReasonRejected,
	}
}

// Refusal is the permanent answer to an item that cannot be encoded: the same
// bytes will be refused again. It is an error.
type Refusal struct {
	Reason string // one of the Reason constants
	Detail string // for people
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return r.Reason
	}
	return r.Reason + ": " + r.Detail
}

// Refuse makes a Refusal.
func Refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// AsRefusal finds the Refusal in an error's chain.
func AsRefusal(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}

// Unreachable is the error of a host that does not answer, or asks to be left alone.
type Unreachable struct{ Err error }

func (u *Unreachable) Error() string { return u.Err.Error() }

// Unwrap returns what the host was found to do.
func (u *Unreachable) Unwrap() error { return u.Err }

// Centre subtracts the mean of v from its coordinates. The cosine of centred
// vectors is their correlation: histograms, which have no negative entries and
// therefore all look alike to a cosine, are told apart by it.
func Centre(v []float32) {
	if len(v) == 0 {
		return
	}
	var sum float64
	for _, x := range v {
		sum += float64(x)
	}
	mean := float32(sum / float64(len(v)))
	for i := range v {
		v[i] -= mean
	}
}

// Scale brings v to the given length. The zero vector stays, and one of noise
// only (shorter than 1e-9) becomes it.
func Scale(v []float32, length float64) {
	var squared float64
	for _, x := range v {
		squared += float64(x) * float64(x)
	}
	f := 0.0
	if squared > 1e-18 {
		f = length / math.Sqrt(squared)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) * f)
	}
}

// Root replaces each count by its square root, with its sign. The cosine of
// rooted histograms is their Bhattacharyya coefficient, in which a few large
// bins do not drown the rest.
func Root(v []float32) {
	for i, x := range v {
		v[i] = float32(math.Copysign(math.Sqrt(math.Abs(float64(x))), float64(x)))
	}
}
