package hostile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
)

// headers are many, long, binary, or those that kilim writes itself.
func headers(g *Generator, r *Record) {
	r.Fate = Applied
	g.send(r, `"title":`+quote(g.words(3)), `"material":["wool"]`)
	n := g.size(400_000)
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	add := func(name, value string) { r.Headers = append(r.Headers, header(name, value)) }
	pick(g,
		func() { r.Note = "a trace context"; add("traceparent", trace) },
		func() {
			r.Note = fmt.Sprintf("a trace context of %d bytes", n)
			add("traceparent", trace+strings.Repeat("0", n))
		},
		func() { r.Note = "a trace context that is none"; add("ce_traceparent", string(g.bytes(55))) },
		func() {
			many := g.size(5000)
			r.Note = fmt.Sprintf("%d headers", many)
			for i := range many {
				add(fmt.Sprintf("h%d", i%700), g.word())
			}
		},
		func() { r.Note = fmt.Sprintf("a header of %d bytes", n); add("blob", string(g.bytes(n))) },
		func() { r.Note = fmt.Sprintf("a name of %d bytes", n); add(strings.Repeat("n", n), "v") },
		func() { r.Note = "a header without a name"; add("", ""); add("", "x") },
		func() { r.Note = "a binary name"; add("\x00\xff\n", "\x00") },
		func() {
			r.Note = "headers of a dead letter"
			for _, name := range []string{"topic", "partition", "offset", "exception.class.name", "exception.message"} {
				add("__connect.errors."+name, pick(g, "0", "x", strings.Repeat("y", n)))
			}
		},
		func() {
			r.Note = "headers of kilim's"
			add("kilim_writer", "x")
			add("kilim_seq", "1")
			add("kilim_seq", "99999999999999999999")
		},
	)()
	if g.one(4) { // a dead letter has all of them
		r.Note += ", refused"
		r.Fate, r.Reason, r.Artifact, r.ID = Refused, "not_json", nil, ""
		r.Value = []byte(`{"title":`)
		r.Headers = withoutEvents(r.Headers)
	}
}

// withoutEvents are the headers but those of a CloudEvent.
func withoutEvents(all []kafka.Header) []kafka.Header {
	return slices.DeleteFunc(all, func(h kafka.Header) bool {
		return h.Key == "content-type" || strings.HasPrefix(h.Key, "ce_") && h.Key != "ce_traceparent"
	})
}
