package infer

import (
	"cmp"
	"fmt"
	"strings"

	"kilim/learner/model"
)

// Adopt returns weights for the Config that have what another model has learned: from is that model's shape, and
// renewed tells which features ("text", "image" or "audio") are now made by another encoder. Their input begins anew, since a
// trained input means nothing to other vectors, even of the same length; so does the fusion if it is another one. All
// else is kept, of a record also what its facts and its type are mapped by.
func Adopt(cfg Config, from model.Config, weights []float32, renewed func(features string) bool) ([]float32, error) {
	adopted, err := adopt(cfg, from, weights, renewed)
	if err != nil {
		return nil, fmt.Errorf("infer: adopt weights: %w", err)
	}
	return adopted, nil
}

func adopt(cfg Config, from model.Config, weights []float32, renewed func(features string) bool) ([]float32, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	to, err := model.New(cfg.Shape())
	if err != nil {
		return nil, err
	}
	was, err := model.New(from)
	if err != nil {
		return nil, err
	}
	trained, err := was.Weights(weights, nil)
	if err != nil {
		return nil, err
	}
	w, err := to.Weights(SeededWeights(cfg, to), nil)
	if err != nil {
		return nil, err
	}
	fusion := func(c model.Config) string { return cmp.Or(c.Fusion, model.FusionAttention) }
	to.Adopt(w, trained, func(name string) bool {
		modality, part, _ := strings.Cut(name, ".")
		switch {
		case modality == "fusion":
			return fusion(from) != fusion(to.Config())
		case strings.HasPrefix(part, "input.") || strings.HasPrefix(part, "skip."):
			if modality == names[record] {
				return renewed("text")
			}
			return renewed(modality)
		}
		return false
	})
	for _, name := range []string{"record.input.weight", "record.skip.weight"} {
		adoptRecord(cfg, w, trained, name)
	}
	return w.Data, nil
}

// adoptRecord takes over the last rows of a record's input, those of its facts and of its type: they lie behind the rows
// of its text, which may be more or fewer than they were.
func adoptRecord(cfg Config, w, trained *model.Weights, name string) {
	to, _ := w.Matrix(name)
	from, ok := trained.Matrix(name)
	rows := cfg.Facts + cfg.Types
	if ok && from.Cols == to.Cols && from.Rows >= rows {
		copy(to.Data[cfg.Text*to.Cols:], from.Data[(from.Rows-rows)*from.Cols:])
	}
}
