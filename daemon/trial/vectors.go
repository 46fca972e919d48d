package trial

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the formats of the archives at hand
	_ "image/png"
	"math"
	"strings"
	"time"
	"unicode"

	"golang.org/x/image/draw"

	"kilim/learner/audio"
	"kilim/learner/feature"
	pictures "kilim/learner/image"
	"kilim/learner/text"
)

// measured is how alike items are by an encoder, and how long it took to encode them, one
// after another.
type measured struct {
	likeness func(i, j int) float64
	spent    time.Duration
}

// dense encodes all items.
func dense(items []item, encode func(item) ([]float32, error)) (measured, [][]float32, error) {
	vectors := make([][]float32, len(items))
	began := time.Now()
	for i, it := range items {
		v, err := encode(it)
		if err != nil {
			return measured{}, nil, fmt.Errorf("trial: %s: %w", it.id, err)
		}
		vectors[i] = v
	}
	m := measured{spent: time.Since(began)}
	m.likeness = func(i, j int) float64 { return cosine(vectors[i], vectors[j]) }
	return m, vectors, nil
}

func byPicture(items []item) (ours, base measured, err error) {
	enc, err := pictures.New(pictures.Limits{})
	if err != nil {
		return ours, base, err
	}
	if ours, _, err = dense(items, func(it item) ([]float32, error) { return enc.Encode(it.picture) }); err != nil {
		return ours, base, err
	}
	base, _, err = dense(items, func(it item) ([]float32, error) { return thumbnail(it.picture) })
	return ours, base, err
}

// thumbnail is a picture as 8 x 8 shades of grey around their mean.
func thumbnail(data []byte) ([]float32, error) {
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
func bySound(items []item) (ours, base measured, err error) {
	enc, err := audio.New(audio.Limits{})
	if err != nil {
		return ours, base, err
	}
	ours, vectors, err := dense(items, func(it item) ([]float32, error) { return enc.Encode(it.sound) })
	if err != nil {
		return ours, base, err
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
	base.likeness = func(i, j int) float64 { return cosine(means[i], means[j]) }
	return ours, base, nil
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

func byText(items []item) (ours, base measured, err error) {
	enc, err := text.NewEncoder(text.Config{})
	if err != nil {
		return ours, base, err
	}
	// The frequencies are those of the whole archive, as they are once it has been fed.
	table := text.NewTable()
	for _, it := range items {
		table.Add(enc.Analyze(it.texts...), 1)
	}
	ours, _, err = dense(items, func(it item) ([]float32, error) {
		v := make([]float32, enc.Dim())
		enc.Project(enc.Analyze(it.texts...), table.IDF, v)
		return v, nil
	})
	if err != nil {
		return ours, base, err
	}
	began := time.Now()
	words := plainWords(items)
	base = measured{spent: time.Since(began)}
	base.likeness = func(i, j int) float64 {
		var dot float64
		for w, x := range words[i] {
			dot += x * words[j][w]
		}
		return dot
	}
	return ours, base, nil
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
