package train

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"kilim/learner/model"
)

// Names of stages.
const (
	Heads    = "heads"    // fusion and projection; the branches stay as they are
	Unfreeze = "unfreeze" // the upper layer too, and in the second half the lower ones
	Full     = "full"     // everything
)

// Stage is a part of a run, with a schedule of its own.
type Stage struct {
	Name  string
	Steps int
	Rate  float64 // the highest learning rate
}

// ParseStage reads NAME:STEPS:RATE, such as full:2000:0.008.
func ParseStage(text string) (Stage, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return Stage{}, fmt.Errorf("stage %q: want NAME:STEPS:RATE, such as full:2000:0.008", text)
	}
	steps, err := strconv.Atoi(parts[1])
	if err != nil {
		return Stage{}, fmt.Errorf("stage %q: steps %q: want a whole number", text, parts[1])
	}
	rate, err := strconv.ParseFloat(parts[2], 64)
	if err != nil {
		return Stage{}, fmt.Errorf("stage %q: rate %q: want a number", text, parts[2])
	}
	s := Stage{parts[0], steps, rate}
	return s, s.validate()
}

// ParseStages reads one Stage from each text. Its error joins those of all texts.
func ParseStages(texts []string) ([]Stage, error) {
	var out []Stage
	var errs []error
	for _, text := range texts {
		s, err := ParseStage(text)
		out, errs = append(out, s), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// String returns the form that ParseStage reads.
func (s Stage) String() string { return fmt.Sprintf("%s:%d:%v", s.Name, s.Steps, s.Rate) }

func (s Stage) validate() error {
	switch s.Name {
	case Heads, Unfreeze, Full:
	default:
		return fmt.Errorf("stage %q: must be %s, %s or %s", s.Name, Heads, Unfreeze, Full)
	}
	if s.Steps < 1 || !(s.Rate > 0 && s.Rate <= 1) {
		return fmt.Errorf("stage %s: %d steps at rate %v: must be 1 or more, at a rate in 0..1", s.Name, s.Steps, s.Rate)
	}
	return nil
}

const (
	lastRate = 0.1 // share of the rate that is left at a stage's end
	// layerDecay is the rate of a layer relative to the one above it in Unfreeze.
	layerDecay = 0.5
)

// rate is the learning rate of a step (from 0) of the Stage: it rises linearly for the share warmUp of the steps, then falls
// by a cosine.
func (s Stage) rate(step int, warmUp float64) float64 {
	rise := max(int(warmUp*float64(s.Steps)), 1)
	if step < rise {
		return s.Rate * float64(step+1) / float64(rise)
	}
	x := float64(step-rise) / float64(max(s.Steps-rise, 1))
	return s.Rate * (lastRate + (1-lastRate)*(1+math.Cos(math.Pi*x))/2)
}

// rateFactor is what the rate is multiplied by for a parameter; 0 freezes it.
func (s Stage) rateFactor(p model.Param, layers, step int) float64 {
	depth := 0 // of the parameter below the fusion
	switch {
	case p.Group == "branch":
		depth = layers + 1
	case strings.HasPrefix(p.Group, "layer"):
		var l int
		fmt.Sscanf(p.Group, "layer%d", &l)
		depth = layers + 1 - l
	}
	switch {
	case s.Name == Full || depth == 0:
		return 1
	case s.Name == Heads:
		return 0
	case depth > 1 && step < s.Steps/2:
		return 0
	default:
		return math.Pow(layerDecay, float64(depth))
	}
}
