package tree

import (
	"fmt"
	"io"
)

// Bounded reads no more than a bound between two calls of Reset. Decoders of XML and CSV hold an element or a row whole
// before they give it away: without the bound, one of a gigabyte, or a quote that is never closed, would be all in memory.
type Bounded struct {
	in         io.Reader
	most, left int
}

// NewBounded returns a reader of in that reads at most so many bytes a record.
func NewBounded(in io.Reader, most int) *Bounded { return &Bounded{in: in, most: most, left: most} }

// Reset begins a record.
func (b *Bounded) Reset() { b.left = b.most }

// TooLong is the error of a record that is longer than what is read of one.
type TooLong struct{ Most int }

func (t *TooLong) Error() string { return fmt.Sprintf("a record of more than %d MiB", t.Most>>20) }

func (b *Bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &TooLong{b.most}
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
