package infer

import (
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
)

// TestAdopt: encoders of texts and pictures are replaced, recordings get one; the fusion is another one or not. What
// the vectors of the earlier encoders were read by is seeded anew, all else has its trained values.
func TestAdopt(t *testing.T) {
	t.Parallel()
	was := shape
	was.Audio = 0
	_, tm, trained := random(t, was)
	for _, tc := range []struct {
		name    string
		change  func(*Config)
		renewed []string
	}{
		{"nothing changes", func(*Config) {}, nil},
		{"a longer text", func(c *Config) { c.Text += 5 }, []string{"text"}},
		{"a shorter text", func(c *Config) { c.Text -= 5 }, []string{"text"}},
		{"a text of the same length", func(*Config) {}, []string{"text"}},
		{"pictures of the same length", func(*Config) {}, []string{"image"}},
		{"longer pictures", func(c *Config) { c.Image++ }, []string{"image"}},
		{"no pictures", func(c *Config) { c.Image = 0 }, nil},
		{"recordings", func(c *Config) { c.Audio = 9 }, []string{"audio"}},
		{"another fusion", func(c *Config) { c.Fusion = model.FusionTransformer }, nil},
		{"the same fusion by its name", func(c *Config) { c.Fusion = model.FusionAttention }, nil},
		{"another width", func(c *Config) { c.Width = 16 }, nil},
	} {
		cfg := was
		tc.change(&cfg)
		got, err := Adopt(cfg, tm.Config(), trained.Data, func(m string) bool { return slices.Contains(tc.renewed, m) })
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		to, err := model.New(cfg.Shape())
		if err != nil {
			t.Fatal(err)
		}
		seeded := SeededWeights(cfg, to)
		for _, p := range to.Params() {
			from, had := trained.Matrix(p.Name)
			own, seed := got[p.Offset:p.Offset+p.Rows*p.Cols], seeded[p.Offset:p.Offset+p.Rows*p.Cols]
			modality, part, _ := strings.Cut(p.Name, ".")
			input := strings.HasPrefix(part, "input.") || strings.HasPrefix(part, "skip.")
			want := seed
			switch {
			case !had || from.Cols != p.Cols || modality == "fusion" && cfg.Fusion == model.FusionTransformer:
			case input && (slices.Contains(tc.renewed, modality) || modality == "record" && slices.Contains(tc.renewed, "text")):
				if modality == "record" && strings.HasSuffix(part, ".weight") { // facts and types are kept
					text := cfg.Text * p.Cols
					want = slices.Concat(seed[:text], from.Data[was.Text*p.Cols:])
				}
			default:
				want = from.Data
			}
			if !slices.Equal(own, want) {
				t.Errorf("%s: %s has neither what was learned nor its seed, as it should", tc.name, p.Name)
			}
		}
		if tc.name == "nothing changes" && !slices.Equal(got, trained.Data) {
			t.Error("the same model is not the same")
		}
	}
	if _, err := Adopt(was, tm.Config(), trained.Data[1:], func(string) bool { return false }); err == nil {
		t.Error("weights that are too few were taken over")
	}
}
