package broker

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// sent is a batch of records and whether it was acknowledged.
type sent struct {
	keys  []string
	acked bool
}

// TestKilledBrokerKeepsWhatItAcknowledged kills a broker process again and again,
// while it serves and while it starts, and compares its log with what was acknowledged.
func TestKilledBrokerKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	const topic, group, rounds = "t", "g", 8
	rng := rand.New(rand.NewPCG(7, 11))
	dir := t.TempDir()

	first := spawn(t, dir)
	createTopic(t, client(t, first.addr(t)), topic)
	first.kill()

	var log []sent
	low, high := int64(-1), int64(-1) // the committed offset is one of these two
	serial := 0
	for round := range rounds {
		if round%3 == 2 {
			p := spawn(t, dir)
			time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond) // anywhere in the start
			p.kill()
		}
		p := spawn(t, dir)
		cl := client(t, p.addr(t))
		if got := committed(t, cl, group, topic); got != low && got != high {
			t.Fatalf("round %d: committed offset is %d, acknowledged was %d (and %d was on its way)", round, got, low, high)
		} else {
			low, high = got, got
		}

		ctx, cancel := context.WithCancel(t.Context())
		killed := make(chan struct{})
		killAt, spin := 1+rng.IntN(40), time.Duration(rng.IntN(3000))*time.Microsecond
		for n := 0; ctx.Err() == nil; n++ {
			if n == killAt {
				go func() {
					defer close(killed)
					time.Sleep(spin) // anywhere in what the broker does from here on
					p.kill()
					cancel()
				}()
			}
			batch := sent{}
			var recs []kafka.Record
			for range 1 + rng.IntN(20) {
				key := fmt.Sprint(serial)
				serial++
				batch.keys = append(batch.keys, key)
				recs = append(recs, record(key, string(make([]byte, rng.IntN(3000)))+"x"))
			}
			base, err := produce(ctx, cl, topic, recs...)
			batch.acked = err == nil
			log = append(log, batch)
			if err != nil {
				break
			}
			high = base + int64(len(recs))
			if err := commit(ctx, cl, group, topic, high); err != nil {
				break
			}
			low = high
		}
		<-killed
		cancel()
	}

	p := spawn(t, dir)
	addr := p.addr(t)
	compareLog(t, readAll(t, addr, topic), log)
	if got := committed(t, client(t, addr), group, topic); got != low && got != high {
		t.Errorf("committed offset is %d, acknowledged was %d (and %d was on its way)", got, low, high)
	}
}

// compareLog walks over what was sent, in order: a batch that was acknowledged must
// be next in the log; one that was not may be there, in whole, or not.
func compareLog(t *testing.T, got []message, want []sent) {
	t.Helper()
	pos, acked := 0, 0
	for i, b := range want {
		if !b.acked && (pos == len(got) || got[pos].key != b.keys[0]) {
			continue
		}
		for _, key := range b.keys {
			if pos == len(got) {
				t.Fatalf("the log ends at %d records; batch %d (acknowledged: %v) is missing from key %s on", pos, i, b.acked, key)
			}
			if m := got[pos]; m.key != key || m.offset != int64(pos) {
				t.Fatalf("record %d is key %s at offset %d, want key %s (batch %d, acknowledged: %v)", pos, m.key, m.offset, key, i, b.acked)
			}
			pos++
		}
		if b.acked {
			acked += len(b.keys)
		}
	}
	if pos != len(got) {
		t.Fatalf("the log has %d records after the last one that was sent, the first with key %s", len(got)-pos, got[pos].key)
	}
	if acked == 0 {
		t.Fatal("nothing was acknowledged: the test has shown nothing")
	}
	t.Logf("%d records acknowledged, %d in the log", acked, len(got))
}

// TestCommitsAfterATornEndSurvive: what a crash left at the end of the log of
// commits must not hide what is committed later.
func TestCommitsAfterATornEndSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	cl := client(t, b.Addr())
	createTopic(t, cl, "t")
	check(t, commit(t.Context(), cl, "g", "t", 1))
	torn := crashed(t, dir)
	check(t, b.Close())

	path := filepath.Join(torn, "groups.log")
	raw, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(path, append(raw, raw[:len(raw)/2]...), 0o644))
	b = open(t, torn)
	cl = client(t, b.Addr())
	if got := committed(t, cl, "g", "t"); got != 1 {
		t.Fatalf("committed offset after the first crash: %d, want 1", got)
	}
	check(t, commit(t.Context(), cl, "g", "t", 2))
	again := crashed(t, torn)
	check(t, b.Close())

	b = open(t, again)
	if got := committed(t, client(t, b.Addr()), "g", "t"); got != 2 {
		t.Fatalf("committed offset after the second crash: %d, want 2", got)
	}
}

// crashed copies the folder of a running broker: what a crash at this moment would leave.
func crashed(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	check(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.Create(filepath.Join(to, rel))
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
		return out.Close()
	}))
	return to
}
