package publish

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kilim/rerank"
)

// TestLookAtARestoredStore copies a store at a random moment of a random history, takes the history on, and puts the copy back,
// several times: Look tells exactly what the topics hold that the copy does not know, and nothing of a store that was not put back.
func TestLookAtARestoredStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			lookAtRestored(t, newCluster(t, 1+int(seed%3)), seed)
		})
	}
}

// TestLookAtAShortenedMessage: one that its topic did not take whole, and that still waits in the outbox, is no other message.
func TestLookAtAShortenedMessage(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(LeastTopicBytes)})), newMemory()
	if _, err := Look(t.Context(), c.config(t, m, &faults{})); err != nil {
		t.Fatal(err)
	}
	m.put(rerank.EncodeUpdate(worstUpdate(30)))
	killed := m.copied() // before it hears that the message is there
	cfg := c.config(t, m, &faults{})
	cfg.Compression = "none"
	deliver(t, cfg, m)
	f, err := Look(t.Context(), c.config(t, killed, &faults{}))
	if err != nil || f.Unknown != 0 || len(f.Numbers) != 1 {
		t.Errorf("%d unknown, %d known (%v), want 0 and 1", f.Unknown, len(f.Numbers), err)
	}
}

func lookAtRestored(t *testing.T, c *cluster, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 6))
	m, put := newMemory(), 0
	// unpublished may stay in the outbox at the end of a stretch.
	stretch := func() {
		n := 1 + rng.IntN(40)
		m.put(c.mixed(put + n)[put:]...)
		put += n
		deliver(t, c.config(t, m, &faults{}), m)
		if rng.IntN(2) == 0 {
			m.put(c.mixed(put + 3)[put:]...)
			put += 3
		}
	}
	look := func() *Found {
		f, err := Look(t.Context(), c.config(t, m, &faults{}))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := look(); f.Unknown != 0 || f.Lost || len(m.positions) == 0 {
		t.Errorf("a new store: %+v, positions %v", f, m.positions)
	}
	stretch()
	for range 3 {
		backup := m.copied()
		for range 1 + rng.IntN(3) {
			stretch()
			if f := look(); f.Unknown != 0 || f.Lost {
				t.Errorf("a store that was not put back: %d unknown, shortened %v", f.Unknown, f.Lost)
			}
		}
		unknown, lists, latest, revision := 0, 0, map[string]Latest{}, uint64(0)
		themed, cells, queries := map[string]Latest{}, map[string]Latest{}, map[string]Latest{}
		for _, topic := range c.topics() {
			for _, r := range c.read(t, topic) {
				if r.Offset < backup.positions[topicPartition{topic, int(r.Partition)}] {
					continue
				}
				if header(r, HeaderWriter) != backup.writer || seqOf(t, r) > backup.seq {
					unknown++
					if topic == c.similar && (header(r, HeaderWriter) != backup.writer || seqOf(t, r) > backup.seq+1) {
						lists++ // the first could be the one that is given below
					}
				}
				if topic != c.dead {
					var n uint64
					event := header(r, "ce_id")
					if _, err := fmt.Sscan(event[strings.LastIndex(event, "/")+1:], &n); err != nil {
						t.Fatal(err)
					}
					of := map[string]map[string]Latest{c.similar: latest, c.motif(): themed, c.cultures(): cells, c.queries(): queries}[topic]
					of[string(r.Key)] = Latest{n, r.Value == nil}
					revision = max(revision, n)
				}
			}
		}
		m = backup
		f := look()
		if f.Unknown != unknown || f.Lost || f.Revision != revision || !maps.Equal(f.Latest, latest) || !maps.Equal(f.Themed[c.motif()], themed) || !maps.Equal(f.Cells, cells) || !maps.Equal(f.Queries, queries) {
			t.Errorf("put back: %d unknown, shortened %v, revision %d, latest %v\nwant %d, false, %d, %v", f.Unknown, f.Lost, f.Revision, f.Latest, unknown, revision, latest)
		}
		if unknown == 0 {
			t.Error("nothing was published since the copy")
		}
		for _, e := range m.entries {
			if _, ok := f.Numbers[e.Seq]; !ok {
				t.Errorf("message %d of the outbox was published before the copy was put back", e.Seq)
			}
		}
		// Who goes on with it as it is, in the topic of lists, is told.
		as := m.copied()
		as.put(update("late", 1))
		if f, err := Look(t.Context(), c.config(t, as, &faults{})); err != nil || f.Unknown < unknown {
			t.Errorf("put back, and a number given since: %d unknown (%v), want %d", f.Unknown, err, unknown)
		}
		if err := attempt(t, c.config(t, as, &faults{}), as); errors.Is(err, ErrCopied) != (lists > 0) {
			t.Errorf("Run of a store that was put back, with %d lists that it can know for others': %v", lists, err)
		}
		m.writer, m.entries, m.seq = NewWriter(m.writer), nil, 0
		for _, p := range f.Positions {
			m.positions[topicPartition{p.Topic, p.Partition}] = p.Next
		}
		if f := look(); f.Unknown != 0 {
			t.Errorf("a new writer: %d unknown", f.Unknown)
		}
		stretch()
	}
	type number struct {
		writer string
		seq    uint64
	}
	seen := map[number]bool{}
	for _, topic := range c.topics() {
		for _, r := range c.read(t, topic) {
			n := number{header(r, HeaderWriter), seqOf(t, r)}
			if seen[n] {
				t.Errorf("%+v is there twice", n)
			}
			seen[n] = true
		}
	}
}

