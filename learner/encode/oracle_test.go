package encode

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// oracle says what there must be after a history. It keeps nothing but the log, and works all of it off anew
// each time that it is asked.
type oracle struct {
	encoders Encoders
	log      []event
}

// event is an artifact that was put or, without a record, removed; or answers; or, with none of these, a restart.
type event struct {
	revision uint64
	id       string
	record   *profile.Artifact
	from     *archive // what a standby is made from; nil otherwise
	answers  []Answer
}

// wanted is what must be known of a medium.
type wanted struct {
	artifact  string
	kind, uri string
	row       graphstore.Media // without Since and Detail
	again     bool
}

// outcome is what must be after a history.
type outcome struct {
	media map[graphstore.NodeID]wanted
	// listed are the nodes of each artifact's media, in the order of its record.
	listed  map[string][]graphstore.NodeID
	vectors map[vectorOf][]float32
	// touched are the artifacts of which the last answers change the features.
	touched []graphstore.NodeID
	// Of the whole history: vectors that were there already when their medium came, and answers that came too late.
	cached, late int
}

func (o *oracle) outcome() *outcome {
	w := &outcome{media: map[graphstore.NodeID]wanted{}, listed: map[string][]graphstore.NodeID{}, vectors: map[vectorOf][]float32{}}
	for _, e := range o.log {
		w.touched = nil
		switch {
		case e.id != "":
			o.put(w, e)
		case e.answers != nil:
			for _, a := range e.answers {
				o.answer(w, a)
			}
		default:
			for node, q := range w.media {
				q.again = q.row.Reason == feature.ReasonNotFound || q.row.Reason == feature.ReasonNotAllowed
				w.media[node] = q
			}
		}
	}
	slices.Sort(w.touched)
	w.touched = slices.Compact(w.touched)
	return w
}

// wish is a medium of a record.
type wish struct {
	node        graphstore.NodeID
	kind, uri   string
	content     graphstore.Content
	precomputed []float32
}

// wishes reads off a record what the encoders are to be asked.
func (o *oracle) wishes(a *profile.Artifact) []wish {
	if a == nil {
		return nil
	}
	by := func(m profile.Media) bool {
		enc := o.encoders.Of(m.Kind)
		return enc != nil && m.Encoder == enc.Identity().Name && len(m.Embedding) == enc.Identity().Dim
	}
	var out []wish
	text := wish{node: graphstore.ID(graphstore.Artifact, a.ID), kind: "text"}
	read := []string{}
	if a.Title != "" {
		read = append(read, a.Title)
	}
	for i, m := range a.Media {
		if m.Text != "" {
			read = append(read, m.Text)
		}
		if m.Kind == "text" {
			if by(m) && text.precomputed == nil {
				text.precomputed = m.Embedding
			}
			continue
		}
		typ := map[string]graphstore.Type{"image": graphstore.Image, "audio": graphstore.Audio}[m.Kind]
		w := wish{node: graphstore.ID(typ, fmt.Sprintf("%s\x00%d", a.ID, i)), kind: m.Kind}
		switch {
		case o.encoders.Of(m.Kind) == nil:
			continue
		case by(m):
			w.precomputed, w.content = m.Embedding, contentOfVector(m.Embedding)
		case len(m.Data) > 0:
			w.content = graphstore.ContentOf(m.Data)
		case m.URI != "":
			w.uri = m.URI
		default:
			continue
		}
		out = append(out, w)
	}
	switch {
	case o.encoders.Text == nil:
		return out
	case text.precomputed != nil:
		text.content = contentOfVector(text.precomputed)
	case len(read) > 0:
		text.content = graphstore.ContentOf([]byte(strings.Join(read, "\n")))
	default:
		return out
	}
	return slices.Insert(out, 0, text)
}

// put works off a record.
func (o *oracle) put(w *outcome, e event) {
	had := w.listed[e.id]
	before := maps.Clone(w.media)
	for _, node := range had {
		delete(w.media, node)
	}
	delete(w.listed, e.id)
	for _, m := range o.wishes(e.record) {
		q := wanted{artifact: e.id, kind: m.kind, uri: m.uri}
		q.row = graphstore.Media{Node: m.node, State: graphstore.MediaWaiting, Content: m.content, Revision: e.revision}
		was, same := before[m.node]
		if m.uri != "" {
			same = same && was.uri == m.uri
			for _, node := range had { // the same URI at another place
				if old := before[node]; !same && old.uri == m.uri && old.kind == m.kind {
					was, same = old, true
				}
			}
		} else {
			same = same && was.row.Content == m.content
		}
		if same {
			q.row.Content = was.row.Content
		} else if m.uri != "" && e.from != nil {
			q.row.Content = e.from.rows[m.node].Content
		}
		key := vectorOf{q.row.Content, o.encoders.Identity(m.kind)}
		vector := w.vectors[key]
		if vector == nil && e.from != nil {
			vector = e.from.vectors[key]
		}
		if vector != nil {
			w.cached++
		}
		if m.precomputed != nil {
			vector = m.precomputed
		}
		if vector != nil {
			w.vectors[key] = vector
			q.row.State, q.row.Encoder = graphstore.MediaEncoded, key.encoder
		} else if _, ok := o.encoders.Of(m.kind).(Precomputed); ok {
			q.row.State, q.row.Encoder, q.row.Reason = graphstore.MediaRefused, key.encoder, feature.ReasonRejected
		} else if o.encoders.Reach != nil && strings.HasPrefix(m.uri, "forbidden") {
			q.row.State, q.row.Encoder, q.row.Reason = graphstore.MediaRefused, key.encoder, feature.ReasonNotAllowed
		}
		if same && was.row.Node == m.node && was.row.State == q.row.State && was.row.Content == q.row.Content && was.row.Reason == q.row.Reason {
			q.row, q.again = was.row, was.again
		}
		w.media[m.node] = q
		w.listed[e.id] = append(w.listed[e.id], m.node)
	}
	w.forgetUnused()
}

