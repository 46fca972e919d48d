package graphstore

import "github.com/dgraph-io/badger/v4"

// snapshot is a committed state, shared by all who read it. Its badger
// transaction is read-only, which makes it safe for concurrent use.
//
// Readers don't open transactions of their own because badger shows a commit
// the moment it is written: a reader could then see a redo log half applied, or
// a commit whose nodes the caches don't have yet. A snapshot is replaced when
// all of that is done, so readers never wait for a commit.
type snapshot struct {
	txn   *badger.Txn
	gen   uint64
	state *state
	dims  map[string]int // encoder -> length of its vectors; never modified

	refs int // guarded by Store.mu; the store holds one of the current snapshot
}

// enter keeps the store from being closed until leave.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enterLocked()
}

// enterLocked is enter with s.mu held.
func (s *Store) enterLocked() error {
	if s.closing {
		return ErrClosed
	}
	if err := s.Err(); err != nil {
		return err
	}
	s.users++
	return nil
}

func (s *Store) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.idle.Broadcast()
	}
}

// acquire pins the current snapshot.
func (s *Store) acquire() (*snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enterLocked(); err != nil {
		return nil, err
	}
	s.cur.refs++
	return s.cur, nil
}

func (s *Store) release(snap *snapshot) {
	s.mu.Lock()
	s.unref(snap)
	s.mu.Unlock()
	s.leave()
}

func (s *Store) unref(snap *snapshot) {
	if snap.refs--; snap.refs == 0 {
		snap.txn.Discard()
	}
}

// replace makes next, which reads from txn, the current snapshot. It wants s.mu held.
func (s *Store) replace(next *snapshot, txn *badger.Txn) {
	next.txn, next.refs = txn, 1
	if s.cur != nil {
		s.unref(s.cur)
	}
	s.cur = next
}

// publish makes a commit visible: snapshot and caches change together.
func (s *Store) publish(st *state, dims map[string]int, ov *overlay) {
	txn := s.db.NewTransaction(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	gen := s.cur.gen + 1
	s.nodes.publish(gen, func(set func(NodeID, *Node, int), drop func(NodeID)) {
		for id, n := range ov.nodes {
			if n == nil {
				drop(id)
			} else {
				set(id, n, n.bytes())
			}
		}
	})
	s.edges.publish(gen, func(_ func(NodeID, []Edge, int), drop func(NodeID)) {
		for id := range ov.edges {
			drop(id)
		}
	})
	s.replace(&snapshot{gen: gen, state: st, dims: dims}, txn)
}

// refresh shows readers what acknowledgements have changed that were written by themselves. It wants Store.writer.
func (s *Store) refresh() {
	txn := s.db.NewTransaction(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(&snapshot{gen: s.cur.gen, state: s.cur.state, dims: s.cur.dims}, txn)
}
