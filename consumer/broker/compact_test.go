package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// fill writes random updates and deletions of few keys to a compacted topic with small
// segments, in batches of all codecs, and returns the records in order. Most of them are
// so old that a deletion among them may be forgotten.
func fill(t *testing.T, cl *kafka.Client, topic string, rng *rand.Rand) []message {
	t.Helper()
	createTopic(t, cl, topic,
		kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "compact"},
		kafka.ConfigEntry{ConfigName: "segment.bytes", ConfigValue: "3000"})
	var all []message
	for n := range 120 {
		at := time.Now().Add(-48 * time.Hour)
		if n > 90 {
			at = time.Now()
		}
		var recs []kafka.Record
		for range 1 + rng.IntN(6) {
			m := message{offset: int64(len(all)), key: fmt.Sprint("key-", rng.IntN(25))}
			if rng.IntN(4) > 0 {
				m.value = fmt.Sprint("value-", n, "-", rng.Uint64(), rng.Uint64(), rng.Uint64())
			}
			all = append(all, m)
			r := record(m.key, m.value)
			r.Time = at
			recs = append(recs, r)
		}
		res, err := cl.Produce(t.Context(), &kafka.ProduceRequest{
			Topic: topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(recs...),
			Compression: compress.Compression(rng.IntN(5)),
		})
		check(t, err)
		check(t, res.Error)
	}
	return all
}

// state is what a compacted topic stands for: the last value of every key that was not deleted.
func state(log []message) map[string]string {
	last := map[string]string{}
	for _, m := range log {
		if m.value == "" {
			delete(last, m.key)
		} else {
			last[m.key] = m.value
		}
	}
	return last
}

func TestStartCompacts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	all := fill(t, client(t, b.Addr()), "t", rand.New(rand.NewPCG(1, 2)))
	path := filepath.Join(dir, "partitions", "t-0")
	check(t, b.Close())
	bases, err := segmentBases(path)
	check(t, err)
	if len(bases) < 6 {
		t.Fatalf("%d segments are too few for this test", len(bases))
	}
	recent := bases[len(bases)-newestKept]

	b = open(t, dir)
	got := readAll(t, b.Addr(), "t")
	if len(got) > len(all)*2/3 {
		t.Errorf("%d of %d records are left", len(got), len(all))
	}
	if !maps.Equal(state(got), state(all)) {
		t.Errorf("the topic stands for\n%v, want\n%v", state(got), state(all))
	}
	var tail int64
	for i, m := range got {
		if m != all[m.offset] {
			t.Fatalf("at offset %d is %v, want %v", m.offset, m, all[m.offset])
		}
		if i > 0 && m.offset <= got[i-1].offset {
			t.Fatalf("offset %d after %d", m.offset, got[i-1].offset)
		}
		if m.offset >= recent {
			tail++
		}
	}
	if want := int64(len(all)) - recent; tail != want {
		t.Errorf("of the newest segments %d records are left, want all %d", tail, want)
	}
	next, err := produce(t.Context(), client(t, b.Addr()), "t", record("k", "v"))
	check(t, err)
	if next != int64(len(all)) {
		t.Errorf("the next record has offset %d, want %d", next, len(all))
	}

	// A crash now, without the snapshot of an orderly end, changes nothing.
	again := open(t, crashed(t, dir))
	if after := readAll(t, again.Addr(), "t"); len(after) != len(got)+1 {
		t.Errorf("after a crash %d records are left, want %d", len(after), len(got)+1)
	}
}

// TestCrashWhileCompacting stops after each segment in turn: no step may bring a deleted
// key back or lose a value.
func TestCrashWhileCompacting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	all := fill(t, client(t, b.Addr()), "t", rand.New(rand.NewPCG(3, 4)))
	check(t, b.Close())
	path := filepath.Join(dir, "partitions", "t-0")
	bases, err := segmentBases(path)
	check(t, err)
	latest := map[string]int64{}
	for _, m := range all {
		latest[m.key] = m.offset
	}
	want := state(all)
	for _, base := range bases[:len(bases)-newestKept] {
		_, _, err := compactSegment(path, base, latest, time.Now())
		check(t, err)
		if got := state(readSegments(t, path, bases)); !maps.Equal(got, want) {
			t.Fatalf("after segment %d the topic stands for\n%v, want\n%v", base, got, want)
		}
	}
	// What a torn rewrite leaves is removed.
	check(t, os.WriteFile(segmentPath(path, bases[0])+".tmp", []byte("torn"), 0o644))
	b = open(t, dir)
	if got := state(readAll(t, b.Addr(), "t")); !maps.Equal(got, want) {
		t.Fatalf("the topic stands for\n%v, want\n%v", got, want)
	}
}

// TestReplace replaces a segment by less and by nothing; where that fails, the old segment stays.
func TestReplace(t *testing.T) {
	t.Parallel()
	file := segmentPath(t.TempDir(), 0)
	check(t, os.WriteFile(file, []byte("old content"), 0o644))
	check(t, os.Mkdir(file+".tmp", 0o755)) // in the way
	if err := replace(file, []byte("new")); err == nil {
		t.Error("a segment was written through a folder")
	}
	want := func(content string) {
		t.Helper()
		got, err := os.ReadFile(file)
		check(t, err)
		if string(got) != content {
			t.Errorf("the segment holds %q, want %q", got, content)
		}
	}
	want("old content")
	check(t, os.Remove(file+".tmp"))
	check(t, replace(file, []byte("new")))
	want("new")
	check(t, replace(file, nil))
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a segment of nothing is there: %v", err)
	}
	if err := replace(file, nil); err == nil {
		t.Error("a segment that does not exist was removed")
	}
}

func readSegments(t *testing.T, path string, bases []int64) []message {
	t.Helper()
	var all []message
	for _, base := range bases {
		raw, err := os.ReadFile(segmentPath(path, base))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing of it was left
		}
		check(t, err)
		rest, err := eachBatch(raw, func(b batch) error {
			return b.each(func(r entry) { all = append(all, message{r.offset, string(r.Key), string(r.Value)}) })
		})
		check(t, err)
		if rest != 0 {
			t.Fatalf("segment %d has %d bytes that can't be read", base, rest)
		}
	}
	return all
}

// TestDamagedSegmentIsNotCompacted: what can't be read in full is not rewritten.
func TestDamagedSegmentIsNotCompacted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	fill(t, client(t, b.Addr()), "t", rand.New(rand.NewPCG(5, 6)))
	check(t, b.Close())
	path := filepath.Join(dir, "partitions", "t-0")
	bases, err := segmentBases(path)
	check(t, err)
	damaged := segmentPath(path, bases[1])
	raw, err := os.ReadFile(damaged)
	check(t, err)
	raw[len(raw)-1] ^= 1
	check(t, os.WriteFile(damaged, raw, 0o644))
	before, err := os.ReadFile(segmentPath(path, bases[0]))
	check(t, err)
	check(t, compactPartition(path, time.Now(), slog.New(slog.DiscardHandler)))
	after, err := os.ReadFile(segmentPath(path, bases[0]))
	check(t, err)
	if string(before) != string(after) {
		t.Fatal("a segment beside a damaged one was rewritten")
	}
}
