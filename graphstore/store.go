package graphstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/uuid"
)

// SchemaVersion is that of the layout of keys and rows.
const SchemaVersion = 10

var (
	// ErrFailed is what every use of a store returns after a write failed. What
	// is in memory may then differ from the disk: the process must start again.
	ErrFailed = errors.New("graphstore: the store failed and must be opened again")
	// ErrClosed is returned by a closed store.
	ErrClosed = errors.New("graphstore: the store is closed")
	// ErrCollision is returned, as a CollisionError, when a key has the NodeID of another.
	ErrCollision = errors.New("graphstore: two keys have the same id")
	// ErrLocked is returned when another process has the folder open.
	ErrLocked = errors.New("graphstore: the folder is in use")
	// ErrSchema is returned for a folder written by a program of another schema.
	ErrSchema = errors.New("graphstore: the folder has another schema")
	// ErrTable is returned for a folder with a damaged table: what is missing or wrong in it can't be told,
	// so that the folder has to be restored, or made anew from the topic.
	ErrTable = errors.New("graphstore: a table is damaged; restore the folder from a backup, or remove it to have it made anew from Kafka")
	// ErrDamaged is returned, as a DamagedError, for an artifact whose rows are not as they were written.
	ErrDamaged = errors.New("graphstore: the artifact's rows are damaged")
	// ErrNoSpace is returned, as a SpaceError, by whatever would write while the disk is nearly full.
	ErrNoSpace = errors.New("graphstore: the disk is nearly full")
	// ErrTooLarge is returned, as a SizeError, for a row that is larger than a store takes.
	ErrTooLarge = errors.New("graphstore: the row is too large")
)

// Store is an open graph. It is safe for concurrent use; writes are by one Tx at a time.
type Store struct {
	damagedReads atomic.Int64
	db           *badger.DB
	opts         Options
	// threshold is the size from which a value goes to the value log.
	threshold int64
	// foldAfter is foldAfterTerms, and keptLabels the constant, except in tests.
	foldAfter  uint64
	keptLabels int
	// logged counts the bytes written to the value log since the last compaction of Maintain.
	logged atomic.Int64
	log    *slog.Logger
	dir    string
	uuid   string

	// writer is held from Begin to the end of the Tx, and by who writes acknowledgements. It guards terms, the memory for a Tx's changes of terms.
	writer sync.Mutex
	terms  []termCount
	failed atomic.Pointer[error]

	// nodes and edges are decoded nodes, and the neighbourhoods of up to cachedDegree edges.
	nodes *cache[*Node]
	edges *cache[[]Edge]
	box   outbox
	redo  *redoLog

	// mu guards what follows.
	mu sync.Mutex
	// cur is what a View that begins now reads.
	cur *snapshot
	// closing: Close was called; users that remain end, none begins.
	closing bool
	users   int // views, transactions, and what else Close has to wait for
	idle    sync.Cond
}

// Open opens the store in dir, which is made if it is not there, and completes
// a commit that a crash left in the redo log. The folder is locked against
// other processes until Close.
func Open(dir string, opts Options) (*Store, error) {
	s, err := open(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("graphstore: open %q: %w", dir, err)
	}
	return s, nil
}

func open(dir string, opts Options) (*Store, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	if err := opts.openRoom(dir); err != nil {
		return nil, err
	}
	s := &Store{opts: opts, log: opts.Logger, dir: dir, foldAfter: foldAfterTerms, keptLabels: keptLabels}
	s.idle.L = &s.mu
	// Decoded nodes take the most; neighbourhoods are small.
	s.nodes = newCache[*Node](opts.CacheMB * mib / 4 * 3)
	s.edges = newCache[[]Edge](opts.CacheMB * mib / 4)
	err := spareLastLog(dir)
	if err != nil {
		return nil, fmt.Errorf("look at the value log: %w", err)
	}
	if s.db, err = openBadger(dir, opts, s.poison); err != nil {
		// Badger keeps the cause as text only.
		if strings.Contains(err.Error(), "Cannot acquire directory lock") {
			err = fmt.Errorf("%w by another process: %w", ErrLocked, err)
		}
		return nil, err
	}
	if s.redo, err = openRedo(dir); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	s.threshold = s.db.Opts().ValueThreshold
	_, logged := s.db.Size()
	s.logged.Store(logged)
	if err := verifyTables(s.db); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	// The schema first: a redo log of another one must be left alone.
	for _, step := range []func() error{s.readHead, s.recoverRedo, s.load} {
		if err := step(); err != nil {
			return nil, errors.Join(err, s.closeFiles())
		}
	}
	return s, nil
}

func (s *Store) closeFiles() error { return errors.Join(s.db.Close(), s.redo.file.Close()) }

