package queries

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/rerank"
)

var errPlanned = errors.New("planned crash")

// disk is a Store in a real one.
type disk struct {
	s        *graphstore.Store
	revision uint64
}

func (d *disk) Rows(fn func(string, []byte) error) error {
	return d.s.View(func(r *graphstore.Reader) error { return r.EachStanding(fn) })
}

func (d *disk) Lost() uint64 { return 0 }

func (d *disk) Commit(_ context.Context, write func(Writer) error) error {
	tx := d.s.Begin()
	defer tx.Discard()
	d.revision++
	if err := write(diskWriter{tx, d.revision}); err != nil {
		return err
	}
	return tx.Commit()
}

type diskWriter struct {
	tx       *graphstore.Tx
	revision uint64
}

func (w diskWriter) Revision() uint64                { return w.revision }
func (w diskWriter) Put(name string, b []byte) error { return w.tx.PutStanding(name, b) }
func (w diskWriter) Delete(name string) error        { return w.tx.DeleteStanding(name) }
func (w diskWriter) Enqueue(message []byte) error {
	_, err := w.tx.Enqueue(message)
	return err
}

// TestCrashAtEveryWrite: whichever write of the store fails and ends the process, what is told in the end is what the queries are answered with, each change once, in the state of the rows.
func TestCrashAtEveryWrite(t *testing.T) {
	t.Parallel()
	for k := 1; ; k++ {
		w, rows, log, crashed := crashAt(t, k)
		w.isWhatIsAsked(rows, log)
		isAHistory(t, log, nil)
		if t.Failed() {
			t.Fatalf("crash at write %d", k)
		}
		if !crashed {
			if k < 25 {
				t.Errorf("only %d writes", k)
			}
			t.Logf("fewer than %d writes, each failed in turn", k)
			return
		}
	}
}

// crashAt goes through a history of changes with a round after each, of which the process dies at the k-th write and is started again.
func crashAt(t *testing.T, k int) (w *world, rows map[string][]byte, log []rerank.OutMessage, crashed bool) {
	t.Helper()
	dir := t.TempDir()
	writes := 0
	before := func(string) error {
		if writes++; writes >= k && !crashed {
			return errPlanned // a crashed process writes nothing more
		}
		return nil
	}
	open := func() (*graphstore.Store, error) {
		return graphstore.Open(dir, graphstore.Options{MemtableMB: 1, CacheMB: 1, SyncWrites: graphstore.NoSync, BeforeWrite: before, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	}
	w = newWorld(t, 5)
	revision := uint64(0)
	live := func(from *int) error {
		s, err := open()
		if err != nil {
			return err
		}
		d := &disk{s, revision}
		defer func() { revision = d.revision }()
		work := func() error {
			keeper, err := Open(Config{Linger: time.Second, Tolerance: 0.001}, w.source, w.archive, d, w.keeper.metrics, w.keeper.log)
			if err != nil {
				return err
			}
			keeper.now = w.keeper.now
			w.keeper = keeper
			for {
				if _, err := w.round(); err != nil {
					return err
				}
				if *from == 40 {
					return nil
				}
				*from++
				w.change()
				switch *from % 4 {
				case 0:
					w.source.put(t, fmt.Sprint("q", *from%3), fmt.Sprint("title ", *from))
				case 3:
					_ = w.source.set.Record(0, fmt.Sprint("q", *from%2), nil)
				default:
					w.source.put(t, fmt.Sprint("q", *from%5), "title")
				}
			}
		}
		err = work()
		if err == nil {
			rows = map[string][]byte{}
			err = d.Rows(func(name string, b []byte) error { rows[name] = b; return nil })
		}
		if err == nil {
			err = s.View(func(r *graphstore.Reader) error {
				entries, err := r.Outbox(0, 10_000)
				for _, e := range entries {
					m, err := rerank.Decode(e.Value)
					if err != nil {
						return err
					}
					log = append(log, m)
				}
				return err
			})
		}
		if err == nil {
			err = s.Check(func(p string) { t.Error(p) })
		}
		return errors.Join(err, s.Close())
	}
	from := 0
	err := live(&from)
	if errors.Is(err, errPlanned) {
		crashed = true
		log = nil
		err = live(&from)
	}
	if err != nil {
		t.Fatalf("crash at write %d: %v", k, err)
	}
	w.revision = revision
	return w, rows, log, crashed
}
