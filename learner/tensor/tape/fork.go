package tape

import "kilim/learner/tensor/par"

// fork is what several tapes have noted that computed at the same time.
type fork struct {
	lanes []*Tape
	do    func(i int, lane *Tape)
}

// Fork calls do with 0 .. n-1 and a tape for each, at the same time where the
// team has members to spare, and returns when all have returned. What they note
// is differentiated at the same time too. So they may read the same matrices,
// but write, or want gradients of, only such as no other does; a matrix of which
// each takes other rows must have a gradient from an operation after the Fork.
// What they make is valid until t is reset.
func (t *Tape) Fork(n int, do func(i int, lane *Tape)) {
	for len(t.lanes) < t.used+n {
		t.lanes = append(t.lanes, &Tape{team: t.team, gemm: t.gemm})
	}
	o := t.slabs.forks.next()
	*o = fork{t.lanes[t.used : t.used+n], do}
	t.used += n
	for _, l := range o.lanes {
		l.off = t.off
	}
	t.member.Run((*forkForward)(o), n)
	o.do = nil
	if !t.off {
		t.ops = append(t.ops, o)
	}
}

type forkForward fork

func (o *forkForward) Part(i int, m *par.Member) {
	lane := o.lanes[i]
	lane.member = m
	o.do(i, lane)
}

func (o *fork) back(t *Tape) { t.member.Run((*forkBackward)(o), len(o.lanes)) }

type forkBackward fork

func (o *forkBackward) Part(i int, m *par.Member) {
	lane := o.lanes[i]
	lane.member = m
	lane.back()
}
