package consumer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	id          string // what the envelope says of the artifact's id, "" when it says nothing
	traceParent string // when the envelope itself carried one
	op          string // of a Debezium event that came as a CloudEvent, which keeps it outside of the event
}

// maxLayers bounds how often one envelope may stand in another. Connect's around a CloudEvent around Connect's around a
// change event are four.
const maxLayers = 5

// unwrap takes the artifact's JSON out of whatever it came in, in any order: a Schema
// Registry frame; a CloudEvent (version 1, Kafka protocol binding, binary or
// structured); Connect's {"schema", "payload"}; a change event of Debezium or
// CockroachDB. What marks a row as deleted makes a deletion of it.
//
// An object is looked into only when no field of it, an id aside, is an artifact's, unless it has all that its kind of
// envelope must have: artifacts may have fields of their own with such names. What is not opened here and is no
// artifact either, profile.Parse refuses.
func unwrap(value []byte, headers []kafka.Header, lim profile.Limits) (content, *profile.Refusal) {
	c := content{json: stripFrame(value)}
	kind, _ := header(headers, "content-type")
	structured := isMedia(kind, "application/cloudevents")
	version, binary := header(headers, "ce_specversion")
	switch {
	case isMedia(kind, "application/cloudevents-batch"):
		return c, envelopeRefusal("content-type", kind, "batches of CloudEvents are not for Kafka")
	case structured && !isJSON(kind):
		return c, envelopeRefusal("content-type", kind, "want application/cloudevents+json")
	case !structured && binary:
		if !strings.HasPrefix(version, "1.") {
			return c, envelopeRefusal("ce_specversion", version, "want 1.x")
		}
		if kind != "" && !isJSON(kind) {
			return c, envelopeRefusal("content-type", kind, "want application/json")
		}
		c.op, _ = header(headers, "ce_iodebeziumop")
	}
	if structured {
		f, r := profile.Object(c.json, lim)
		if r == nil {
			r = c.openCloudEvent(f)
		}
		if r != nil {
			return c, r
		}
	}
	for range maxLayers {
		opened, r := c.open(lim)
		if r != nil || c.json == nil {
			return c, r
		}
		if !opened {
			return c, c.unopened(lim)
		}
	}
	return c, envelopeRefusal("record", string(c.json[:min(len(c.json), 200)]), "more than %d envelopes in one another", maxLayers)
}

// marks are fields without one of which an object is neither an envelope nor deleted. Most records have none of them,
// and are not looked into.
var marks = []string{"specversion", "payload", "before", "after", "database", deletedField, cockroachField}

// open opens one envelope.
func (c *content) open(lim profile.Limits) (opened bool, r *profile.Refusal) {
	marked := c.op != ""
	for _, name := range marks {
		marked = marked || has(c.json, name)
	}
	if !marked {
		return false, nil
	}
	f, r := profile.Object(c.json, lim)
	if r != nil {
		return false, nil // Parse will say what is wrong with it
	}
	switch {
	case isCloudEvent(f):
		return true, c.openCloudEvent(f)
	case isChange(f):
		return true, c.openChange(f, lim)
	case isDeleted(f, lim):
		c.json, c.id = nil, rowID(f)
		return true, nil
	case hasOnly(f, "id") && f["payload"] != nil:
		return true, c.openPayload(f)
	case hasOnly(f, "id", "type") && f["database"] != nil && f["table"] != nil:
		// Maxwell and Canal have a type, as artifacts have.
		return false, envelopeRefusal("record", string(c.json), "a change of Maxwell or Canal: want the row itself, or Debezium's form")
	}
	return false, nil
}

func envelopeRefusal(field, value, format string, args ...any) *profile.Refusal {
	return profile.Refuse(profile.ReasonBadEnvelope, field, value, format, args...)
}

func has(b []byte, field string) bool { return bytes.Contains(b, []byte(`"`+field+`"`)) }

// hasOnly is true when of an artifact's fields there are none but those.
func hasOnly(f map[string][]byte, fields ...string) bool {
next:
	for name := range f {
		for _, field := range fields {
			if name == field {
				continue next
			}
		}
		if profile.IsField(name) {
			return false
		}
	}
	return true
}

// mediaType is a content type without its parameters, in lower case (RFC 2045, section 5.1); "" for what is none.
func mediaType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return ""
	}
	return t
}

// isMedia is true for the media type base, with any suffix and parameters.
func isMedia(contentType, base string) bool {
	t, _, _ := strings.Cut(mediaType(contentType), "+")
	return t == base
}

func isJSON(contentType string) bool {
	t := mediaType(contentType)
	return strings.HasSuffix(t, "/json") || strings.HasSuffix(t, "+json")
}

// isCloudEvent is true for an object that is a structured CloudEvent though no header says so: with all of the required
// attributes, and with data or nothing of an artifact's beside them.
func isCloudEvent(f map[string][]byte) bool {
	for _, name := range []string{"specversion", "id", "source", "type"} {
		if _, ok := text(f[name]); !ok {
			return false
		}
	}
	return f["data"] != nil || f["data_base64"] != nil || hasOnly(f, "id", "type", "subject")
}

// openCloudEvent opens a structured CloudEvent.
func (c *content) openCloudEvent(f map[string][]byte) *profile.Refusal {
	data, hasData := f["data"]
	encoded, hasEncoded := f["data_base64"]
	version, isString := text(f["specversion"])
	if !isString || !strings.HasPrefix(version, "1.") {
		return envelopeRefusal("specversion", string(f["specversion"]), "want 1.x")
	}
	if kind, ok := text(f["datacontenttype"]); ok && !isJSON(kind) {
		return envelopeRefusal("datacontenttype", kind, "want application/json")
	}
	c.traceParent, _ = text(f["traceparent"])
	c.op, _ = text(f["iodebeziumop"])
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

// openPayload opens what Connect's JsonConverter writes with its schema, and what CockroachDB and others write
// without one. An empty payload is a deletion only where Connect's form says that it is the record's value.
func (c *content) openPayload(f map[string][]byte) *profile.Refusal {
	_, withSchema := f["schema"]
	switch payload := f["payload"]; {
	case !isNull(payload):
		c.json = object(payload)
	case withSchema && len(f) == 2:
		c.json = nil
	default:
		return envelopeRefusal("payload", "null", "an envelope without content")
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

// object is a value, or the object that stands in it as a string of JSON, as MongoDB's documents do.
func object(b []byte) []byte {
	if s, ok := text(b); ok && strings.HasPrefix(strings.TrimSpace(s), "{") {
		return []byte(s)
	}
	return b
}
