package publish

import (
	"crypto/rand"
	"strings"
)

// A writer is named by the UUID of its state, or, when the state was put back to an earlier one, by the UUID, a slash and a name
// of its own: so each message says by which life of which state it was written.

// NewWriter names a writer that has written nothing, of the same state.
func NewWriter(writer string) string { return stateOf(writer) + "/" + rand.Text() }

func stateOf(writer string) string {
	state, _, _ := strings.Cut(writer, "/")
	return state
}
