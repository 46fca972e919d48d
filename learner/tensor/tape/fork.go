package tape

import "kilim/learner/tensor/par"

// fork is what several tapes have noted that computed at the same time.
type fork struct {
	tapes []*Tape
	do    func(i int, child *Tape)
}

// Fork calls do with 0 .. n-1 and a tape for each, at the same time where the
// team has members to spare, and returns when all have returned. What they note
// is differentiated at the same time too. So they may read the same matrices,
// but write, or want gradients of, only such as no other does; a matrix of which
// each takes other rows must have a gradient from an operation after the Fork.
// What they make is valid until t is reset.
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
