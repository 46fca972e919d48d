// Package overdue tells for how long the archive has been owed what the background does: the age of the oldest embedding or list
// that is stale. An Age watches the queues of those who know what is stale (waiting.Since) and keeps the time in the store, so
// that a restart does not make what waits younger. The package does not know what waits, nor who works it off.
package overdue

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"kilim/graphstore"
	"kilim/internal/waiting"
)

// key is that of the row with the time, empty while nothing waits. A state without it owes nothing that it knows of.
const key = "chain/overdue"

// Age is guarded by who works on the state, but for Seconds and Now.
type Age struct {
	watched []*waiting.Since
	// since is when the oldest began to wait, in nanoseconds of Unix; 0: none waits. stored is what the row says.
	since  atomic.Int64
	stored int64
	// loading is set while what an earlier process left is taken up: all of that may be as old as the oldest was.
	loading time.Time
}

// Load begins to take up what waits in the state. Until Loaded, Now is the time since when the oldest of it has waited.
func (a *Age) Load(r *graphstore.Reader) error {
	b, err := r.Meta(key)
	if err != nil || len(b) == 0 {
		return err
	}
	if len(b) != 8 {
		return fmt.Errorf("overdue: row of %d bytes: want 8", len(b))
	}
	a.stored = int64(binary.BigEndian.Uint64(b))
	a.loading = time.Unix(0, a.stored)
	return nil
}

// Loaded ends that, and looks.
func (a *Age) Loaded() {
	a.Look()
	a.loading = time.Time{}
}

// Watch has the queues tell Now from now on, and be looked at.
func (a *Age) Watch(queues ...*waiting.Since) {
	for _, q := range queues {
		q.Now = a.now
	}
	a.watched = append(a.watched, queues...)
}

func (a *Age) now() time.Time {
	if a.loading.IsZero() {
		return time.Now()
	}
	return a.loading
}

// Look finds the oldest in the queues.
func (a *Age) Look() {
	var oldest time.Time
	for _, q := range a.watched {
		if from, ok := q.Oldest(); ok && (oldest.IsZero() || from.Before(oldest)) {
			oldest = from
		}
	}
	since := int64(0)
	if !oldest.IsZero() {
		since = oldest.UnixNano()
	}
	a.since.Store(since)
}

// Put looks, and writes the row if it is to say something else.
func (a *Age) Put(tx *graphstore.Tx) error {
	a.Look()
	since := a.since.Load()
	if since == a.stored {
		return nil
	}
	a.stored = since
	var row []byte
	if since != 0 {
		row = binary.BigEndian.AppendUint64(nil, uint64(since))
	}
	return tx.PutMeta(key, row)
}

// Seconds is how long the oldest has waited, as of the last look; 0: none waits. It may be called at any time.
func (a *Age) Seconds() float64 {
	since := a.since.Load()
	if since == 0 {
		return 0
	}
	return max(time.Since(time.Unix(0, since)).Seconds(), 0)
}

// Staleness is how old what an answer knows may be.
type Staleness struct {
	// Seconds is Age.Seconds when the answer began: all changes before that are in it, but for what settings let be.
	Seconds float64
	// Changes is about how many changes of the archive there have been since the list was computed in full; nil: it waits to be.
	Changes *int64
}

// Staleness is that of an answer that is computed now.
func (a *Age) Staleness() Staleness { return Staleness{Seconds: a.Seconds(), Changes: new(int64)} }
