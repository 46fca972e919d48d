package themes

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"kilim/consumer/profile"
	"kilim/learner/theme"
)

// mostWeight is what a theme may count at most, or take away.
const mostWeight = 1000.0

// ParseWeight reads NAME:WEIGHT.
func ParseWeight(text string) (name string, weight float64, err error) {
	at := strings.LastIndexByte(text, ':')
	if at < 1 {
		return "", 0, fmt.Errorf("%q: want NAME:WEIGHT", text)
	}
	weight, err = strconv.ParseFloat(text[at+1:], 64)
	if err != nil || !(math.Abs(weight) <= mostWeight) {
		return "", 0, fmt.Errorf("%q: want NAME:WEIGHT with a weight from -%g to %g", text, mostWeight, mostWeight)
	}
	return text[:at], weight, nil
}

// Alphas are what themes count of an artifact where nobody says it: what Config.Weights says, of the themes that are served, or without any what the model's gate says,
// of mostLists themes at most. Where no theme applies it is empty.
func (k *Keeper) Alphas(ctx context.Context, a *profile.Artifact) (map[string]float64, error) {
	out := map[string]float64{}
	s := k.serving.Load()
	if s == nil {
		return out, nil
	}
	for name, weight := range k.cfg.Weights {
		if len(s.model.TermsOf(name)) > 0 {
			out[name] = weight
		}
	}
	if len(k.cfg.Weights) > 0 {
		return out, nil
	}
	if err := k.scans.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer k.scans.Release(1)
	w := theme.WorkOf(a)
	for _, alpha := range s.model.Gate(s.model.Profile(&w), mostLists) {
		out[alpha.Theme] = alpha.Weight
	}
	return out, nil
}
