package graphstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestReadersBesideWriter runs views and an acknowledger beside a writer whose
// commits, some of them by redo log, each move everything from one consistent
// state to the next: whatever a view reads must be of one state.
func TestReadersBesideWriter(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer checked(t, s)
	var written atomic.Bool
	var g errgroup.Group
	g.Go(func() error {
		defer written.Store(true)
		return writeStates(s, 60)
	})
	for range 2 {
		g.Go(func() error {
			for n := 0; !written.Load() || n == 0; n++ {
				if err := s.View(oneState); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		last := uint64(0)
		for {
			more := !written.Load()
			var entries []OutboxEntry
			err := s.View(func(r *Reader) (err error) {
				entries, err = r.Outbox(0, 5)
				return err
			})
			if err != nil {
				return err
			}
			if len(entries) == 0 && !more {
				return nil
			}
			for _, e := range entries {
				// A message that was acknowledged must not be seen again.
				if last++; e.Seq != last {
					return fmt.Errorf("message %d after message %d", e.Seq, last-1)
				}
			}
			if len(entries) > 0 {
				if err := s.Ack(last, []Position{{"out", 0, int64(last)}}); err != nil {
					return err
				}
				positions, err := s.Positions()
				// While a commit is on its way a view may still show the position before.
				if err != nil || len(positions) > 1 || len(positions) == 1 && positions[0].Next > int64(last) {
					return fmt.Errorf("positions %v (%w)", positions, err)
				}
			}
		}
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if positions, err := s.Positions(); err != nil || len(positions) != 1 || positions[0].Next != 60 {
		t.Errorf("positions at the end: %v (%v)", positions, err)
	}
}

// writeStates makes commits in which the entity "hub" has n members, "n" says
// so, and every artifact's embedding names the commit.
func writeStates(s *Store, commits int) error {
	rng := rand.New(rand.NewPCG(3, 3))
	live := 0
	for n := range commits {
		tx := s.Begin()
		for range 3 {
			id := fmt.Sprint(rng.IntN(20))
			c, err := tx.PutArtifact(Doc{ID: id}, []EdgeSpec{{Type: Culture, Rel: Relation(Culture), Key: "hub"}})
			if err != nil {
				return err
			}
			if c.Created {
				live++
			}
		}
		if c, err := tx.DeleteArtifact(fmt.Sprint(rng.IntN(20))); err != nil {
			return err
		} else if c.Deleted {
			live--
		}
		for i := range 20 {
			node, err := tx.Edit(ID(Artifact, fmt.Sprint(i)))
			if err != nil {
				return err
			}
			if node != nil {
				node.Embedding = []float32{float32(n)}
			}
		}
		if n%5 == 0 {
			for i := range 4 {
				if err := tx.PutMeta(fmt.Sprint("big ", i), bytes.Repeat([]byte{byte(n)}, 60<<10)); err != nil {
					return err
				}
			}
		}
		_, err := tx.Enqueue(nil)
		meta := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(live)), uint32(n))
		if err := errors.Join(err, tx.PutMeta("n", meta), tx.Commit()); err != nil {
			return err
		}
	}
	return nil
}

func oneState(r *Reader) error {
	meta, err := r.Meta("n")
	if err != nil || meta == nil {
		return err
	}
	live, n := int(binary.BigEndian.Uint32(meta)), float32(binary.BigEndian.Uint32(meta[4:]))
	if c := r.Counts(); c.Artifacts != live {
		return fmt.Errorf("%d artifacts counted, %d said", c.Artifacts, live)
	}
	hub, err := r.Node(ID(Culture, "hub"))
	if err != nil {
		return err
	}
	if hub == nil || int(hub.Members) != live {
		return fmt.Errorf("hub %+v, with %d artifacts said", hub, live)
	}
	members := 0
	var bad error
	err = r.Edges(hub.ID, func(e Edge) bool {
		members++
		a, err := r.Node(e.To)
		if err != nil || a == nil || len(a.Embedding) != 1 || a.Embedding[0] != n {
			bad = fmt.Errorf("member %+v in state %v: %w", a, n, err)
		}
		return bad == nil
	})
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	if members != live {
		return fmt.Errorf("%d edges, %d artifacts said", members, live)
	}
	var first byte
	for i := range 4 {
		b, err := r.Meta(fmt.Sprint("big ", i))
		if err != nil || len(b) != 60<<10 {
			return fmt.Errorf("big row %d: %d bytes (%w)", i, len(b), err)
		}
		if i > 0 && b[0] != first {
			return errors.New("a redo log is half applied")
		}
		first = b[0]
	}
	return nil
}
