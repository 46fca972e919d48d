package consumer

import (
	"strings"

	"kilim/consumer/profile"
)

// keyID reads the artifact's id from a record's key: the key itself, or what
// converters make of it (a Schema Registry frame; a JSON string; a list of one, CockroachDB's primary key;
// an object with an id, with or without Connect's schema around).
func keyID(key []byte, lim profile.Limits) string {
	key = stripFrame(key)
	if len(key) < 2 {
		return string(key)
	}
	switch key[0] {
	case '"', '[':
		// Only a string that Object accepts as a field's value is one.
		f, r := profile.Object(append(append([]byte(`{"id":`), key...), '}'), lim)
		if r == nil {
			if id := profile.ID(f["id"]); id != "" && len(f) == 1 {
				return id
			}
		}
		return string(key)
	case '{':
	default:
		return string(key)
	}
	f, r := profile.Object(key, lim)
	if r != nil {
		return string(key)
	}
	if payload := f["payload"]; payload != nil && f["schema"] != nil {
		inner, r := profile.Object(payload, lim)
		if r != nil {
			if id := profile.ID(payload); id != "" {
				return id
			}
			return string(key)
		}
		f = inner
	}
	if id := rowID(f); id != "" {
		return id
	}
	return string(key)
}

// rowID is the id in a row or a key: id, or _id in a document of MongoDB; "" when there is none.
func rowID(f map[string][]byte) string {
	if id := documentID(f["id"]); id != "" {
		return id
	}
	return documentID(f["_id"])
}

// documentID reads an id as MongoDB's connectors write it too: in extended JSON ({"$oid": ...}, {"$numberLong": ...}),
// and in Debezium's keys as a string of that or of a quoted text.
func documentID(value []byte) string {
	if value == nil {
		return ""
	}
	if value[0] != '{' {
		id := profile.ID(value)
		if inner := strings.TrimSpace(id); strings.HasPrefix(inner, `{"$`) || len(inner) > 2 && inner[0] == '"' && inner[len(inner)-1] == '"' {
			if f, r := profile.Object([]byte(`{"id":`+inner+`}`), profile.Limits{}); r == nil && len(f) == 1 {
				if plain := extendedID(f["id"]); plain != "" {
					return plain
				}
			}
		}
		return id
	}
	return extendedID(value)
}

func extendedID(value []byte) string {
	if value[0] != '{' {
		return profile.ID(value)
	}
	f, r := profile.Object(value, profile.Limits{})
	if r != nil || len(f) != 1 {
		return ""
	}
	for _, name := range []string{"$oid", "$numberLong", "$numberInt"} {
		if id, ok := text(f[name]); ok {
			return id
		}
	}
	return ""
}
