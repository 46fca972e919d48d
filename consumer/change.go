package consumer

import (
	"bytes"
	"regexp"

	"kilim/consumer/profile"
)

// The fields by which a row says that it is deleted: that of Debezium's ExtractNewRecordState with rewritten deletes, which
// feeds use too, and CockroachDB's metadata beside the columns of a bare envelope. The last is that of CockroachDB's timestamps.
const (
	deletedField   = "__deleted"
	cockroachField = "__crdb__"
	resolvedField  = "resolved"
)

// isDeleted is true for a row that marks itself as deleted.
func isDeleted(f map[string][]byte, lim profile.Limits) bool {
	if profile.Deleted(f) {
		return true
	}
	meta, r := profile.Object(f[cockroachField], lim)
	return r == nil && string(meta["deleted"]) == "true"
}

// isChange is true for a change event of Debezium or CockroachDB. One with an operation and its source may have any
// field beside, for Connect's transforms put fields there; one without is told by having nothing of an artifact's.
func isChange(f map[string][]byte) bool {
	if f["before"] == nil && f["after"] == nil {
		return false
	}
	op, _ := text(f["op"])
	return hasOnly(f, "id") || len(op) == 1 && (f["source"] != nil || f["ts_ms"] != nil || f["ts_ns"] != nil)
}

// unavailable is what Debezium writes for a large column that an update left as it was and that is not in the log.
// The row without it is not the row.
var unavailable = []byte(`"__debezium_unavailable_value"`)

// openChange opens a change event. Without an operation it is CockroachDB's, of which after says everything.
func (c *content) openChange(f map[string][]byte, lim profile.Limits) *profile.Refusal {
	op, ok := text(f["op"])
	if !ok {
		op = c.op
	}
	c.op = ""
	after := f["after"]
	switch op {
	case "c", "u", "r":
		return c.openRow(f, lim)
	case "d":
		return c.deleteRow(f["before"], lim)
	case "":
		if !isNull(f["op"]) {
			break
		}
		if !isNull(after) {
			return c.openRow(f, lim)
		}
		if after != nil && isCockroach(f) {
			return c.deleteRow(f["before"], lim)
		}
		return envelopeRefusal("after", "", "a change without its row and without an operation")
	case "m":
		return envelopeRefusal("op", op, "a message in the database's log, and no row")
	case "t":
		return envelopeRefusal("op", op, "a table was emptied: delete its artifacts one by one")
	}
	return envelopeRefusal("op", string(f["op"]), "want c, u, r or d")
}

// isCockroach is true when all fields are those of CockroachDB's wrapped envelope. A foreign field may mean that a row is
// missing for another reason than its deletion.
func isCockroach(f map[string][]byte) bool {
	for name := range f {
		switch name {
		case "before", "after", "key", "topic", "updated", "mvcc_timestamp", "source", "ts_ns", "op":
		default:
			return false
		}
	}
	return true
}

func (c *content) openRow(f map[string][]byte, lim profile.Limits) *profile.Refusal {
	after := f["after"]
	if isNull(after) {
		if f["updateDescription"] != nil || f["patch"] != nil {
			return envelopeRefusal("after", "", "an update without its document (Debezium's capture.mode change_streams_update_full gives it)")
		}
		return envelopeRefusal("after", "", "a change without its row")
	}
	if bytes.Contains(after, unavailable) {
		return envelopeRefusal("after", string(after), "a column's value is not in the event (PostgreSQL's REPLICA IDENTITY FULL gives it)")
	}
	c.json = object(after)
	if row, r := profile.Object(c.json, lim); r == nil && row["id"] == nil {
		c.id = rowID(row)
	}
	return nil
}

func (c *content) deleteRow(before []byte, lim profile.Limits) *profile.Refusal {
	c.json = nil
	if row, r := profile.Object(object(before), lim); r == nil {
		c.id = rowID(row)
	}
	return nil
}

// foreign are the messages of other systems that are told from an unknown object by a field: what they are is said in the
// dead letter.
var foreign = []struct{ field, what string }{
	{"op", "a change event without a row"},
	{resolvedField, "a timestamp of CockroachDB's, and no row"},
	{cockroachField, "a message of CockroachDB's without columns of an artifact"},
	{"operationType", "a change stream event of MongoDB's connector: set publish.full.document.only"},
	{"op_type", "a change of Oracle GoldenGate: want the row itself, or Debezium's form"},
	{"ddl", "a change of a database's schema"},
	{"event_count", "the end of a transaction in a database"},
	{"metadata", "an envelope of an unknown form: want the artifact itself"},
	{"data", "an envelope of an unknown form: want the artifact itself"},
}

// unopened sees to what no envelope is left of: the operation of a Debezium event that a CloudEvent brought as a bare row.
func (c *content) unopened(lim profile.Limits) *profile.Refusal {
	switch c.op {
	case "", "c", "u", "r":
		return nil
	case "d":
		return c.deleteRow(c.json, lim)
	}
	return envelopeRefusal("iodebeziumop", c.op, "want c, u, r or d")
}

// explain says of a refused object without an artifact's fields what it is, where that can be told.
func explain(r *profile.Refusal, json []byte, lim profile.Limits) *profile.Refusal {
	if r.Reason != profile.ReasonNoFields {
		return r
	}
	f, bad := profile.Object(json, lim)
	if bad != nil {
		return r
	}
	for _, of := range foreign {
		if f[of.field] != nil {
			return envelopeRefusal(of.field, string(f[of.field]), "%s", of.what)
		}
	}
	return r
}

// passedOver is true for a resolved timestamp of CockroachDB's, which a changefeed puts into every partition as often as it is told to. It
// must have no key, and nothing but that field, in that form: nobody has put anything else into it, so nothing is lost. What
// is only like it, or has a key, is a dead letter.
func passedOver(item *Item, lim profile.Limits) bool {
	if item.Refusal == nil || item.Key != nil || item.Value == nil || !has(item.Value, resolvedField) {
		return false
	}
	f, r := profile.Object(item.Value, lim)
	for _, around := range []string{"payload", cockroachField} {
		if r == nil && len(f) == 1 && f[around] != nil {
			f, r = profile.Object(f[around], lim)
		}
	}
	at, ok := text(f[resolvedField])
	return r == nil && ok && len(f) == 1 && resolvedForm.MatchString(at)
}

// resolvedForm is CockroachDB's of a time: nanoseconds since 1970, and a count of what is in one.
var resolvedForm = regexp.MustCompile(`^[0-9]{1,20}\.[0-9]{1,10}$`)
