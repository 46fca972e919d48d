package infer

import (
	"math"

	"kilim/learner/tensor/attend"
)

// Drift of what attention reads. Let e_j be the logits of neighbours j, s_j their shares, which are as e^e_j, and d_j how far their vectors
// h_j may be off, with the mean d = sum s_j d_j and none above D. A logit is off by at most g_j = |a_r| d_j / sqrt(w), with
// the mean g = |a_r| d / sqrt(w) and none above G, which is at most 2 Limit. Exactly the shares are s'_j = s_j e^x_j / Z with |x_j| <= g_j and, by Jensen's
// inequality, Z = sum s_j e^x_j >= e^-g. What is read is off by no more than
//
//	|sum s'_j (h'_j - h_j)|          <= min(D, e^(g+G) d)
//	|sum (s'_j - s_j) (h_j - mean)|  <= sqrt(sum s_j (s'_j/s_j - 1)^2) S <= e^g (e^G - 1)/G sqrt(G g) S
//
// by Cauchy and Schwarz, where S^2 = sum s_j |h_j|^2 - |mean|^2: that is why nodes give |h|^2. The variance of e^x is at most the mean of
// (e^g_j - 1)^2, and (e^g_j - 1)/g_j at most (e^G - 1)/G.
//
// Of two layers all d_j are epsilon sqrt(w), and so are d and D. Of three, the last reads what says how far it is off: d is the mean of that, and
// D what a layer's normalization lets through at most.
//
// A message of r is n b_r times what is read, which is off by d_r, where b is a softmax over the n relations, whose logits are off by
// g_r = (|q_r| d_r + |p_r| d(h)) / sqrt(w), none above G:
//
//	d(n b_r z_r) <= min(n, n b_r e^(g_r+G)) d_r + min(n, n b_r (e^(g_r+G) - 1)) |z_r|,   and d_r where n is 1

// meanOff is how far what is read of a relation's neighbours may be off: told is the mean of what these say of themselves, spread S^2.
func (a *attention) meanOff(m *Model, l, mode, relation int, off float32, told, spread float64) float64 {
	mean, most := m.meanOff(l, off, told), m.meanOff(l, off, m.mostTold(l, mode))
	by := a.neighbour.lipschitz[relation]
	g, top := min(2*attend.Limit, by*mean), min(2*attend.Limit, by*most)
	moved := min(most, math.Exp(g+top)*mean)
	if top == 0 {
		return moved
	}
	return moved + math.Exp(g)*math.Expm1(top)/top*math.Sqrt(top*g)*math.Sqrt(max(0, spread))
}

// mostTold is above what any vector that a layer reads says of how far it is off.
func (m *Model) mostTold(l, mode int) float64 {
	if l < 2 {
		return 0
	}
	return 2 * m.branches[mode].layers[l-1].norm.most * math.Sqrt(float64(m.cfg.Width))
}

// relationsOff makes of how far what a job reads of each relation is off how far its messages are, which have these weights.
func (a *attention) relationsOff(j *job, weights []float64) {
	n := float64(len(weights))
	if n == 1 {
		return
	}
	g, top := make([]float64, len(weights)), 0.0
	for i, msg := range j.messages {
		g[i] = min(2*attend.Limit, a.relation.lipschitz[msg.Relation]*j.offs[i]+a.reader.lipschitz[msg.Relation]*j.selfOff)
		top = max(top, g[i])
	}
	for i, msg := range j.messages {
		grows := weights[i] * math.Expm1(g[i]+top)
		j.offs[i] = min(n, weights[i]+grows)*j.offs[i] + min(n, grows)*length(msg.Mean)*float64(j.scales[i])
	}
}
