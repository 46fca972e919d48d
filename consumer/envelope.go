package consumer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"strings"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/profile"
)

// framed is the length of the Confluent Schema Registry's frame: a zero, which
// no JSON begins with, and the schema's id in four bytes.
const framed = 5

func stripFrame(b []byte) []byte {
	if len(b) >= framed && b[0] == 0 {
		return b[framed:]
	}
	return b
}

// header gives the value of the first header of that name. Names are compared
// without case: HTTP bridges change it.
func header(headers []kafka.Header, name string) (string, bool) {
	for i := range headers {
		if strings.EqualFold(headers[i].Key, name) {
			return string(headers[i].Value), true
		}
	}
	return "", false
}

// content is what an envelope held.
type content struct {
	json        []byte // the artifact; nil: a deletion
	id          string // of a deletion, "" when only the key can say it
	traceParent string // when the envelope itself carried one
}

// unwrap takes the artifact's JSON out of whatever it came in: a Schema
// Registry frame; a CloudEvent (version 1, Kafka protocol binding, binary or
// structured); Connect's {"schema", "payload"}; a Debezium change event.
// They may be nested in this order.
func unwrap(value []byte, headers []kafka.Header, lim profile.Limits) (content, *profile.Refusal) {
	c := content{json: stripFrame(value)}
	kind, _ := header(headers, "content-type")
	structured := isMedia(kind, "application/cloudevents")
	version, binary := header(headers, "ce_specversion")
	switch {
	case isMedia(kind, "application/cloudevents-batch"):
		return c, envelopeRefusal("content-type", kind, "batches of CloudEvents are not for Kafka")
	case structured && !strings.Contains(kind, "json"):
		return c, envelopeRefusal("content-type", kind, "want application/cloudevents+json")
	case !structured && binary:
		if !strings.HasPrefix(version, "1.") {
			return c, envelopeRefusal("ce_specversion", version, "want 1.x")
		}
		if kind != "" && !isJSON(kind) {
			return c, envelopeRefusal("content-type", kind, "want application/json")
		}
	}
	// Only what can be an envelope is looked into: most records are none.
	if structured || (!binary && has(c.json, "specversion")) {
		if r := c.openCloudEvent(lim, structured); r != nil {
			return c, r
		}
	}
	if has(c.json, "payload") {
		if r := c.openConnect(lim); r != nil {
			return c, r
		}
	}
	if has(c.json, "op") {
		if r := c.openDebezium(lim); r != nil {
			return c, r
		}
	}
	return c, nil
}

func envelopeRefusal(field, value, format string, args ...any) *profile.Refusal {
	return profile.Refuse(profile.ReasonBadEnvelope, field, value, format, args...)
}

func has(b []byte, field string) bool { return bytes.Contains(b, []byte(`"`+field+`"`)) }

// isMedia is true for the media type base, with any suffix and parameters.
func isMedia(contentType, base string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	t, _, _ = strings.Cut(t, "+")
	return t == base
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasSuffix(t, "/json") || strings.HasSuffix(t, "+json"))
}

// openCloudEvent opens a structured CloudEvent. declared: the content type
// says that it is one; otherwise it must look like one in every respect.
func (c *content) openCloudEvent(lim profile.Limits, declared bool) *profile.Refusal {
	f, r := profile.Object(c.json, lim)
	if r != nil {
		if declared {
			return r
		}
		return nil // Parse will say what is wrong with it
	}
	data, hasData := f["data"]
	encoded, hasEncoded := f["data_base64"]
	version, isString := text(f["specversion"])
	if !declared && !(isString && (hasData || hasEncoded) && f["source"] != nil && f["type"] != nil && f["id"] != nil) {
		return nil
	}
	if !isString || !strings.HasPrefix(version, "1.") {
		return envelopeRefusal("specversion", string(f["specversion"]), "want 1.x")
	}
	if kind, ok := text(f["datacontenttype"]); ok && !isJSON(kind) {
		return envelopeRefusal("datacontenttype", kind, "want application/json")
	}
	c.traceParent, _ = text(f["traceparent"])
	switch {
	case hasData && hasEncoded:
		return envelopeRefusal("data", "", "both data and data_base64")
	case hasEncoded:
		s, _ := text(encoded)
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(b) == 0 {
			return profile.Refuse(profile.ReasonBadBase64, "data_base64", s, "not base64 of JSON")
		}
		c.json = b
	case hasData && !isNull(data):
		c.json = data
	default:
		return envelopeRefusal("data", "", "an event without data")
	}
	return nil
}

// openConnect opens what Connect's JsonConverter writes with its schema.
func (c *content) openConnect(lim profile.Limits) *profile.Refusal {
	f, r := profile.Object(c.json, lim)
	if r != nil || len(f) != 2 || f["schema"] == nil || f["payload"] == nil {
		return nil
	}
	c.json = f["payload"]
	if isNull(c.json) {
		c.json = nil
	}
	return nil
}

// isDebezium is true for the fields that a change event may have. An artifact
// with a field named op has others beside, and is not taken for one.
func isDebezium(field string) bool {
	switch field {
	case "before", "after", "op", "source", "transaction", "ts_ms", "ts_us", "ts_ns":
		return true
	}
	return false
}

func (c *content) openDebezium(lim profile.Limits) *profile.Refusal {
	f, r := profile.Object(c.json, lim)
	if r != nil || f["op"] == nil || (f["after"] == nil && f["before"] == nil) {
		return nil
	}
	for name := range f {
		if !isDebezium(name) {
			return nil
		}
	}
	op, _ := text(f["op"])
	switch op {
	case "c", "u", "r":
		if isNull(f["after"]) {
			return envelopeRefusal("after", "", "a change without its row")
		}
		c.json = f["after"]
	case "d":
		c.json = nil
		if before, r := profile.Object(f["before"], lim); r == nil {
			c.id, _ = text(before["id"])
		}
	default:
		return envelopeRefusal("op", string(f["op"]), "want c, u, r or d")
	}
	return nil
}

func isNull(b []byte) bool { return b == nil || bytes.Equal(b, []byte("null")) }

// text reads a JSON string that profile.Object has checked.
func text(b []byte) (string, bool) {
	var s string
	if len(b) == 0 || b[0] != '"' || json.Unmarshal(b, &s) != nil {
		return "", false
	}
	return s, true
}

// keyID reads the artifact's id from a record's key: the key itself, or what
// converters make of it (a Schema Registry frame, a JSON string, an object with
// an id, with or without Connect's schema around).
func keyID(key []byte, lim profile.Limits) string {
	key = stripFrame(key)
	if len(key) < 2 || (key[0] != '{' && key[0] != '"') {
		return string(key)
	}
	if key[0] == '"' {
		if r, ok := text(key); ok {
			return r
		}
		return string(key)
	}
	f, r := profile.Object(key, lim)
	if r != nil {
		return string(key)
	}
	if inner, r := profile.Object(f["payload"], lim); r == nil && f["schema"] != nil {
		f = inner
	} else if s, ok := text(f["payload"]); ok && f["schema"] != nil {
		return s
	}
	if s, ok := text(f["id"]); ok {
		return s
	}
	return string(key)
}
