package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"kilim/learner/encode/feature"
)

// medium is an item of an HTTP server that is not a text.
type medium struct {
	MediaType string `json:"media_type,omitempty"`
	Data      []byte `json:"data"`
}

// body is the request's.
func body(c *Config, items []feature.Item) ([]byte, error) {
	texts := make([]string, len(items))
	for i := range items {
		texts[i] = items[i].Text
	}
	switch c.Kind {
	case OpenAI:
		return json.Marshal(struct {
			Model  string   `json:"model"`
			Input  []string `json:"input"`
			Format string   `json:"encoding_format"`
		}{c.Model, texts, "float"})
	case TEI:
		return json.Marshal(struct {
			Inputs   []string `json:"inputs"`
			Truncate bool     `json:"truncate"`
		}{texts, true})
	case Ollama:
		return json.Marshal(struct {
			Model    string   `json:"model"`
			Input    []string `json:"input"`
			Truncate bool     `json:"truncate"`
		}{c.Model, texts, true})
	}
	request := struct {
		Kind  string `json:"kind"`
		Model string `json:"model"`
		Items any    `json:"items"`
	}{c.Modality, c.Model, texts}
	if c.Modality != "text" {
		media := make([]medium, len(items))
		for i := range items {
			media[i] = medium{items[i].MediaType, items[i].Data}
		}
		request.Items = media
	}
	return json.Marshal(request)
}

// replyBytes bounds the reply to so many items. A number takes some 20 bytes, and a
// generous printer doubles that.
func replyBytes(dim, items int) int64 { return 64<<10 + int64(items)*(1<<10+int64(dim)*64) }

// vectors picks the vectors of n items from a reply, not yet read. An error means that
// none of it can be used.
func vectors(kind string, reply []byte, n int) ([]json.RawMessage, error) {
	var out []json.RawMessage
	var err error
	switch kind {
	case OpenAI:
		return indexed(reply, n)
	case TEI:
		err = json.Unmarshal(reply, &out)
	default:
		var r struct {
			Embeddings []json.RawMessage `json:"embeddings"`
		}
		err = json.Unmarshal(reply, &r)
		out = r.Embeddings
	}
	if err != nil {
		return nil, fmt.Errorf("reply: %w", err)
	}
	if len(out) != n {
		return nil, fmt.Errorf("reply: %d vectors for %d items", len(out), n)
	}
	return out, nil
}

// indexed reads an OpenAI server's reply, whose vectors say which item is theirs.
func indexed(reply []byte, n int) ([]json.RawMessage, error) {
	var r struct {
		Data []struct {
			Index     *int            `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(reply, &r); err != nil {
		return nil, fmt.Errorf("reply: %w", err)
	}
	if len(r.Data) != n {
		return nil, fmt.Errorf("reply: %d vectors for %d items", len(r.Data), n)
	}
	out := make([]json.RawMessage, n)
	for i, d := range r.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= n || out[at] != nil {
			return nil, fmt.Errorf("reply: index %d of vector %d is of no item, or given twice, of %d", at, i, n)
		}
		if out[at] = d.Embedding; out[at] == nil {
			out[at] = json.RawMessage{}
		}
	}
	return out, nil
}

// vector reads one vector and brings it to length 1. raw is JSON; an unfinite number, which
// JSON has not, is a null there.
func vector(raw json.RawMessage, dim int) ([]float32, error) {
	inner, ok := bytes.CutPrefix(bytes.TrimSpace(raw), []byte("["))
	if !ok {
		return nil, fmt.Errorf("vector: %s, want an array of %d numbers", shown(raw), dim)
	}
	inner = bytes.TrimSpace(bytes.TrimSuffix(inner, []byte("]")))
	n := 0
	if len(inner) > 0 {
		n = bytes.Count(inner, []byte(",")) + 1
	}
	if n != dim {
		return nil, fmt.Errorf("vector of %d numbers, the configured dimension is %d", n, dim)
	}
	out := make([]float32, 0, dim)
	var squared float64
	for text := range bytes.SplitSeq(inner, []byte(",")) {
		text = bytes.TrimSpace(text)
		x, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !(math.Abs(x) <= math.MaxFloat32) {
			return nil, fmt.Errorf("vector: number %d is %s, want a finite number", len(out), shown(text))
		}
		out = append(out, float32(x))
		squared += x * x
	}
	length := math.Sqrt(squared)
	if length < 1e-9 {
		return nil, fmt.Errorf("vector: all of its %d numbers are zero", dim)
	}
	for i, x := range out {
		out[i] = float32(float64(x) / length)
	}
	return out, nil
}

// shown is the start of what a server sent, for people.
func shown(text []byte) string {
	const most = 200
	if len(text) > most {
		return strconv.Quote(string(text[:most])) + "…"
	}
	return strconv.Quote(string(text))
}
