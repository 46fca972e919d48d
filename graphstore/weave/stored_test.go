package weave

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

type documents map[string]*graphstore.Doc

func (d documents) Artifact(id string) (*graphstore.Doc, error) { return d[id], nil }

// TestStoredUnderLooserLimits: what is stored was admitted, and is read whatever today's limits are.
func TestStoredUnderLooserLimits(t *testing.T) {
	t.Parallel()
	subjects := make([]string, 50_000)
	for i := range subjects {
		subjects[i] = strings.Repeat("x", i%100+1)
	}
	vector := make([]int, 100_000)
	vector[0] = 1
	nested := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	raw, err := json.Marshal(map[string]any{
		"title": strings.Repeat("kilim ", 1<<20), "subject": subjects, "date": map[string]any{"begin": -1e12}, "unknown": json.RawMessage(nested),
		"media": []any{map[string]any{"kind": "image", "encoder": "e", "embedding": vector}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var refusal *profile.Refusal
	if _, err := profile.Parse(raw, "a", profile.DefaultLimits()); !errors.As(err, &refusal) {
		t.Fatalf("today's limits admit it: %v", err)
	}
	_, a, err := Read(documents{"a": {ID: "a", Raw: raw}}, "a")
	if err != nil || len(a.Subject) != len(subjects) {
		t.Errorf("read %v", err)
	}
	if _, _, err := Read(documents{}, "b"); !errors.Is(err, ErrNoDocument) {
		t.Errorf("an artifact that is not stored: %v", err)
	}
}
