package pipeline

import (
	"slices"
	"time"

	"kilim/graphstore"
	"kilim/learner/encode"
)

// putMedia brings the rows of an artifact's media to what its record asks for; old are the media of the record
// that it replaces. What was encoded stays encoded, wherever among the media it stands now. What was
// refused is asked again: a record that comes anew may mean that something was put right.
func (u *unit) putMedia(old, now []medium) error {
	rows := make([]*graphstore.Media, len(now))
	keep := &keptVectors{tx: u.tx, from: u.from}
	for i, m := range now {
		var err error
		if rows[i], err = u.mediaRow(m, old, keep); err != nil {
			return err
		}
	}
	for i, m := range now {
		if err := u.setMedia(m, rows[i]); err != nil {
			return err
		}
	}
	for _, m := range old {
		if !hasNode(now, m.node) {
			if err := u.setMedia(m, nil); err != nil {
				return err
			}
		}
	}
	return keep.put()
}

// mediaRow is the row that a medium should have.
func (u *unit) mediaRow(m medium, old []medium, keep *keptVectors) (*graphstore.Media, error) {
	have, err := u.before(m, old)
	if err != nil {
		return nil, err
	}
	enc := u.e.cfg.Encoders.of(m.kind)
	encoder := enc.Identity().String()
	row := &graphstore.Media{Node: m.node, State: graphstore.MediaWaiting, Content: m.content, Revision: u.e.clock.revision, Since: time.Now().UTC()}
	switch {
	case have != nil:
		row.Content = have.Content
	case m.uri != "" && u.from != nil:
		theirs, err := u.from.Media(m.node)
		if err != nil {
			return nil, err
		}
		if theirs != nil {
			row.Content = theirs.Content
		}
	}
	if m.given != nil {
		keep.add(m.content, encoder, m.given)
	} else if err := keep.find(row.Content, encoder); err != nil {
		return nil, err
	}
	if keep.has(row.Content, encoder) {
		row.State, row.Encoder = graphstore.MediaEncoded, encoder
	} else if p, ok := enc.(encode.Precomputed); ok {
		r := p.Refusal()
		row.State, row.Encoder, row.Reason, row.Detail = graphstore.MediaRefused, encoder, r.Reason, r.Detail
	}
	if have != nil && have.Node == m.node && have.State == row.State && have.Content == row.Content && have.Encoder == row.Encoder {
		return have, nil // nothing new, and a question that is under way stays valid
	}
	return row, nil
}

// before finds the row of the same medium as it was: of the same bytes, as far as they are known, or else of the same URI.
func (u *unit) before(m medium, old []medium) (*graphstore.Media, error) {
	if m.uri == "" {
		have, err := u.tx.Media(m.node)
		if err != nil || have == nil || have.Content != m.content {
			return nil, err
		}
		return have, nil
	}
	var found *graphstore.Media
	for _, o := range old {
		if o.kind != m.kind || o.uri != m.uri || found != nil && o.node != m.node {
			continue
		}
		have, err := u.tx.Media(o.node)
		if err != nil {
			return nil, err
		}
		if have != nil {
			found = have
		}
	}
	return found, nil
}

func hasNode(media []medium, id graphstore.NodeID) bool {
	for _, m := range media {
		if m.node == id {
			return true
		}
	}
	return false
}

// keptVectors are those that rows in the making need. The vectors of a content go with its last use, and a change
// of places ends that for a moment.
type keptVectors struct {
	tx   *graphstore.Tx
	from *graphstore.Reader // may be nil
	all  []keptVector
}

type keptVector struct {
	content graphstore.Content
	encoder string
	vector  []float32
}

func (k *keptVectors) add(c graphstore.Content, encoder string, v []float32) {
	k.all = append(k.all, keptVector{c, encoder, v})
}

// find keeps the vector of a content, if there is one.
func (k *keptVectors) find(c graphstore.Content, encoder string) error {
	if c == (graphstore.Content{}) {
		return nil // of bytes that nobody has seen
	}
	v, err := k.tx.MediaVector(c, encoder)
	if err == nil && v == nil && k.from != nil {
		v, err = k.from.MediaVector(c, encoder)
	}
	if v != nil {
		k.add(c, encoder, v)
	}
	return err
}

func (k *keptVectors) has(c graphstore.Content, encoder string) bool {
	return slices.ContainsFunc(k.all, func(v keptVector) bool { return v.content == c && v.encoder == encoder })
}

// put stores those that are not there, or no longer.
func (k *keptVectors) put() error {
	for _, v := range k.all {
		have, err := k.tx.MediaVector(v.content, v.encoder)
		if err != nil {
			return err
		}
		if have != nil {
			continue
		}
		if err := k.tx.PutMediaVector(v.content, v.encoder, v.vector); err != nil {
			return err
		}
	}
	return nil
}

// mediaChange is a row that a unit changed.
type mediaChange struct {
	node graphstore.NodeID
	kind string
	was  graphstore.MediaState // 0: there was none
	is   *graphstore.Media     // nil: there is none
}

// setMedia stores a row, or removes it when it is nil.
func (u *unit) setMedia(m medium, row *graphstore.Media) error {
	was, err := u.tx.Media(m.node)
	if err != nil {
		return err
	}
	c := mediaChange{node: m.node, kind: m.kind, is: row}
	if was != nil {
		c.was = was.State
	}
	switch {
	case was == nil && row == nil, was != nil && row != nil && *was == *row:
		return nil
	case row == nil:
		err = u.tx.DeleteMedia(m.node)
	default:
		err = u.tx.PutMedia(*row)
	}
	u.media = append(u.media, c)
	return err
}

// goneMedia removes the rows of media nodes that left the graph.
func (u *unit) goneMedia(gone map[graphstore.NodeID]*graphstore.Node) error {
	for id, n := range gone {
		if n.Type.IsMedia() {
			if err := u.setMedia(medium{node: id, kind: n.Type.String()}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// task is what there is to do about a row. start is true when the daemon starts: what could not be fetched then may be
// there now, or be allowed.
func task(kind string, row *graphstore.Media, start bool) (t encode.Task, ok bool) {
	t = encode.Task{Node: row.Node, Kind: kind, Revision: row.Revision, Since: row.Since, Known: row.State == graphstore.MediaRefused}
	return t, row.State == graphstore.MediaWaiting || start && row.State == graphstore.MediaRefused && mayPass(row.Reason)
}
