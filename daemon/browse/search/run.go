package search

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// pending are the artifacts that are to be read again.
type pending struct {
	lock sync.Mutex
	ids  map[string]struct{}
	// all: more than mostPending came, and every artifact is read again.
	all  bool
	wake chan struct{}
}

// mostPending bounds the ids that wait while the index is behind.
const mostPending = 1 << 17

// page is how many artifacts are read in one view of the store.
const page = 64

func newPending() pending {
	return pending{ids: map[string]struct{}{}, wake: make(chan struct{}, 1)}
}

// Changed says that records of these artifacts, or that they are gone, were committed. It does not wait for the index.
func (x *Index) Changed(ids []string) {
	p := &x.pending
	p.lock.Lock()
	for _, id := range ids {
		p.ids[id] = struct{}{}
	}
	if len(p.ids) > mostPending {
		clear(p.ids)
		p.all = true
	}
	p.lock.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// take is up to n of the ids, or that all artifacts are to be read.
func (p *pending) take(n int) (ids []string, all bool) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.all {
		p.all = false
		return nil, true
	}
	for id := range p.ids {
		if len(ids) == n {
			break
		}
		ids = append(ids, id)
		delete(p.ids, id)
	}
	return ids, false
}

// Run reads all artifacts, then those that change, until ctx ends.
func (x *Index) Run(ctx context.Context) error {
	if err := x.scan(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		ids, all := x.pending.take(page)
		var err error
		switch {
		case all:
			err = x.scan(ctx)
		case len(ids) > 0:
			err = x.read(ids)
		default:
			select {
			case <-ctx.Done():
			case <-x.pending.wake:
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scan reads all artifacts into an empty index. What changes meanwhile is pending, and read again after.
func (x *Index) scan(ctx context.Context) error {
	x.lock.Lock()
	x.clear()
	x.ready = false
	x.lock.Unlock()
	for after := graphstore.NodeID(0); ctx.Err() == nil; {
		var ids []string
		err := x.archive.View(func(r *graphstore.Reader) (err error) {
			ids, err = r.ArtifactsAfter(after, page)
			return err
		})
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
		if len(ids) == 0 {
			break
		}
		if err := x.read(ids); err != nil {
			return err
		}
		after = graphstore.ID(graphstore.Artifact, ids[len(ids)-1])
	}
	x.lock.Lock()
	defer x.lock.Unlock()
	x.ready = true
	return nil
}

// read indexes what is stored of artifacts now.
func (x *Index) read(ids []string) error {
	err := x.archive.View(func(r *graphstore.Reader) error {
		for _, id := range ids {
			_, a, err := weave.Read(r, id)
			switch {
			case errors.Is(err, weave.ErrNoDocument), errors.Is(err, graphstore.ErrDamaged):
				x.remove(id)
			case err != nil:
				return err
			default:
				x.put(x.entryOf(a))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}
