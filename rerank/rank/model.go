package rank

import (
	"fmt"
	"math"
	"slices"
)

// Model scores pairs of artifacts. It is immutable, and safe for concurrent use.
//
// All values are whole numbers of 2^-20, summed as integers. So a score is the same in whatever order its addends are summed, on
// every machine, and the parts of Explain sum to it exactly, in float64 too.
type Model struct {
	names []string
	scale float64
	// starts[t] is where tree t begins among the nodes.
	starts []int32
	nodes  []node
	values []int32 // of nodes
	quick  quick
}

// node sends to left, counted from the beginning of its tree, or to the one behind it when the feature is above the threshold.
// A leaf sends to itself, for its threshold is infinite.
type node struct {
	threshold     float32
	feature, left uint16
}

const (
	unit = 1.0 / (1 << 20)
	// mostValue bounds a node's value, mostScale the factor of the prior and mostPrior the prior itself: no sum of mostTrees trees
	// leaves the numbers that a float64 has whole.
	mostValue = 1 << 30
	mostScale = 1 << 10
	mostPrior = 1 << 10
	mostTrees = 1024
)

// Names are those of the features.
func (m *Model) Names() []string { return slices.Clone(m.names) }

// Trees is the number of trees.
func (m *Model) Trees() int { return len(m.starts) }

// Score is that of a candidate with these features, as many as there are Names. A feature that is not a number counts as a low one.
func (m *Model) Score(prior float32, features []float32) float64 {
	return float64(m.priorUnits(prior)+m.quick.sum(features)) * unit
}

// tree says where the nodes of a tree stand.
func (m *Model) tree(t int) (from, to int) {
	to = len(m.nodes)
	if t+1 < len(m.starts) {
		to = int(m.starts[t+1])
	}
	return int(m.starts[t]), to
}

// next is where the node at a place in the tree that begins at start sends a candidate.
func (m *Model) next(start, at int, features []float32) int {
	n := m.nodes[at]
	if features[n.feature] > n.threshold {
		return start + int(n.left) + 1
	}
	return start + int(n.left)
}

// Explain is Score with its addends: parts[0] is the prior's, and parts[1+f] that of feature f. parts must be one longer than the
// Names.
//
// The part of a feature is the sum, over the splits by it on the candidate's way through each tree, of the value of the node that the
// split led to less that of the node it led from (Saabas 2014; a node's value is the step that its candidates would take together). The
// lambdas of all candidates sum to 0, so that the value of a root is 0, and the parts sum to the score with nothing left over.
//
// Shapley values (Lundberg and Lee 2017) share a score out more fairly: here a split near the root gets less than a later one which
// needs it. But theirs are expectations over an archive that changes, cost leaves * depth^2 a tree instead of a walk, and
// their rounded parts don't sum to the score. What is published must add up, for each entry of each list.
func (m *Model) Explain(prior float32, features []float32, parts []float64) float64 {
	clear(parts)
	own := m.priorUnits(prior)
	parts[0] = float64(own) * unit
	total := own
	for _, start := range m.starts {
		at := int(start)
		for next := m.next(int(start), at, features); next != at; next = m.next(int(start), at, features) {
			// Both are whole numbers of units, which sums of float64 keep exactly.
			parts[1+m.nodes[at].feature] += float64(m.values[next]-m.values[at]) * unit
			at = next
		}
		total += int64(m.values[at])
	}
	return float64(total) * unit
}

func (m *Model) priorUnits(prior float32) int64 {
	if !(math.Abs(float64(prior)) <= mostPrior) {
		return 0 // no score by stated weights is that large, or not a number
	}
	return int64(math.RoundToEven(m.scale * float64(prior) / unit))
}

// appendTree appends a grown tree, its values multiplied by rate, and returns these by node.
func (m *Model) appendTree(g *grown, bounds [][]float32, rate float64) []int32 {
	start := len(m.nodes)
	for i := range g.left {
		n := node{threshold: float32(math.Inf(1)), left: uint16(i)}
		if g.left[i] > 0 {
			n = node{bounds[g.feature[i]][g.bin[i]], uint16(g.feature[i]), uint16(g.left[i])}
		}
		m.nodes = append(m.nodes, n)
		value := math.RoundToEven(g.value[i] * rate / unit)
		if i == 0 {
			value = 0 // which it is but for rounding: the lambdas of a query sum to 0
		}
		m.values = append(m.values, int32(max(-mostValue, min(mostValue, value))))
	}
	m.starts = append(m.starts, int32(start))
	return m.values[start:]
}

// checkNames refuses names that a codec or a reader could not keep apart.
func checkNames(names []string) error {
	if len(names) < 1 || len(names) > maxFeatures {
		return fmt.Errorf("%d features: want 1 to %d", len(names), maxFeatures)
	}
	for i, n := range names {
		if n == "" || len(n) > mostName {
			return fmt.Errorf("feature %d: its name %q has %d bytes, want 1 to %d", i, n, len(n), mostName)
		}
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("feature %q comes twice", n)
		}
	}
	return nil
}
