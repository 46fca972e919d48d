package rank

import "testing"

// BenchmarkModel scores pairs, and explains scores, by as large a model as is fitted.
func BenchmarkModel(b *testing.B) {
	queries := judged(30, 60, 30, 1000, func(x []float32) float32 { return either(x) * (x[3] + x[4]*x[5]) })
	s, err := newSamples(30, queries)
	if err != nil {
		b.Fatal(err)
	}
	f := newFitting(names(30), s, DefaultConfig())
	for range DefaultConfig().Trees {
		f.step()
	}
	f.model.quick = quickOf(f.model)
	x, sum, at := make([]float32, 30), 0.0, 0
	parts := make([]float64, 31)
	b.Run("Score", func(b *testing.B) {
		for b.Loop() {
			s.row(at%s.rows(), x)
			sum += f.model.Score(0.5, x)
			at += 17
		}
	})
	b.Run("Explain", func(b *testing.B) {
		for b.Loop() {
			s.row(at%s.rows(), x)
			sum += f.model.Explain(0.5, x, parts)
			at += 17
		}
	})
	_ = sum
}
