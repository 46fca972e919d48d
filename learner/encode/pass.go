package encode

import (
	"slices"
	"time"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/feature"
)

// Graph is the graph as one atomic unit sees and changes it. A content belongs to the rows that name it:
// with the last of them, in the midst of a unit too, the graph forgets the content's vectors.
type Graph interface {
	Reader
	// PutMedia stores the row about a medium, in place of what was.
	PutMedia(graphstore.Media) error
	DeleteMedia(graphstore.NodeID) error
	// PutMediaVector stores what an encoder made of a content that a row names.
	PutMediaVector(c graphstore.Content, encoder string, vector []float32) error
}

// Pass is what one unit does to media. The order of calls: Put, Gone and Take as the unit has reason to, and
// Committed when it is durable. Of a Pass that is not Committed the Media never hears.
type Pass struct {
	m        *Media
	g        Graph
	from     Rows
	revision uint64
	changes  []change
	taken    []Task
}

// change is a row that a Pass changed.
type change struct {
	node graphstore.NodeID
	kind string
	was  graphstore.MediaState // 0: there was none
	now  *graphstore.Media     // nil: there is none
}

// Begin starts a Pass over g. The revision is the unit's: what it asks is told apart by it from what earlier ones
// asked. A standby is made from another state: from are the rows of that one, whose vectors are taken over
// where the encoder is the same; nil otherwise. A row of from tells which bytes are behind a URI, so the records that are Put must
// be those that from has, and be Put again when these change.
func (m *Media) Begin(g Graph, from Rows, revision uint64) *Pass {
	return &Pass{m: m, g: g, from: from, revision: revision}
}

// Put brings the rows of an artifact's media to what its record asks for; old are the media of the record
// that it replaces. What was encoded stays encoded, wherever among the media it stands now. What was
// refused is asked again: a record that comes anew may mean that something was put right. What the Reach of the
// Encoders refuses is refused at once.
func (p *Pass) Put(old, now []Medium) error {
	rows := make([]*graphstore.Media, len(now))
	keep := &keptVectors{g: p.g, from: p.from}
	for i := range now {
		var err error
		if rows[i], err = p.rowFor(&now[i], old, keep); err != nil {
			return err
		}
	}
	for i := range now {
		if err := p.set(now[i].Node, now[i].Kind, rows[i]); err != nil {
			return err
		}
	}
	for _, o := range old {
		if !slices.ContainsFunc(now, func(m Medium) bool { return m.Node == o.Node }) {
			if err := p.set(o.Node, o.Kind, nil); err != nil {
				return err
			}
		}
	}
	return keep.put()
}

// rowFor is the row that a medium should have.
func (p *Pass) rowFor(m *Medium, old []Medium, keep *keptVectors) (*graphstore.Media, error) {
	have, err := p.before(m, old)
	if err != nil {
		return nil, err
	}
	row := &graphstore.Media{Node: m.Node, State: graphstore.MediaWaiting, Content: m.Content, Revision: p.revision, Since: time.Now().UTC()}
	switch {
	case have != nil:
		row.Content = have.Content
	case m.URI != "" && p.from != nil:
		theirs, err := p.from.Media(m.Node)
		if err != nil {
			return nil, err
		}
		if theirs != nil {
			row.Content = theirs.Content
		}
	}
	encoder := p.m.encoders.Identity(m.Kind)
	if m.Precomputed != nil {
		keep.add(m.Content, encoder, m.Precomputed)
	} else if err := keep.find(row.Content, encoder); err != nil {
		return nil, err
	}
	if keep.has(row.Content, encoder) {
		row.State, row.Encoder = graphstore.MediaEncoded, encoder
	} else if r := p.m.encoders.refuses(m); r != nil {
		row.State, row.Encoder, row.Reason, row.Detail = graphstore.MediaRefused, encoder, r.Reason, r.Detail
	}
	if have != nil && have.Node == m.Node && sameAnswer(have, row) {
		return have, nil // nothing new, and a question that is under way stays valid
	}
	return row, nil
}

// sameAnswer tells whether two rows say the same of one medium, whenever it was asked about.
func sameAnswer(a, b *graphstore.Media) bool {
	return a.State == b.State && a.Content == b.Content && a.Encoder == b.Encoder && a.Reason == b.Reason && a.Detail == b.Detail
}

