package feature

import "context"

// Item is one medium to be encoded: the bytes of a picture or a recording, or a text.
type Item struct {
	// Kind is "text", "image" or "audio".
	Kind string
	// MediaType is what the artifact says of Data, such as "image/jpeg"; it may be empty or wrong.
	MediaType string
	Data      []byte
	// Text is that of a text; Data is empty then.
	Text string
}

// Result is the answer to one item: a vector of the encoder's dimension, or why there is none. A
// *Refusal in Err's chain is permanent; after any other error the item may be tried again.
type Result struct {
	Vector []float32
	Err    error
}

// Encoder makes vectors of items. It may be called concurrently. It answers each item, in
// order, also when ctx ends.
type Encoder interface {
	Identity() Identity
	Encode(ctx context.Context, items []Item) []Result
}
