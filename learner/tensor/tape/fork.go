package tape

import "kilim/learner/tensor/par"

// fork is the record of a Fork: child tapes that computed at the same time.
type fork struct {
	tapes []*Tape
	do    func(i int, child *Tape)
}

// Fork calls do with 0 .. n-1 and a child tape for each, at the same time where the Pool has idle workers, and returns
// when all calls have returned. Backward differentiates the children at the same time too. So the children may read the
// same matrices, but may write, and have gradients of, only matrices that no other child does. A matrix of which each
// child takes other rows must have a gradient from an operation after the Fork. Matrices of the children are valid
// until t is Reset.
func (t *Tape) Fork(n int, do func(i int, child *Tape)) {
	for len(t.children) < t.usedChildren+n {
		t.children = append(t.children, &Tape{pool: t.pool, gemm: t.gemm})
	}
	o := t.slabs.forks.next()
	*o = fork{t.children[t.usedChildren : t.usedChildren+n], do}
	t.usedChildren += n
	for _, l := range o.tapes {
		l.paused = t.paused
	}
	t.worker.Run((*forkForward)(o), n)
	o.do = nil
	if !t.paused {
		t.ops = append(t.ops, o)
	}
}

type forkForward fork

func (o *forkForward) Part(i int, m *par.Worker) {
	child := o.tapes[i]
	child.worker = m
	o.do(i, child)
}

func (o *fork) backward(t *Tape) { t.worker.Run((*forkBackward)(o), len(o.tapes)) }

type forkBackward fork

func (o *forkBackward) Part(i int, m *par.Worker) {
	child := o.tapes[i]
	child.worker = m
	child.backward()
}