// verifyTables compares the tables on disk with their checksums. The checksums of rows (see seal) tell a row that is
// not as it was; those of the tables also tell rows that can't be found any more, since a key or an offset is damaged: badger
// then returns nothing, or panics. (The value log's checksums are verified at each read, those of the log at each start.)
func verifyTables(db *badger.DB) (err error) {
	defer func() {
		if r := recover(); r != nil { // at a block that it can't unpack
			err = fmt.Errorf("%w: it can't be read: %v", ErrTable, r)
		}
	}()
	if err := db.VerifyChecksum(); err != nil {
		return fmt.Errorf("%w: %w", ErrTable, err)
	}
	return nil
}

// readHead checks the schema and reads the identity, or writes both into an
// empty store.
func (s *Store) readHead() error {
	var row []byte
	empty := true
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		it.Rewind()
		empty = !it.Valid()
		it.Close()
		var err error
		row, err = getRow(txn, []byte{keyHead})
		return err
	})
	switch {
	case errors.Is(err, errDamagedRow):
		return fmt.Errorf("%w: its head row was written by an earlier program, or is damaged", ErrSchema)
	case err != nil:
		return fmt.Errorf("read the head row: %w", err)
	case row == nil && !empty:
		return fmt.Errorf("%w: it holds badger data that is not this program's", ErrSchema)
	case row == nil:
		if s.uuid = s.opts.UUID; s.uuid == "" {
			id, err := uuid.NewRandomFromReader(rand.Reader)
			if err != nil {
				return fmt.Errorf("make the identity: %w", err)
			}
			s.uuid = id.String()
		}
		b := encodeNumber(SchemaVersion)
		return s.write("open", []op{{key: []byte{keyHead}, value: appendBytes(b, s.uuid)}})
	}
	d := decodeRow(row)
	version := d.uvarint()
	if d.err == nil && version != SchemaVersion {
		return fmt.Errorf("%w: version %d, this program has %d", ErrSchema, version, SchemaVersion)
	}
	s.uuid = d.string()
	if err := d.end(); err != nil {
		return fmt.Errorf("%w: head row: %w", ErrSchema, err)
	}
	return nil
}

// load builds what is kept in memory.
func (s *Store) load() error {
	st := &state{nextSeq: 1}
	dims := map[string]int{}
	err := s.db.View(func(txn *badger.Txn) error {
		row, err := getRow(txn, []byte{keyState})
		if err != nil {
			return fmt.Errorf("read the counters: %w", err)
		}
		if row != nil {
			if st, err = decodeState(row); err != nil {
				return fmt.Errorf("read the counters: %w", err)
			}
		}
		if err := scanRows(txn, []byte{keyDim}, func(k, v []byte) error {
			n, err := decodeNumber(v)
			dims[string(k[1:])] = int(n)
			return err
		}); err != nil {
			return fmt.Errorf("read the encoders: %w", err)
		}
		return s.box.load(txn, st.nextSeq)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(&snapshot{state: st, dims: dims}, s.db.NewTransaction(false))
	return nil
}

// Close waits for views and the transaction in progress, and closes the
// folder. It returns ErrFailed (wrapped) when the store had failed.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closing = true
	for s.users > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	var err error
	if s.Err() == nil {
		// On a full disk the acknowledgements are lost, as by a crash.
		if err = s.writeUnwritten(); errors.Is(err, ErrNoSpace) || errors.Is(s.Err(), err) {
			err = nil
		}
	}
	s.mu.Lock()
	s.unref(s.cur)
	s.mu.Unlock()
	s.box.wake()
	if cerr := s.closeFiles(); cerr != nil {
		err = fmt.Errorf("graphstore: close %q: %w", s.dir, cerr)
	}
	return errors.Join(s.Err(), err)
}

// Err is nil while the store can be used, and wraps ErrFailed after a write failed.
func (s *Store) Err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// poison makes the store fail for good; the first reason counts.
func (s *Store) poison(cause error) {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	if s.failed.CompareAndSwap(nil, &err) {
		s.log.Error("the store failed", "dir", s.dir, "error", cause)
		s.box.wake()
	}
}

// View calls fn with a consistent snapshot of the committed state. Views run
// concurrently with each other and with the writer, and never wait for it. The
// Reader is valid until fn returns; what it returned stays valid.
func (s *Store) View(fn func(*Reader) error) error {
	snap, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release(snap)
	return fn(&Reader{s: s, snap: snap})
}

// Begin starts the one transaction that may write; it waits for the one before
// to end. The Tx must be ended by Commit or Discard.
func (s *Store) Begin() *Tx {
	s.writer.Lock()
	t := &Tx{}
	t.s, t.ov = s, newOverlay()
	t.ov.terms = s.terms[:0]
	snap, err := s.acquire()
	if err != nil {
		t.broken = err
		return t
	}
	t.snap = snap
	st := *snap.state
	t.state = &st
	return t
}

// Counts is the size of the graph as committed.
func (s *Store) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cur.state.counts
}

// Sizes are those on disk, in bytes: of the keys and small values, and of the
// value log. They are brought up to date once a minute.
func (s *Store) Sizes() (lsm, vlog int64) { return s.db.Size() }

// UUID names the store. It was made, or taken from Options.UUID, when the folder was first opened.
func (s *Store) UUID() string { return s.uuid }