// TestListsTopicMadeAnew deletes the topic and makes it again, while the publisher is stopped and while it works: it asks once for
// all lists, before anything is acknowledged, also when the new topic has grown beyond the old position by then.
func TestListsTopicMadeAnew(t *testing.T) {
	t.Parallel()
	madeAnew(t, newCluster(t, 2))
}

func madeAnew(t *testing.T, c *cluster) {
	t.Helper()
	m, put := newMemory(), 0
	asked := 0
	cfg := c.config(t, m, &faults{})
	cfg.Republish = func(f *Found) error {
		asked++
		if !f.Lost {
			t.Errorf("asked for lists after %+v", f)
		}
		return nil
	}
	some := func(n int) {
		for range n {
			put++
			m.put(update(fmt.Sprint("a", put%17), uint64(put)))
		}
	}
	some(60)
	deliver(t, cfg, m)

	c.recreate(t, c.similar)
	f, err := Look(t.Context(), cfg)
	if err != nil || !f.Lost || f.Unknown != 0 {
		t.Fatalf("a topic that was made anew: %+v (%v)", f, err)
	}
	some(5) // fewer than before: the end is before the position
	deliver(t, cfg, m)
	if asked != 1 {
		t.Errorf("asked %d times after a restart, want once", asked)
	}

	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := run(t, p)
	some(40)
	p.Wake()
	awaitEmpty(t, m)
	c.recreate(t, c.similar)
	some(400) // more than before: the offset alone tells
	p.Wake()
	awaitEmpty(t, m)
	done()
	if asked != 2 {
		t.Errorf("asked %d times, want another time while it works", asked)
	}
	if n := len(c.read(t, c.similar)); n != 400 {
		t.Errorf("%d messages in the new topic, want those since: 400", n)
	}
	if f, err := Look(t.Context(), cfg); err != nil || f.Lost || f.Unknown != 0 {
		t.Errorf("afterwards: %+v (%v)", f, err)
	}
}

// TestAnotherListsTopic: a topic of lists in which the store has no position, though it has some in others, lacks what was published.
// What has never published lacks nothing, and another topic of dead letters is no reason.
func TestAnotherListsTopic(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 2, kfake.SeedTopics(2, "other", "other.dlq")), newMemory()
	cfg := c.config(t, m, &faults{})
	look := func(lost bool, left ...string) {
		t.Helper()
		f, err := Look(t.Context(), cfg)
		if err != nil || f.Lost != lost || f.Unknown > 0 || lost && !slices.Equal(f.Left, left) {
			t.Fatalf("lost %v, left %v, %d unknown (%v), want %v, %v", f.Lost, f.Left, f.Unknown, err, lost, left)
		}
		maps.DeleteFunc(m.positions, func(at topicPartition, _ int64) bool { return lost && slices.Contains(f.Left, at.topic) })
		for _, p := range f.Positions {
			m.positions[topicPartition{p.Topic, p.Partition}] = p.Next
		}
	}
	look(false)
	m.put(c.mixed(40)...)
	deliver(t, cfg, m)
	look(false)
	cfg.Topics.DeadLetters = "other.dlq"
	look(false)
	for _, to := range []string{"other", c.similar, "other"} {
		was := cfg.Topics.Similar
		cfg.Topics.Similar = to
		switch {
		case to == "other" && len(c.read(t, "other")) == 0:
			look(true, c.dead, c.similar, c.motif())
		case to == "other":
			look(true, c.similar, c.motif()) // the topics of themes are named by that of the lists
		default:
			look(true, was)
		}
		look(false)
		m.put(update("a", m.Next()))
		deliver(t, cfg, m)
		look(false)
	}
}

func awaitEmpty(t *testing.T, m *memory) {
	t.Helper()
	select {
	case <-m.empty:
	case <-time.After(5 * time.Minute):
		t.Fatalf("the outbox still has %d entries after 20 s", m.waiting())
	}
}

// TestDeadLettersTopicMadeAnew: nothing can be asked for again.
func TestDeadLettersTopicMadeAnew(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1), newMemory()
	cfg := c.config(t, m, &faults{})
	cfg.Republish = func(*Found) error {
		t.Error("the lists are all there")
		return nil
	}
	for range 9 {
		m.put(rerank.EncodeMessage(c.dead, []byte("k"), nil, nil))
	}
	deliver(t, cfg, m)
	c.recreate(t, c.dead)
	if f, err := Look(t.Context(), cfg); err != nil || f.Lost {
		t.Errorf("%+v (%v)", f, err)
	}
	m.put(rerank.EncodeMessage(c.dead, []byte("k"), nil, nil))
	deliver(t, cfg, m)
	if n := len(c.read(t, c.dead)); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}
