package audio

// mixer brings interleaved channels to one: their mean, or one of them alone.
type mixer struct {
	channels int
	only     int // the channel that is taken; -1 for the mean
	out      []float32
	// Energies of the channels, and of their mean.
	each []float64
	mean float64
}

func newMixer(channels, only int) *mixer {
	return &mixer{channels: channels, only: only, each: make([]float64, channels)}
}

// mix returns the samples as one channel, valid until the next call.
func (m *mixer) mix(in []float32) []float32 {
	if m.channels == 1 {
		return in
	}
	m.out = m.out[:0]
	for i := 0; i+m.channels <= len(in); i += m.channels {
		frame := in[i : i+m.channels]
		if m.only >= 0 {
			m.out = append(m.out, frame[m.only])
			continue
		}
		var sum float32
		for c, v := range frame {
			sum += v
			m.each[c] += float64(v) * float64(v)
		}
		mean := sum / float32(m.channels)
		m.mean += float64(mean) * float64(mean)
		m.out = append(m.out, mean)
	}
	return m.out
}

// cancelled is how much less energy than that of channels that know nothing of each other the mean has when they are
// out of phase. Two channels reach it at a correlation of -0.75, which no recording has whose cables are right.
const cancelled = 0.25

// opposed tells whether the channels have cancelled each other, as they do when one was recorded or digitised with its
// poles changed, and which is the loudest. What a mean of them would keep is the room and the noise.
func (m *mixer) opposed() (channel int, ok bool) {
	var sum float64
	for c, e := range m.each {
		sum += e
		if e > m.each[channel] {
			channel = c
		}
	}
	alone := sum / float64(m.channels*m.channels)
	return channel, m.only < 0 && m.channels > 1 && m.mean < cancelled*alone
}
