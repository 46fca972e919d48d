package audio

import (
	"math"
	"slices"
)

const (
	intervalDim = commas / 2               // the other half is its mirror image
	moveReach   = 31                       // commas; more than a fifth counts as one
	moveDim     = 2*moveReach + 1          // down, none, up
	perComma    = 5                        // bins in which the tonic is looked for
	fineBins    = commas * perComma        // to the octave
	finalFrames = 30                       // a third of a second: how soon the memory of a sound fades, from the end
	shortNote   = 6                        // frames
	noteWidth   = 2.5                      // commas: a voice trembles
	gapFrames   = 9                        // frames within a note, where a consonant interrupts
	blur        = 1.0                      // commas: the standard deviation of a sung degree
	blurReach   = int(3 * blur * perComma) // bins
	finalShare  = 2.0                      // of the end in the search for the tonic, beside the whole
)

// findTonic looks for the tonic, in commas above 440 Hz up to octaves; NaN when nothing
// has a pitch. It is the pitch class that sounds much, and last: melodies in makam,
// and most folk songs, end on it (Bozkurt, "An automatic pitch analysis method for
// Turkish maqam music", JNMR 37, 2008, takes the last note alone; where a recording
// was cut, that is any note, so the whole has a say here).
func findTonic(track []float64) float64 {
	var whole, end [fineBins]float64
	after := 0
	for _, v := range slices.Backward(track) {
		if math.IsNaN(v) {
			continue
		}
		bin := wrap(int(math.Round(v*perComma)), fineBins)
		whole[bin]++
		end[bin] += math.Exp(-float64(after) / float64(finalFrames))
		after++
	}
	if after == 0 {
		return math.NaN()
	}
	w, e := blurred(&whole), blurred(&end)
	mostW, mostE := slices.Max(w[:]), slices.Max(e[:])
	best, tonic := -1.0, 0
	for i := range w {
		if score := w[i]/mostW + finalShare*e[i]/mostE; score > best {
			best, tonic = score, i
		}
	}
	return float64(tonic) / perComma
}

// blurred spreads each bin around the circle as a Gaussian.
func blurred(h *[fineBins]float64) [fineBins]float64 {
	var out [fineBins]float64
	for k := -blurReach; k <= blurReach; k++ {
		d := float64(k) / perComma / blur
		w := math.Exp(-d * d / 2)
		for i, v := range h {
			out[wrap(i+k, fineBins)] += w * v
		}
	}
	return out
}

func wrap(i, n int) int { return ((i % n) + n) % n }

// pitchClasses writes how long each comma above the tonic sounds, octaves folded
// (Gedik and Bozkurt, "Pitch-frequency histogram-based music information retrieval
// for Turkish music", Signal Processing 90, 2010). A frame is shared between the
// two nearest.
func (s *sound) pitchClasses(out []float32) {
	for _, v := range s.track {
		if math.IsNaN(v) {
			continue
		}
		at := v - s.tonic
		low := math.Floor(at)
		share := float32(at - low)
		out[wrap(int(low), commas)] += 1 - share
		out[wrap(int(low)+1, commas)] += share
	}
}

// intervals writes the correlation of the pitch classes with themselves, shifted by 1..26
// commas: which intervals the scale has, wherever the tonic is.
func (s *sound) intervals(out []float32) {
	if math.IsNaN(s.tonic) {
		return
	}
	var h [commas]float32
	s.pitchClasses(h[:])
	for lag := range out {
		for i, v := range h {
			out[lag] += float32(math.Sqrt(float64(v * h[(i+lag+1)%commas])))
		}
	}
}

// notes are the pitches of the melody's steady sounds, in commas.
func (s *sound) notes() []float64 {
	var out, note []float64
	gap := 0
	end := func() {
		if len(note) >= shortNote {
			slices.Sort(note)
			out = append(out, note[len(note)/2])
		}
		note = note[:0]
	}
	var mean float64
	for _, v := range s.track {
		if math.IsNaN(v) {
			if gap++; gap > gapFrames {
				end()
			}
			continue
		}
		gap = 0
		if len(note) > 0 && math.Abs(v-mean) > noteWidth {
			end()
		}
		note = append(note, v)
		mean += (v - mean) / float64(len(note))
	}
	end()
	return out
}

// moves writes by which intervals the melody goes on, in commas down and up.
func (s *sound) moves(out []float32) {
	notes := s.notes()
	for i := 1; i < len(notes); i++ {
		at := min(max(notes[i]-notes[i-1], -moveReach), moveReach) + moveReach
		low := int(at)
		share := float32(at) - float32(low)
		out[low] += 1 - share
		if share > 0 {
			out[low+1] += share
		}
	}
}