// refuses returns why a medium that has no vector is not asked about, nil if it is.
func (e Encoders) refuses(m *Medium) *feature.Refusal {
	if none, ok := e.Of(m.Kind).(Precomputed); ok {
		return none.Refusal()
	}
	if m.URI == "" || e.Reach == nil {
		return nil
	}
	return e.Reach.Refuses(m.Kind, m.URI)
}

// before finds the row of the same medium as it was: at the same node and of the same bytes, or, where the bytes are
// behind a URI, of the same URI, at the same node rather than at another.
func (p *Pass) before(m *Medium, old []Medium) (*graphstore.Media, error) {
	if m.URI == "" {
		have, err := p.g.Media(m.Node)
		if err != nil || have == nil || have.Content != m.Content {
			return nil, err
		}
		return have, nil
	}
	var found *graphstore.Media
	for _, o := range old {
		if o.Kind != m.Kind || o.URI != m.URI || found != nil && o.Node != m.Node {
			continue
		}
		have, err := p.g.Media(o.Node)
		if err != nil {
			return nil, err
		}
		if have != nil {
			found = have
		}
	}
	return found, nil
}

// Gone removes the rows of media nodes that left the graph. Put has removed those of the media that it was told; a row
// that the encoders of today would not ask for must not outlive its node either.
func (p *Pass) Gone(nodes map[graphstore.NodeID]*graphstore.Node) error {
	for id, n := range nodes {
		if n.Type.IsMedia() {
			if err := p.set(id, n.Type.String(), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Take stores answers and returns the artifacts whose features they change, by id. An answer to a question that was asked
// anew meanwhile, or that is answered, or by another encoder than the state's, is dropped.
func (p *Pass) Take(answers []Answer) ([]graphstore.NodeID, error) {
	var touched []graphstore.NodeID
	for i := range answers {
		a := &answers[i]
		p.taken = append(p.taken, a.Task)
		row, err := p.g.Media(a.Node)
		if err != nil {
			return nil, err
		}
		if row == nil || row.Revision != a.Revision || row.State == graphstore.MediaEncoded || a.Encoder != p.m.encoders.Identity(a.Kind) {
			continue
		}
		n, err := p.g.Node(a.Node)
		if err != nil {
			return nil, err
		}
		if err := p.answer(row, a); err != nil {
			return nil, err
		}
		if a.Refusal == nil {
			touched = append(touched, graphstore.ID(graphstore.Artifact, weave.Owner(n)))
		}
	}
	slices.Sort(touched)
	return slices.Compact(touched), nil
}

// answer stores an answer to the question of a row.
func (p *Pass) answer(row *graphstore.Media, a *Answer) error {
	next := &graphstore.Media{Node: row.Node, Revision: row.Revision, Since: row.Since, Content: a.Content, Encoder: a.Encoder}
	if a.Refusal != nil {
		next.State, next.Reason, next.Detail = graphstore.MediaRefused, a.Refusal.Reason, a.Refusal.Detail
		return p.set(a.Node, a.Kind, next)
	}
	next.State = graphstore.MediaEncoded
	if err := p.set(a.Node, a.Kind, next); err != nil {
		return err
	}
	return p.g.PutMediaVector(a.Content, a.Encoder, a.Vector)
}

// set stores a row, or removes it when it is nil.
func (p *Pass) set(node graphstore.NodeID, kind string, row *graphstore.Media) error {
	was, err := p.g.Media(node)
	if err != nil {
		return err
	}
	c := change{node: node, kind: kind, now: row}
	if was != nil {
		c.was = was.State
	}
	switch {
	case was == nil && row == nil, was != nil && row != nil && *was == *row:
		return nil
	case row == nil:
		err = p.g.DeleteMedia(node)
	default:
		err = p.g.PutMedia(*row)
	}
	p.changes = append(p.changes, c)
	return err
}

// Committed brings queue and counts up to date with a unit that is durable.
func (p *Pass) Committed() {
	for _, c := range p.changes {
		p.m.count(c.kind, c.was, -1)
		p.m.queue.Drop(c.node)
		if c.now == nil {
			continue
		}
		p.m.count(c.kind, c.now.State, 1)
		if c.now.State == graphstore.MediaWaiting {
			p.m.queue.Put(taskOf(c.kind, c.now))
		}
	}
	for _, t := range p.taken {
		p.m.queue.Answered(t)
	}
}
