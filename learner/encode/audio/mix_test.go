package audio

import (
	"encoding/binary"
	"testing"
)

func stereo(left, right []float32) []byte {
	var body []byte
	for i := range left {
		for _, v := range []float32{left[i], right[i]} {
			body = binary.LittleEndian.AppendUint16(body, uint16(int16(v*32767)))
		}
	}
	return wavFile(wavPCM, 16000, 2, 16, body)
}

// Channels of which one has its poles changed are the sound, not silence.
func TestChannelsOutOfPhase(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	sound := tune()
	scaled := func(f float32, hiss []float32) []float32 {
		out := make([]float32, len(sound))
		for i, v := range sound {
			out[i] = f * v
			if hiss != nil {
				out[i] += 0.05 * hiss[i]
			}
		}
		return out
	}
	noisy := plainVoice()
	noisy.noise = 0.3
	hiss := noisy.sing(0, 9, 17, 22, 31, 22, 9, 0)
	want := asWAV(sound, 16000)
	same(t, e, "one inverted", want, stereo(sound, scaled(-1, nil)))
	same(t, e, "the other, fainter", want, stereo(scaled(-0.9, nil), sound))
	same(t, e, "both as they are", want, stereo(sound, sound))
	if c := cosine(vector(t, e, want), vector(t, e, stereo(sound, scaled(-0.95, hiss)))); c < 0.99 {
		t.Errorf("inverted, with a noise of its own: cosine %.4f", c)
	}
	// One that sounds alone, and two that differ, are mixed as they always were.
	for name, in := range map[string][2][]float32{
		"one alone": {sound, make([]float32, len(sound))}, "two that differ": {sound, hiss}, "two in quadrature": {sound, append(make([]float32, 20), sound[:len(sound)-20]...)},
	} {
		m := newMixer(2, -1)
		var frames []float32
		for i := range in[0] {
			frames = append(frames, in[0][i], in[1][i])
		}
		out := m.mix(frames)
		if _, ok := m.opposed(); ok {
			t.Errorf("%s: taken for out of phase", name)
		}
		for i, v := range out {
			if v != (in[0][i]+in[1][i])/2 {
				t.Fatalf("%s: sample %d is %v", name, i, v)
			}
		}
	}
}