// answer works off an answer.
func (o *oracle) answer(w *outcome, a Answer) {
	q, ok := w.media[a.Node]
	if !ok || q.row.Revision != a.Revision {
		w.late++
		return
	}
	q.again = false
	if q.row.State == graphstore.MediaEncoded {
		w.late++
		w.media[a.Node] = q
		return
	}
	q.row.Content, q.row.Encoder, q.row.Reason = a.Content, a.Encoder, ""
	if a.Refusal != nil {
		q.row.State, q.row.Reason = graphstore.MediaRefused, a.Refusal.Reason
	} else {
		q.row.State = graphstore.MediaEncoded
		w.vectors[vectorOf{a.Content, a.Encoder}] = a.Vector
		w.touched = append(w.touched, graphstore.ID(graphstore.Artifact, q.artifact))
	}
	w.media[a.Node] = q
	w.forgetUnused()
}

func (w *outcome) forgetUnused() {
	maps.DeleteFunc(w.vectors, func(v vectorOf, _ []float32) bool {
		for _, q := range w.media {
			if q.row.Content == v.content {
				return false
			}
		}
		return true
	})
}

// compare holds a desk against what must be.
func (w *outcome) compare(t *testing.T, d *desk) {
	t.Helper()
	for node, q := range w.media {
		row := d.durable.rows[node]
		row.Since, row.Detail = q.row.Since, ""
		if row != q.row {
			t.Errorf("%s of %q: the row is %+v, want %+v", q.kind, q.artifact, row, q.row)
		}
	}
	for node, row := range d.durable.rows {
		if _, ok := w.media[node]; !ok {
			t.Errorf("node %x: the row %+v is one too many", uint64(node), row)
		}
	}
	for v, want := range w.vectors {
		if got := d.durable.vectors[v]; !slices.Equal(got, want) {
			t.Errorf("the vector of %x by %s is %v, want %v", v.content, v.encoder, got, want)
		}
	}
	if len(d.durable.vectors) != len(w.vectors) {
		t.Errorf("%d vectors, want %d", len(d.durable.vectors), len(w.vectors))
	}
	w.compareQueue(t, d)
	for id := range d.durable.records {
		if got, want := d.vectors(id), w.vectorsOf(id); !sameVectors(got, want) {
			t.Errorf("%q is known by %v, want %v", id, got, want)
		}
	}
}

// compareQueue holds what is in memory against what must be.
func (w *outcome) compareQueue(t *testing.T, d *desk) {
	t.Helper()
	waiting := map[graphstore.NodeID]Task{}
	counts := map[string]Counts{}
	for _, kind := range d.encoders.Kinds() {
		counts[kind] = Counts{}
	}
	for node, q := range w.media {
		c := counts[q.kind]
		switch q.row.State {
		case graphstore.MediaWaiting:
			c.Waiting++
		case graphstore.MediaEncoded:
			c.Encoded++
		case graphstore.MediaRefused:
			c.Refused++
		}
		if q.again {
			c.Again++
		}
		counts[q.kind] = c
		if q.again || q.row.State == graphstore.MediaWaiting {
			waiting[node] = Task{Node: node, Kind: q.kind, Revision: q.row.Revision, Again: q.again}
		}
	}
	queued := map[graphstore.NodeID]Task{}
	for _, task := range d.tasks() {
		if !task.Since.Equal(d.durable.rows[task.Node].Since) {
			t.Errorf("%+v is not queued since its row waits", task)
		}
		queued[task.Node] = Task{Node: task.Node, Kind: task.Kind, Revision: task.Revision, Again: task.Again}
	}
	if !maps.Equal(queued, waiting) {
		t.Errorf("queued are %v, want %v", queued, waiting)
	}
	if got := d.media.Counts(); !maps.Equal(got, counts) {
		t.Errorf("the counts are %+v, want %+v", got, counts)
	}
}

// vectorsOf are those by which an artifact must be known: in the order of the nodes.
func (w *outcome) vectorsOf(id string) Vectors {
	var out Vectors
	nodes := slices.Clone(w.listed[id])
	slices.Sort(nodes)
	for _, node := range nodes {
		q := w.media[node]
		if q.row.State != graphstore.MediaEncoded {
			continue
		}
		v := w.vectors[vectorOf{q.row.Content, q.row.Encoder}]
		switch q.kind {
		case "text":
			out.Text = v
		case "image":
			out.Image = append(out.Image, v)
		case "audio":
			out.Audio = append(out.Audio, v)
		}
	}
	return out
}

func sameVectors(a, b Vectors) bool {
	same := func(x, y [][]float32) bool { return slices.EqualFunc(x, y, slices.Equal[[]float32]) }
	return slices.Equal(a.Text, b.Text) && same(a.Image, b.Image) && same(a.Audio, b.Audio)
}
