package finetune

import "maps"

const (
	// sampled is how many artifacts the mix of an archive is taken from. By chance alone the mixes of two samples
	// differ by some hundredths.
	driftSample = 1000
	// rare is the share below which terms are taken together, now and then alike: one by one they are mostly chance.
	rareShare = 0.01
)

// drift is how far the mix of an archive has shifted: of the entity types the largest distance (total variation, 0..1) between the
// shares of its terms. At 0.2, every fifth culture, or type, that is named is of others than it was.
func drift(then, now map[string]map[string]float64) float64 {
	most := 0.0
	for kind := range now {
		most = max(most, variation(then[kind], now[kind]))
	}
	return most
}

func variation(a, b map[string]float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0 // nothing was, or is, told
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	up, rareA, rareB := 0.0, 0.0, 0.0
	for term := range all {
		if a[term] < rareShare && b[term] < rareShare {
			rareA += a[term]
			rareB += b[term]
			continue
		}
		up += max(b[term]-a[term], 0)
	}
	return up + max(rareB-rareA, 0)
}
