package encode

import (
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// Media is what is held in memory of one state's media: what waits, and how many there are. All of it can
// be found again from the rows. One Pass at a time changes it; the rest may be called concurrently.
type Media struct {
	encoders Encoders
	queue    *Queue
	// spots bounds what is encoded for queries.
	spots *semaphore.Weighted

	mu sync.Mutex
	// rows is their number by modality and state.
	rows map[string]map[graphstore.MediaState]int
}

// NewMedia returns the Media of a state without any, to be encoded by the given encoders.
func NewMedia(encoders Encoders) *Media {
	return &Media{
		encoders: encoders, queue: NewQueue(encoders.Kinds()...),
		spots: semaphore.NewWeighted(spots), rows: map[string]map[graphstore.MediaState]int{},
	}
}

// Queue is what waits for the encoders.
func (m *Media) Queue() *Queue { return m.queue }

// Encoders are those that make the vectors of the state.
func (m *Media) Encoders() Encoders { return m.encoders }

// AllRows is what Load reads: every row about media, and the nodes that they are about.
type AllRows interface {
	EachMedia(fn func(*graphstore.Media) bool) error
	Node(graphstore.NodeID) (*graphstore.Node, error)
}

// Load fills the queue and the counts from the rows of a state, once, at its start. What was refused because it was not
// there or not allowed is tried again from now on: either may have changed.
func (m *Media) Load(g AllRows) error {
	var rows []*graphstore.Media
	if err := g.EachMedia(func(row *graphstore.Media) bool { rows = append(rows, row); return true }); err != nil {
		return fmt.Errorf("encode: load: %w", err)
	}
	for _, row := range rows {
		n, err := g.Node(row.Node)
		if err != nil {
			return fmt.Errorf("encode: load: %w", err)
		}
		if n == nil {
			return fmt.Errorf("encode: load: media %016x: its node does not exist", uint64(row.Node))
		}
		kind := kindOf(n)
		m.count(kind, row.State, 1)
		again := row.State == graphstore.MediaRefused && mayPass(row.Reason)
		if again || row.State == graphstore.MediaWaiting {
			t := taskOf(kind, row)
			t.Again = again
			m.queue.Put(t)
		}
	}
	return nil
}

// mayPass tells the refusals that depend on more than the bytes.
func mayPass(reason string) bool {
	return reason == feature.ReasonNotAllowed || reason == feature.ReasonNotFound
}

// taskOf is the question of a row.
func taskOf(kind string, row *graphstore.Media) Task {
	return Task{Node: row.Node, Kind: kind, Revision: row.Revision, Since: row.Since}
}

// count adds n to the number of rows of a modality in a state; 0 is the state of what has no row.
func (m *Media) count(kind string, s graphstore.MediaState, n int) {
	if s == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[kind] == nil {
		m.rows[kind] = map[graphstore.MediaState]int{}
	}
	m.rows[kind][s] += n
}

// Counts is how many media of one modality there are, by what has become of them. For text they are the
// artifacts whose texts an external encoder is given.
type Counts struct {
	Encoded, Waiting, Refused int
	// Held are those of Waiting that failed several times in a row, by themselves or because their encoder or their host did. They
	// are tried again, ever less often.
	Held int
	// Again are those of Refused that were not there or not allowed, and are tried again since the start.
	Again int
}

// Counts counts the media of each modality that has an encoder.
func (m *Media) Counts() map[string]Counts {
	out := map[string]Counts{}
	for _, kind := range m.queue.Kinds() {
		d := m.queue.Depth(kind)
		out[kind] = Counts{Waiting: d.Waiting, Held: d.Held, Again: d.Again}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, c := range out {
		c.Encoded, c.Refused = m.rows[kind][graphstore.MediaEncoded], m.rows[kind][graphstore.MediaRefused]
		out[kind] = c
	}
	return out
}
