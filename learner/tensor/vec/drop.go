package vec

// Drop writes x to y, which may be x: elements zeroed with probability limit/65536, the others multiplied by scale. The
// seed decides which: a counter that begins at seed+1 is hashed, and each hash decides for four elements.
func Drop(x, y []float32, seed uint64, limit uint16, scale float32) {
	must("y", len(y), len(x))
	done := dropSIMD(x, y, seed, limit, scale)
	dropGo(x[done:], y[done:], seed+uint64(done/4), limit, scale)
}

func dropGo(x, y []float32, counter uint64, limit uint16, scale float32) {
	var h uint64
	for j, v := range x {
		if j&3 == 0 {
			counter++
			h = mixBits(counter)
		}
		if uint16(h) < limit {
			y[j] = 0
		} else {
			y[j] = v * scale
		}
		h >>= 16
	}
}

// mixBits is the output function of splitmix64 (Steele, Lea, Flood 2014).
func mixBits(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
