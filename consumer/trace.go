package consumer

import "strings"

// traceParentLength is that of a traceparent of W3C's Trace Context: version, trace, parent and flags in hexadecimal digits.
const traceParentLength = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

// traceParent is the first trace context of a record that is one: that of its headers goes before inEnvelope. All others
// are dropped, for a trace context is put into every message that its record leads to: a long one would be multiplied.
func traceParent(item *Item, inEnvelope string) string {
	for _, name := range []string{"traceparent", "ce_traceparent"} {
		if v, ok := header(item.Headers, name); ok && isTraceParent(v) {
			return v
		}
	}
	if isTraceParent(inEnvelope) {
		return inEnvelope
	}
	return ""
}

// isTraceParent is true for what W3C's Trace Context allows (section 3.2.2): lower case, no version ff, neither a trace nor
// a parent of zeros.
func isTraceParent(s string) bool {
	if len(s) != traceParentLength || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return false
	}
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:]
	for _, part := range []string{version, trace, parent, flags} {
		if strings.Trim(part, "0123456789abcdef") != "" {
			return false
		}
	}
	return version != "ff" && strings.Trim(trace, "0") != "" && strings.Trim(parent, "0") != ""
}
