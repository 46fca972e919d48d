package publish

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

const successor = "00000000-0000-4000-8000-000000000002"

// TestFenced has a second process take the transactional id: the first says so with its next message, and none of that is there.
func TestFenced(t *testing.T) {
	t.Parallel()
	fenced(t, func() *cluster { return newCluster(t, 2) })
}

// TestCutOffInATransaction holds back one request of a process, the sending of a message or the end of its transaction, which reaches the
// brokers after a second process has taken the transactional id and published, or before. Neither is the first's transaction there half, nor anything of
// it behind the second's.
func TestCutOffInATransaction(t *testing.T) {
	t.Parallel()
	cutOff(t, func() *cluster { return newCluster(t, 2) })
}

func fenced(t *testing.T, fresh func() *cluster) {
	c := fresh()
	first, second := newMemory(), newMemory()
	second.writer = successor
	first.put(c.mixed(40)...)
	cfg := c.config(t, first, &faults{})
	cfg.TransactionalID = c.similar
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := work(t, p)
	<-first.empty
	second.put(c.mixed(40)...)
	next := c.config(t, second, &faults{})
	next.TransactionalID = c.similar
	deliver(t, next, second)
	first.put(c.mixed(40)...)
	p.Wake()
	if err := <-ended; !errors.Is(err, ErrFenced) {
		t.Errorf("the first ends with %v, want %v", err, ErrFenced)
	}
	told := c.toldInTurn(t)
	if told[uuid] != 40 || told[successor] != 40 {
		t.Errorf("messages by process: %v, want 40 of each", told)
	}
}

func cutOff(t *testing.T, fresh func() *cluster) {
	for _, held := range []struct {
		request int // of the first's, counted over both kinds
		late    bool
	}{{1, false}, {1, true}, {2, true}, {8, true}, {9, true}} {
		c := fresh()
		first, second := newMemory(), newMemory()
		second.writer = successor
		for i := range 40 { // two are a transaction
			first.put(update(fmt.Sprint(i), uint64(i+1)))
		}
		reached := make(chan struct{}, 1)
		f := &faults{next: func(n int) action {
			if n == held.request {
				reached <- struct{}{}
				return withhold
			}
			return pass
		}}
		cfg := c.config(t, first, f)
		cfg.Batch, cfg.TransactionalID = 2, c.similar
		// What the process does after the request that it has no answer to waits until the other has published.
		goOn := make(chan struct{})
		f.before = func(n int) {
			if n == held.request+1 {
				<-goOn
			}
		}
		p, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ended := work(t, p)
		<-reached
		if !held.late {
			f.release()
		}
		second.put(c.mixed(20)...)
		next := c.config(t, second, &faults{})
		next.TransactionalID = c.similar
		deliver(t, next, second)
		f.release()
		close(goOn)
		if err := <-ended; !errors.Is(err, ErrFenced) {
			t.Errorf("request %+v: the first ends with %v, want %v", held, err, ErrFenced)
		}
		told := c.toldInTurn(t)
		if told[uuid]%2 != 0 {
			t.Errorf("request %+v: %d messages of the first: a transaction is there half", held, told[uuid])
		}
		if told[successor] != 20 {
			t.Errorf("request %+v: %d messages of the second, want 20", held, told[successor])
		}
	}
}

// work runs a publisher, and tells how it ended.
func work(t *testing.T, p *Publisher) <-chan error {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return ended
}

// toldInTurn counts the messages of each process, and fails if a partition has one of the first behind one of its successor.
func (c *cluster) toldInTurn(t *testing.T) map[string]int {
	t.Helper()
	told := map[string]int{}
	for _, topic := range c.topics() {
		taken := map[int32]int64{}
		for _, r := range c.read(t, topic) {
			writer := header(r, HeaderWriter)
			told[writer]++
			offset, ok := taken[r.Partition]
			switch {
			case writer == successor && !ok:
				taken[r.Partition] = r.Offset
			case writer != successor && ok:
				t.Errorf("%s/%d@%d is of the process that was fenced, behind the first of its successor, @%d", r.Topic, r.Partition, r.Offset, offset)
			}
		}
	}
	return told
}
