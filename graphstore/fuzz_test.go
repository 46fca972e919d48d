package graphstore

import (
	"bytes"
	"testing"
	"time"
)

// rowCodecs are the kinds of rows, each by a function that decodes one and encodes it again.
var rowCodecs = []struct {
	name  string
	again func([]byte) ([]byte, error)
}{
	{"detail", func(b []byte) ([]byte, error) { d, err := decodeDetail(b); return encoded(d, err, encodeDetail) }},
	{"doc", func(b []byte) ([]byte, error) { d, err := decodeDoc(b); return encoded(d, err, encodeDoc) }},
	{"number", func(b []byte) ([]byte, error) { n, err := decodeNumber(b); return encoded(n, err, encodeNumber) }},
	{"push", func(b []byte) ([]byte, error) { p, err := decodePush(1, b); return encoded(p, err, encodePush) }},
	{"state", func(b []byte) ([]byte, error) { s, err := decodeState(b); return encoded(s, err, encodeState) }},
	{"media", func(b []byte) ([]byte, error) { m, err := decodeMedia(1, b); return encoded(m, err, encodeMedia) }},
	{"vector", func(b []byte) ([]byte, error) {
		encoder, vec, err := decodeVector(b)
		return encoded(vec, err, func(vec []float32) []byte { return encodeVector(encoder, vec) })
	}},
	{"terms", func(b []byte) ([]byte, error) { t, err := decodeTerms(nil, b); return encoded(t, err, encodeTerms) }},
	{"label", func(b []byte) ([]byte, error) {
		text, count, err := decodeLabel(b)
		return encoded(text, err, func(text string) []byte { return encodeLabel(text, count) })
	}},
	{"message", func(b []byte) ([]byte, error) {
		m, err := decodeMessage(1, b)
		return encoded(m, err, func(m OutboxEntry) []byte { return encodeMessage(m.Time, m.Value) })
	}},
	{"blob", func(b []byte) ([]byte, error) { v, err := decodeBlob(b); return encoded(v, err, encodeBlob) }},
	{"chunk", func(b []byte) ([]byte, error) {
		ops, err := decodeChunk(nil, b)
		return encoded(ops, err, func(ops []op) []byte { return encodeChunk(ops, len(b)) })
	}},
}

func encoded[T any](v T, err error, encode func(T) []byte) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return encode(v), nil
}

// FuzzRows: a damaged row of any kind is refused or is a row of that kind, which is the same when it is written and read again.
func FuzzRows(f *testing.F) {
	for kind, row := range [][]byte{
		encodeDetail(&detail{[]string{"a", "b"}, []string{"c"}}),
		encodeDoc(&Doc{ID: "x", Timestamp: time.Unix(1, 2), Evidence: []byte("e")}),
		encodeNumber(1 << 40),
		encodePush(Push{Weight: 1}),
		encodeState(&state{nextSeq: 9, nextDelta: 4}),
		encodeMedia(&Media{State: MediaEncoded, Encoder: "e", Detail: "d"}),
		encodeVector("e", []float32{1, 2}),
		encodeTerms([]termCount{{5, 1}, {70000, -2}}),
		encodeLabel("Ming", 3),
		encodeMessage(time.Unix(1, 2), []byte("m")),
		encodeBlob([]byte("b")),
		encodeChunk([]op{{[]byte("k"), []byte("v")}, {[]byte("gone"), nil}}, 10),
	} {
		f.Add(uint8(kind), row)
	}
	f.Fuzz(func(t *testing.T, kind uint8, row []byte) {
		codec := rowCodecs[int(kind)%len(rowCodecs)]
		once, err := codec.again(row)
		if err != nil {
			return
		}
		twice, err := codec.again(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s: %x became %x, then %x (%v)", codec.name, row, once, twice, err)
		}
	})
}
