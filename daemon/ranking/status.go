package ranking

import "fmt"

// Phases of a Keeper.
const (
	Idle    = "idle"
	Reading = "reading" // documents and stated lists
	Fitting = "fitting"
)

// Status is where a Keeper stands.
type Status struct {
	Phase string
	// Least is that of Config.
	Least int
	// Judgments are all that hold, those in a theme too.
	Judgments int
	// Serving: lists are in the learned order. Reason says why they are, or why not.
	Serving bool
	Reason  string
	// Last is the last Decision, nil: there was none.
	Last *Decision
}

// Status tells where the Keeper stands.
func (k *Keeper) Status() Status {
	k.status.Lock()
	out := Status{Phase: k.status.phase, Least: k.cfg.Least}
	k.status.Unlock()
	out.Judgments = k.judgments.Len()
	d, state := k.decided.Load(), k.archive.State()
	if d != nil {
		last := d.Decision
		out.Last = &last
	}
	_, complete := k.judgments.Changes()
	switch {
	case k.cfg.Least == 0:
		out.Reason = "rank.least is 0: nothing is learned from judgments"
	case d != nil && d.Serves && d.State != state:
		out.Reason = fmt.Sprintf("what was learned is for the lists of epoch %d, generation %d, and those of epoch %d, generation %d, serve: it is learned anew", d.State.Epoch, d.State.Generation, state.Epoch, state.Generation)
	case d != nil && (d.Serves || d.State == state):
		out.Serving, out.Reason = d.Serves, d.Reason
	case !complete:
		out.Reason = "the topic of judgments is being read"
	case out.Judgments == 0:
		out.Reason = "nobody has judged anything"
	default:
		out.Reason = "it is being decided"
	}
	return out
}
