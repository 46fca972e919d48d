package dataset

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/learner/model"
)

// failing is an archive in which one kind of read fails.
type failing struct {
	*Memory
	what string
}

func (f failing) ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error) {
	ids, err := f.Memory.ArtifactsAfter(after, limit)
	return ids, f.fail("ids", err)
}

func (f failing) Artifact(id string) (*graphstore.Doc, error) {
	doc, err := f.Memory.Artifact(id)
	return doc, f.fail("document", err)
}

func (f failing) Node(id graphstore.NodeID) (*graphstore.Node, error) {
	n, err := f.Memory.Node(id)
	return n, f.fail("entity", err)
}

func (f failing) Vectors(id graphstore.NodeID) (Vectors, error) {
	v, err := f.Memory.Vectors(id)
	return v, f.fail("vectors", err)
}

func (f failing) fail(what string, err error) error {
	if what == f.what {
		return fmt.Errorf("no %s today", what)
	}
	return err
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	m := archive(t, 10)
	for _, what := range []string{"ids", "document", "entity", "vectors"} {
		if _, err := Make(t.Context(), failing{m, what}, settings(t), 10, time.Time{}); err == nil || !strings.Contains(err.Error(), "no "+what+" today") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for want, change := range map[string]func(*Config){
		"without modalities":       func(c *Config) { c.Shape.Modalities = nil },
		"at least 58 are needed":   func(c *Config) { c.Shape.Modalities[0].Features = 57 },
		`modality "smell"`:         func(c *Config) { c.Shape.Modalities[1].Name = "smell" },
		"3 features of image, the": func(c *Config) { c.Shape.Modalities[1].Features = 4 },
	} {
		cfg := settings(t)
		cfg.Shape.Modalities = append([]model.Modality(nil), cfg.Shape.Modalities...)
		change(&cfg)
		if _, err := Make(t.Context(), m, cfg, 10, time.Time{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := m.Put(&graphstore.Doc{ID: "bad", Raw: []byte(`{"title":1}`)}, Vectors{}); err == nil || m.Len() != 10 {
		t.Errorf("no record: %v, %d artifacts", err, m.Len())
	}
}
