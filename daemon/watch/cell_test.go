package watch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// TestCell: a cell is a line with all that it says, a tombstone one with its key, and what is neither is told; no byte of a label moves the cursor.
func TestCell(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`{"field":"culture","theme":"motif","a":{"key":"oruvel","label":"Oruvel\u001b[2J"},"b":{"key":"tamsheri","label":"Tamsheri"},"mean":0.3141,"low":0.29,"high":0.34,` +
			`"contrast":0.42,"pairs":240,"nearest":[{"a":"a/1","b":"a/2","cosine":0.913}],"since":"2026-11-30T10:00:00Z"}`: " in motif: Oruvel",
		`{"field":"culture","a":{"key":"x","label":"X"},"b":{"key":"x","label":"X"},"nearest":[]}`: "culture: X, X  contrast",
	} {
		var out strings.Builder
		if err := Cell(&out, kafka.Message{Value: []byte(value), Time: time.Unix(1e9, 0)}); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, want) || strings.ContainsRune(got, 0x1b) || strings.Count(got, "\n") != 1 ||
			strings.Contains(want, "motif") && !strings.Contains(got, "contrast +0.42, mean 0.314 (0.290 to 0.340), 240 pairs, since 2026-") {
			t.Errorf("%q", got)
		}
	}
	var out strings.Builder
	if err := Cell(&out, kafka.Message{Key: []byte("culture|a|b")}); err != nil || !strings.Contains(out.String(), "culture|a|b  gone") {
		t.Errorf("%q (%v)", out.String(), err)
	}
	for _, value := range []string{"", "{", "{}", `{"id":"a","lists":{}}`} {
		if err := Cell(&out, kafka.Message{Value: []byte(value)}); !errors.Is(err, ErrNotUpdate) {
			t.Errorf("%q: %v", value, err)
		}
	}
}
