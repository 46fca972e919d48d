package refresh

import "kilim/graphstore"

// Recheck has the next Passes, within their budgets, compute the first-layer vector of a node again and push it if it has moved
// by more than Config.Epsilon. It is for who has lowered Epsilon: a node that had moved by less than the earlier one would
// otherwise be looked at only when something around it changes.
func (r *Refresher) Recheck(n *graphstore.Node) {
	if hasVectors(n) {
		r.rechecks = append(r.rechecks, n.ID)
		r.rechecksWait.Begin(uint64(n.ID))
	}
}

// Rechecking is the number of nodes that are still to be rechecked.
func (r *Refresher) Rechecking() int { return len(r.rechecks) }

// recheck takes up to budget nodes, and returns what is left of the budget.
func (p *Pass) recheck(budget int) (int, error) {
	n := min(budget, len(p.r.rechecks))
	for _, id := range p.r.rechecks[:n] {
		p.r.rechecksWait.End(uint64(id))
		node, err := p.g.Node(id)
		if err != nil {
			return 0, err
		}
		if node != nil {
			p.dirty[id] = struct{}{}
		}
	}
	p.r.rechecks = p.r.rechecks[n:]
	return budget - n, nil
}
