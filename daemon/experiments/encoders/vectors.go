package encoders

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the other format of the archives at hand
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"unicode"

	"golang.org/x/image/draw"

	"kilim/daemon/pipeline"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/feature"
	pictures "kilim/learner/encode/image"
	"kilim/learner/encode/text"
)

// likeness is how alike two items are, as query and as candidate.
type likeness func(i, j int) float64

// rounds are the likenesses of a task that is asked more than once; the score of a query is the mean of theirs.
type rounds []likeness

// dense encodes all items.
func dense(items []item, encode func(int, item) ([]float32, error)) ([][]float32, error) {
	vectors := make([][]float32, len(items))
	for i, it := range items {
		v, err := encode(i, it)
		if err != nil {
			return nil, fmt.Errorf("encoders: %s: %w", it.id, err)
		}
		vectors[i] = v
	}
	return vectors, nil
}

// alike compares queries with candidates.
func alike(queries, candidates [][]float32) likeness {
	return func(i, j int) float64 { return cosine(queries[i], candidates[j]) }
}

func byPicture(items []item) (ours, base rounds, err error) {
	enc, err := pictures.New(pictures.Limits{})
	if err != nil {
		return nil, nil, err
	}
	mine, err := dense(items, func(_ int, it item) ([]float32, error) { return enc.Encode(it.picture) })
	if err != nil {
		return nil, nil, err
	}
	theirs, err := dense(items, func(_ int, it item) ([]float32, error) { return thumbnailOf(it.picture) })
	return rounds{alike(mine, mine)}, rounds{alike(theirs, theirs)}, err
}

// frames is how many windows of each picture byReframed asks with.
const frames = 5

// byReframed asks with other photographs of the same: nearer, not centred, and darker. The candidates are as they are.
func byReframed(seed uint64) func([]item) (ours, base rounds, err error) {
	return func(items []item) (ours, base rounds, err error) {
		enc, err := pictures.New(pictures.Limits{})
		if err != nil {
			return nil, nil, err
		}
		for _, m := range []struct {
			encode func([]byte) ([]float32, error)
			to     *rounds
		}{{enc.Encode, &ours}, {thumbnailOf, &base}} {
			whole, err := dense(items, func(_ int, it item) ([]float32, error) { return m.encode(it.picture) })
			if err != nil {
				return nil, nil, err
			}
			for round := range uint64(frames) {
				part, err := dense(items, func(i int, it item) ([]float32, error) {
					again, err := reframed(it.picture, rand.New(rand.NewPCG(seed+round, uint64(i))))
					if err != nil {
						return nil, err
					}
					return m.encode(again)
				})
				if err != nil {
					return nil, nil, err
				}
				*m.to = append(*m.to, alike(part, whole))
			}
		}
		return ours, base, nil
	}
}

// reframed is a window of four fifths of a picture's sides, anywhere in it, at seven tenths of its light.
func reframed(data []byte, rng *rand.Rand) ([]byte, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	window := image.Rect(0, 0, b.Dx()*4/5, b.Dy()*4/5)
	at := b.Min.Add(image.Pt(rng.IntN(b.Dx()-window.Dx()+1), rng.IntN(b.Dy()-window.Dy()+1)))
	out := image.NewRGBA(window)
	draw.Draw(out, window, img, at, draw.Src)
	for i := range out.Pix {
		if i%4 != 3 {
			out.Pix[i] = uint8(int(out.Pix[i]) * 7 / 10)
		}
	}
	var file bytes.Buffer
	err = png.Encode(&file, out)
	return file.Bytes(), err
}

// thumbnailOf is a picture as 8 x 8 shades of grey around their mean.
func thumbnailOf(data []byte) ([]float32, error) {
	const side = 8
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	small := image.NewGray(image.Rect(0, 0, side, side))
	draw.BiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	out := make([]float32, side*side)
	for i, v := range small.Pix {
		out[i] = float32(v)
	}
	feature.Centre(out)
	return out, nil
}

// bySound takes the mean MFCCs from the vector's own block. Each is brought to mean 0 and
// deviation 1 over the collection, which is what makes them comparable.
func bySound(items []item) (ours, base rounds, err error) {
	enc, err := audio.New(audio.Limits{})
	if err != nil {
		return nil, nil, err
	}
	vectors, err := dense(items, func(_ int, it item) ([]float32, error) { return enc.Encode(it.sound) })
	if err != nil {
		return nil, nil, err
	}
	from, dim := 0, 0
	for _, b := range enc.Blocks() {
		if b.Name == "mfcc" {
			dim = b.Dim
			break
		}
		from += b.Dim
	}
	means := make([][]float32, len(vectors))
	for i, v := range vectors {
		means[i] = append([]float32(nil), v[from:from+dim]...)
	}
	standardize(means)
	return rounds{alike(vectors, vectors)}, rounds{alike(means, means)}, nil
}

func standardize(rows [][]float32) {
	for c := range rows[0] {
		var sum, squares float64
		for _, r := range rows {
			sum += float64(r[c])
			squares += float64(r[c]) * float64(r[c])
		}
		n := float64(len(rows))
		mean := sum / n
		deviation := math.Sqrt(max(squares/n-mean*mean, 1e-12))
		for _, r := range rows {
			r[c] = float32((float64(r[c]) - mean) / deviation)
		}
	}
}

func byText(items []item) (ours, base rounds, err error) {
	enc, err := text.NewEncoder(text.Config{Seed: pipeline.Seed})
	if err != nil {
		return nil, nil, err
	}
	// The frequencies are those of the whole archive, as they are once it has been fed.
	table := text.NewTable()
	for _, it := range items {
		table.Add(enc.Analyze(it.texts...), 1)
	}
	vectors, err := dense(items, func(_ int, it item) ([]float32, error) {
		v := make([]float32, enc.Dim())
		enc.Project(enc.Analyze(it.texts...), table.IDF, v)
		return v, nil
	})
	if err != nil {
		return nil, nil, err
	}
	words := plainWords(items)
	plain := func(i, j int) float64 {
		var dot float64
		for w, x := range words[i] {
			dot += x * words[j][w]
		}
		return dot
	}
	return rounds{alike(vectors, vectors)}, rounds{plain}, nil
}

// plainWords are the items' lower-case words with (1 + ln tf) ln(N/df), each of length 1.
func plainWords(items []item) []map[string]float64 {
	out := make([]map[string]float64, len(items))
	df := map[string]float64{}
	for i, it := range items {
		out[i] = map[string]float64{}
		for _, w := range strings.FieldsFunc(strings.ToLower(strings.Join(it.texts, " ")), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			if out[i][w]++; out[i][w] == 1 {
				df[w]++
			}
		}
	}
	for _, words := range out {
		var squares float64
		for w, tf := range words {
			words[w] = (1 + math.Log(tf)) * math.Log(float64(len(items))/df[w])
			squares += words[w] * words[w]
		}
		for w := range words {
			if squares > 0 {
				words[w] /= math.Sqrt(squares)
			}
		}
	}
	return out
}
