package encode

import (
	"fmt"
	"testing"

	"kilim/consumer/profile"
	"kilim/learner/encode/feature"
)

func (a *archive) EncoderDims() map[string]int { return a.dims }

// vectorsBy is an artifact with vectors of encoders by their lengths.
func vectorsBy(dim int, names ...string) *profile.Artifact {
	a := &profile.Artifact{ID: "a"}
	for _, name := range names {
		a.Media = append(a.Media, profile.Media{Kind: profile.Text, Encoder: name, Embedding: make([]float32, dim)})
	}
	return a
}

// TestNamesAreBounded: a feed that names a new encoder in each record fills the state with MostNames, and the known ones go on.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	s := newArchive()
	var e Encoders
	admit := func(a *profile.Artifact) string {
		t.Helper()
		refusal, err := e.AdmitNames(a, s)
		if err != nil {
			t.Fatal(err)
		}
		if refusal == nil {
			return ""
		}
		return refusal.Reason
	}
	refused := 0
	for i := range 10 * MostNames {
		if admit(vectorsBy(1+i%7, fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("a", i))) == profile.ReasonTooMany {
			refused++
		}
	}
	if len(s.dims) != MostNames || refused != 10*MostNames-MostNames/2 {
		t.Errorf("%d names are kept, %d artifacts were refused", len(s.dims), refused)
	}
	if r := admit(vectorsBy(2, "a1", "b1")); r != "" {
		t.Errorf("known names: %s", r)
	}
	if r := admit(vectorsBy(3, "a1")); r != profile.ReasonEmbeddingLength {
		t.Errorf("another length: %q", r)
	}
	if r := admit(vectorsBy(0, "new")); r != "" {
		t.Errorf("a name without a vector: %s", r)
	}
}

// TestConfiguredNamesWin: records that named an encoder before it was configured, with another length, take nothing from it.
func TestConfiguredNamesWin(t *testing.T) {
	t.Parallel()
	s := newArchive()
	id := feature.Identity{Name: "clip", Version: 1, Dim: 4}
	for _, name := range []string{id.Name, id.String()} {
		if refusal, err := (Encoders{}).AdmitNames(vectorsBy(3, name), s); refusal != nil || err != nil {
			t.Fatal(refusal, err)
		}
		e := Encoders{Text: Precomputed{id}}
		if refusal, err := e.AdmitNames(vectorsBy(4, name), s); refusal != nil || err != nil {
			t.Errorf("%s: its own vector: %v, %v", name, refusal, err)
		}
		if refusal, err := e.AdmitNames(vectorsBy(3, name), s); err != nil || refusal == nil || refusal.Reason != profile.ReasonEmbeddingLength {
			t.Errorf("%s: another's vector: %v, %v", name, refusal, err)
		}
	}
}
