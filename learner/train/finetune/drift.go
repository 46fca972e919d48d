package finetune

import "maps"

const (
	// driftSample is how many artifacts the mix of an archive is taken from. By chance alone the mixes of two samples
	// differ by some hundredths.
	driftSample = 1000
	// rareShare is the share below which drift takes terms together, those that are below it then and now: the shares
	// of single ones are mostly chance.
	rareShare = 0.01
)

// drift is how far the mix of an archive has shifted: the largest total variation distance (0..1), over the entity
// types, between the shares of their terms. At 0.2, a fifth of the cultures, or types, that are named are others than
// before.
func drift(then, now map[string]map[string]float64) float64 {
	most := 0.0
	for kind := range now {
		most = max(most, variation(then[kind], now[kind]))
	}
	return most
}

func variation(a, b map[string]float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0 // one of the samples names no term of this type
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
