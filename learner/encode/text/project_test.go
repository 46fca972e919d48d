package text

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestProjectionKeepsCosines compares with the sparse vectors themselves.
func TestProjectionKeepsCosines(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{Dim: 256, Seed: 9})
	rng := rand.New(rand.NewPCG(2, 2))
	vocabulary := make([]string, 400)
	for i := range vocabulary {
		vocabulary[i] = fmt.Sprintf("%c%c%d", 'a'+rng.IntN(26), 'a'+rng.IntN(26), rng.IntN(1e6))
	}
	sparse := func(d *Doc) map[uint32]float64 {
		out := map[uint32]float64{}
		for share, terms := range map[float64][]Term{wordShare: d.Words, soundShare: d.Sounds, gramShare: d.Grams} {
			n := 0.0
			for _, t := range terms {
				out[t.Bucket] = 1 + math.Log(float64(t.Count))
				n += out[t.Bucket] * out[t.Bucket]
			}
			for _, t := range terms {
				out[t.Bucket] *= math.Sqrt(share / n)
			}
		}
		n := 0.0 // the words have digits in them, and no sound
		for _, x := range out {
			n += x * x
		}
		for b := range out {
			out[b] /= math.Sqrt(n)
		}
		return out
	}
	var sum, worst float64
	const pairs = 300
	for range pairs {
		var a, b []string
		for range 30 {
			w := vocabulary[rng.IntN(len(vocabulary))]
			a = append(a, w)
			if rng.IntN(3) > 0 {
				w = vocabulary[rng.IntN(len(vocabulary))]
			}
			b = append(b, w)
		}
		da, db := e.Analyze(a...), e.Analyze(b...)
		sa, sb := sparse(da), sparse(db)
		want := 0.0
		for bucket, x := range sa {
			want += x * sb[bucket]
		}
		va, vb := make([]float32, 256), make([]float32, 256)
		e.ProjectPlain(da, va)
		e.ProjectPlain(db, vb)
		err := math.Abs(cosine(va, vb) - want)
		sum += err * err
		worst = max(worst, err)
	}
	if rms := math.Sqrt(sum / pairs); rms > 1.1/16 || worst > 5.0/16 {
		t.Errorf("cosines are off by %.3f (RMS), %.3f at worst; 1/sqrt(256) is %.3f", rms, worst, 1.0/16)
	}
}

// TestProjectAgainstMatrix forms each column by the words of the definition.
func TestProjectAgainstMatrix(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{Dim: 22, Seed: 5}) // of which two stay 0
	idf := func(b uint32) float32 { return 1 + float32(b%7) }
	d := e.Analyze("a bowl, a bowl, a bowl of lajvard glaze")
	got := make([]float32, 22)
	e.Project(d, idf, got)
	want := make([]float64, 22)
	for share, terms := range map[float64][]Term{wordShare: d.Words, soundShare: d.Sounds, gramShare: d.Grams} {
		part, n := make([]float64, 22), 0.0
		for _, term := range terms {
			w := (1 + math.Log(float64(term.Count))) * float64(idf(term.Bucket))
			n += w * w
			h := mix(uint64(term.Bucket)*0x9e3779b97f4a7c15 ^ e.columns)
			for block := range 4 {
				bits := h >> (16 * block) & 0xffff
				sign := 1.0
				if bits>>15 == 1 {
					sign = -1
				}
				part[block*5+int(bits&0x7fff*5/(1<<15))] += sign * w
			}
		}
		for i := range part {
			want[i] += part[i] * math.Sqrt(share/n)
		}
	}
	n := 0.0
	for _, x := range want {
		n += x * x
	}
	for i := range want {
		if w := want[i] / math.Sqrt(n); math.Abs(float64(got[i])-w) > 1e-6 {
			t.Errorf("coordinate %d is %v, want %v", i, got[i], w)
		}
	}
}

func TestNoTextIsZero(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	for i, x := range plainVector(e, " -- \xff!") {
		if x != 0 {
			t.Fatalf("coordinate %d of no word is %v", i, x)
		}
	}
}

func TestSpellingVariantsAreNearer(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	same := cosine(plainVector(e, "Shahnameh"), plainVector(e, "Shahnama"))
	other := cosine(plainVector(e, "Shahnameh"), plainVector(e, "Bodhisattva"))
	if same < other+0.2 {
		t.Errorf("cosine of two spellings %.3f, of two words %.3f", same, other)
	}
}
