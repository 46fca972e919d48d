package rank

import (
	"cmp"
	"math"
	"slices"
)

// pairs are two candidates of a query of which the first was judged better, with the change of nDCG if they changed places.
type pairs struct {
	better, worse []int32
	weight        []float64
}

// lambdas computes the gradients of a query's loss.
//
// The loss is the sum over pairs of weight * ln(1 + exp(score of the worse - score of the better)), with the weight held at the
// change of nDCG that their exchange would make in the ranking of now: LambdaMART (Burges, "From RankNet to LambdaRank to
// LambdaMART: An Overview", 2010, section 7). nDCG itself has no gradient. The discount is not cut at ten here: a pair at the ranks
// 30 and 80 has something to say, if little.
type lambdas struct {
	pairs
	order []int32
	rank  []int32
}

// pair finds the pairs of a query by its grades and its scores of now.
func (l *lambdas) pair(grades, scores []float64) {
	n := len(grades)
	l.order = slices.Grow(l.order[:0], n)[:n]
	l.rank = slices.Grow(l.rank[:0], n)[:n]
	ranking(scores, l.order)
	for r, i := range l.order {
		l.rank[i] = int32(r)
	}
	l.better, l.worse, l.weight = l.better[:0], l.worse[:0], l.weight[:0]
	perGain := 1 / idealGain(grades, n)
	for i := range n {
		if grades[i] == 0 {
			continue
		}
		for j := range n {
			if grades[j] >= grades[i] {
				continue
			}
			change := (grades[i] - grades[j]) * math.Abs(discount(int(l.rank[i]))-discount(int(l.rank[j]))) * perGain
			l.better, l.worse, l.weight = append(l.better, int32(i)), append(l.worse, int32(j)), append(l.weight, change)
		}
	}
}

// add adds gradient and curvature of the loss by each score.
func (l *lambdas) add(scores, gradient, curvature []float64) {
	for k, w := range l.weight {
		i, j := l.better[k], l.worse[k]
		p := 1 / (1 + math.Exp(scores[i]-scores[j]))
		gradient[i] -= w * p
		gradient[j] += w * p
		c := w * p * (1 - p)
		curvature[i] += c
		curvature[j] += c
	}
}

// loss is what add's gradient is of.
func (l *lambdas) loss(scores []float64) float64 {
	sum := 0.0
	for k, w := range l.weight {
		sum += w * math.Log1p(math.Exp(scores[l.worse[k]]-scores[l.better[k]]))
	}
	return sum
}

// slope is the derivative, by a factor of the priors, of the loss of priors times this factor.
func (l *lambdas) slope(prior []float64, factor float64) float64 {
	sum := 0.0
	for k, w := range l.weight {
		d := prior[l.better[k]] - prior[l.worse[k]]
		sum -= w * d / (1 + math.Exp(factor*d))
	}
	return sum
}

// ranking orders candidates by falling score, equals by their place.
func ranking(scores []float64, order []int32) {
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) })
}

// discounts are those of the ranks that most queries have.
var discounts = func() (out [512]float64) {
	for r := range out {
		out[r] = 1 / math.Log2(float64(r)+2)
	}
	return out
}()

func discount(rank int) float64 {
	if rank < len(discounts) {
		return discounts[rank]
	}
	return 1 / math.Log2(float64(rank)+2)
}

// idealGain is the gain of the best order, down to a depth.
func idealGain(grades []float64, depth int) float64 {
	best := slices.Clone(grades)
	slices.SortFunc(best, func(a, b float64) int { return cmp.Compare(b, a) })
	sum := 0.0
	for r, g := range best[:min(depth, len(best))] {
		sum += g * discount(r)
	}
	return sum
}

// measuredDepth is how much of a ranking NDCG looks at: the length of a published list.
const measuredDepth = 10

// NDCG is that of a ranking by scores, at 10, with the grades as gains: what package eval measures of a list.
func NDCG(grades, scores []float64) float64 {
	order := make([]int32, len(grades))
	ranking(scores, order)
	sum := 0.0
	for r, i := range order[:min(measuredDepth, len(order))] {
		sum += grades[i] * discount(r)
	}
	ideal := idealGain(grades, measuredDepth)
	if ideal == 0 {
		return 0
	}
	return sum / ideal
}
