package standby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/annindex/hnsw"
	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/made"
	"kilim/graphstore"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/train/registry"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// exact is the configuration in which the lists are a pure function of what lives and of the model.
func exact(m registry.Model, _ map[string]feature.Identity) (pipeline.Config, error) {
	return pipeline.Config{
		DeadLetters: "dlq", Engine: "flat", Graph: hnsw.Config{},
		Text:   text.Config{Dim: 32, Seed: 1},
		Model:  infer.Config{Text: 32, Facts: facts.Dim, Width: 16, Bases: 2, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: m.Seed},
		Budget: 16, Linger: 3 * time.Millisecond,
		Settings: made.Settings{ListSize: 5, Candidates: 20, RareMembers: 8}, MaxOutbox: 1 << 30, CacheBytes: 200_000,
	}, nil
}

// anyModel has every model fit.
type anyModel struct{}

func (anyModel) Fits(registry.Model) error                      { return nil }
func (anyModel) Adapt(m registry.Model) (registry.Model, error) { return m, nil }
func (anyModel) Judge(context.Context, registry.Model, *pipeline.Engine, *pipeline.Engine) error {
	return errors.New("no model is adapted here")
}

// topic is what the publisher has written, over all lives of the daemon, in one partition.
type topic struct {
	lock     sync.Mutex
	log      []logged
	messages []rerank.OutMessage
	letters  []rerank.OutMessage // dead ones
	values   map[number]string
	faults   []string
	// putBack has, by the number of messages at which a folder was put back, the lists that it had published.
	putBack map[int]map[string]rerank.Lists
}

// number is what a message is known by.
type number struct {
	writer string
	seq    uint64
}

type logged struct {
	number
	rerank.OutMessage
}

func newTopic() *topic {
	return &topic{values: map[number]string{}, putBack: map[int]map[string]rerank.Lists{}}
}

func (o *topic) clone() *topic {
	c := newTopic()
	c.log, c.messages, c.letters, c.faults = slices.Clone(o.log), slices.Clone(o.messages), slices.Clone(o.letters), slices.Clone(o.faults)
	maps.Copy(c.values, o.values)
	maps.Copy(c.putBack, o.putBack)
	return c
}

// write takes a message as Kafka and the publisher's reconciliation do: a number that is there is not written again.
func (o *topic) write(writer string, e graphstore.OutboxEntry) error {
	o.lock.Lock()
	defer o.lock.Unlock()
	n := number{writer, e.Seq}
	if was, ok := o.values[n]; ok {
		if was != string(e.Value) {
			o.faults = append(o.faults, fmt.Sprintf("message %+v is two different ones", n))
		}
		return nil
	}
	o.values[n] = string(e.Value)
	m, err := rerank.Decode(e.Value)
	o.log = append(o.log, logged{n, m})
	switch m.Kind {
	case rerank.KindMessage:
		o.letters = append(o.letters, m)
	case rerank.KindThemed, rerank.KindCell, rerank.KindQuery: // which the log has
	default:
		o.messages = append(o.messages, m)
	}
	return err
}

func (o *topic) end() []graphstore.Position {
	o.lock.Lock()
	defer o.lock.Unlock()
	return []graphstore.Position{{Topic: "out", Next: int64(len(o.log))}}
}

// look is publish.Look.
func (o *topic) look(s *graphstore.Store) (*publish.Found, error) {
	f := &publish.Found{Numbers: map[uint64]struct{}{}, Latest: map[string]publish.Latest{}, Positions: []publish.Position{publish.Position(o.end()[0])}}
	stored, err := s.Positions()
	if err != nil || len(stored) == 0 {
		return f, err
	}
	var writer string
	if err := s.View(func(r *graphstore.Reader) (err error) {
		writer, err = r.Writer()
		return err
	}); err != nil {
		return nil, err
	}
	from := stored[0].Next
	if from > int64(len(o.log)) {
		f.Lost, from = true, 0
	}
	for _, m := range o.log[from:] {
		if m.writer != writer || m.seq >= s.NextSeq() {
			f.Unknown++
		} else {
			f.Numbers[m.seq] = struct{}{}
		}
		switch latest := (publish.Latest{Revision: m.Revision, Gone: m.Value == nil}); {
		case m.Kind == rerank.KindThemed && f.Themed == nil:
			f.Themed = map[string]map[string]publish.Latest{m.Topic: {m.ID: latest}}
		case m.Kind == rerank.KindThemed:
			f.Themed[m.Topic][m.ID] = latest
		case m.Kind == rerank.KindCell && f.Cells == nil:
			f.Cells = map[string]publish.Latest{m.ID: latest}
		case m.Kind == rerank.KindCell:
			f.Cells[m.ID] = latest
		case m.Kind == rerank.KindQuery && f.Queries == nil:
			f.Queries = map[string]publish.Latest{m.ID: {Revision: m.Revision, Gone: m.Update == nil}}
		case m.Kind == rerank.KindQuery:
			f.Queries[m.ID] = publish.Latest{Revision: m.Revision, Gone: m.Update == nil}
		}
		if m.Kind == rerank.KindUpdate || m.Kind == rerank.KindTombstone {
			f.Latest[m.ID] = publish.Latest{Revision: m.Revision, Gone: m.Update == nil}
			f.Revision = max(f.Revision, m.Revision)
		}
	}
	if f.Unknown == 0 && !f.Lost {
		f.Positions[0].Next = from
	}
	return f, nil
}

// life is one process of a daemon, without Kafka.
type life struct {
	t       testing.TB
	manager *Manager
	topic   *topic
	ctx     context.Context
	stop    context.CancelCauseFunc
	wake    chan struct{}
	wg      sync.WaitGroup
}

func open(t testing.TB, dir string, o *topic, before func(string) error) (*life, error) {
	models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, before)
	if err != nil {
		return nil, err
	}
	for seed := uint64(2); seed <= 3; seed++ {
		if len(models.List()) < int(seed) {
			if _, err := models.Add(registry.Model{Seed: seed}); err != nil {
				return nil, err
			}
		}
	}
	return openWith(t, dir, o, models, before)
}

func openWith(t testing.TB, dir string, o *topic, models *registry.Registry, before func(string) error, change ...func(*Config)) (l *life, err error) {
	l = &life{t: t, topic: o, wake: make(chan struct{}, 1)}
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "refused"}, []string{"reason"})
	cfg := Config{
		Data: dir, Store: graphstore.Options{SyncWrites: graphstore.NoSync, MemtableMB: 4, CacheMB: 4, BeforeWrite: before},
		Pipeline: exact, Models: models, Fitting: anyModel{}, Metrics: pipeline.NewMetrics(prometheus.NewRegistry(), refused),
		Committed: func() {
			select {
			case l.wake <- struct{}{}:
			default:
			}
		},
		Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&cfg)
	}
	if l.manager, err = Open(cfg); err != nil || o == nil {
		return l, err
	}
	if err := l.look(); err != nil {
		return l, errors.Join(err, l.manager.Close())
	}
	return l, nil
}

// look does as a start of the daemon before anything works.
func (l *life) look() error {
	store := l.manager.serving.Load().store
	found, err := l.topic.look(store)
	if err != nil {
		return err
	}
	if positions, err := store.Positions(); err != nil {
		return err
	} else if len(positions) == 0 {
		return store.Ack(0, l.topic.end())
	}
	if found.Unknown == 0 && !found.Lost {
		return nil
	}
	return l.manager.Republish(found)
}

// run sets everything to work; what fails ends the life with the cause.
func (l *life) run() {
	l.ctx, l.stop = context.WithCancelCause(context.Background())
	for _, part := range []func(context.Context) error{l.manager.Run, l.publish} {
		l.wg.Add(1)
		go func() {
			defer l.wg.Done()
			if err := part(l.ctx); err != nil {
				l.stop(err)
			}
		}()
	}
}

// publish delivers the outbox, in small portions.
func (l *life) publish(ctx context.Context) error {
	for {
		more := false
		err := l.manager.Publisher(func(s *graphstore.Store) error {
			var entries []graphstore.OutboxEntry
			if err := s.View(func(r *graphstore.Reader) (err error) {
				entries, err = r.Outbox(0, 7)
				return err
			}); err != nil || len(entries) == 0 {
				return err
			}
			more = true
			var writer string
			if err := s.View(func(r *graphstore.Reader) (err error) {
				writer, err = r.Writer()
				return err
			}); err != nil {
				return err
			}
			for _, e := range entries {
				if err := l.topic.write(writer, e); err != nil {
					return err
				}
			}
			return s.Ack(entries[len(entries)-1].Seq, l.topic.end())
		})
		if err != nil {
			return err
		}
		if more {
			l.manager.Engine().Published()
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
	}
}

// end stops a life and returns why it ended, nil when nothing had failed.
func (l *life) end() error {
	ended := errors.New("ended by the test")
	l.stop(ended)
	l.wg.Wait()
	err := l.manager.Close()
	if cause := context.Cause(l.ctx); !errors.Is(cause, ended) {
		err = errors.Join(cause, err)
	}
	return err
}

// await waits until done, or for the end of the life or of a build, of which it returns the cause.
func (l *life) await(done func() bool) error {
	deadline := time.Now().Add(10 * time.Minute)
	for !done() {
		if err := l.failure(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			s := l.manager.Engine().Status()
			return fmt.Errorf("not done after a minute: %+v, queue %d, outbox %d", l.manager.Status(), s.RefreshQueue, s.Outbox)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// failure is why the life or a build has ended, nil while none has.
func (l *life) failure() error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	l.manager.lock.Lock()
	defer l.manager.lock.Unlock()
	return l.manager.buildErr
}

// settled: an instance of the epoch serves, and nothing is left to do.
func (l *life) settled(epoch uint32) func() bool {
	return func() bool {
		s, e := l.manager.Status(), l.manager.Engine().Status()
		return s.Serving.Epoch == epoch && s.Next == nil && !s.Republishing && e.RefreshQueue == 0 && e.Outbox == 0
	}
}

// change is one record: fields nil is a deletion.
type change struct {
	id     string
	fields map[string]any
}

// apply feeds the changes from the stored offset on, up to an offset.
func (l *life) apply(changes []change, upto, batch int) error {
	return l.applyItems(func(i int) consumer.Item { return item(changes[i], int64(i)) }, upto, batch)
}

func (l *life) applyItems(item func(i int) consumer.Item, upto, batch int) error {
	for {
		next, _, err := l.manager.StoredOffset("in", 0)
		if err != nil || int(next.Next) >= upto {
			return err
		}
		b := &consumer.Batch{}
		for i := int(next.Next); i < min(int(next.Next)+batch, upto); i++ {
			b.Items = append(b.Items, item(i))
		}
		b.Next = []consumer.Offset{{Topic: "in", Partition: 0, Next: next.Next + int64(len(b.Items))}}
		if err := l.manager.Apply(l.ctx, b); err != nil {
			return err
		}
	}
}

func item(c change, offset int64) consumer.Item {
	it := consumer.Item{
		Record: consumer.Record{Topic: "in", Offset: offset, Time: time.Unix(1_700_000_000+offset, 0), Key: []byte(c.id)},
		ID:     c.id,
	}
	if c.fields == nil {
		return it
	}
	fields := c.fields
	if len(fields) == 0 {
		fields = map[string]any{"id": c.id} // an object without any field is refused
	}
	raw, err := json.Marshal(fields)
	if err == nil {
		it.Value = raw
		it.Artifact, err = profile.Parse(raw, c.id, profile.DefaultLimits())
	}
	if err != nil {
		panic(err)
	}
	return it
}

// history is a seeded sequence of records, and what lives after all of them.
func history(seed uint64, records, ids int) (changes, live []change) {
	rng := rand.New(rand.NewPCG(seed, 3))
	words := []string{"border", "lozenge", "star", "hook", "ram", "horn", "river", "eye", "comb", "bird", "indigo", "madder"}
	last := map[string]map[string]any{}
	for range records {
		id := fmt.Sprintf("a%d", rng.IntN(ids))
		if last[id] != nil && rng.IntN(4) == 0 {
			delete(last, id)
			changes = append(changes, change{id: id})
			continue
		}
		title := ""
		for range 4 {
			title += words[rng.IntN(len(words))] + " "
		}
		f := map[string]any{"title": title, "culture": []string{fmt.Sprintf("culture %d", rng.IntN(4))}}
		if target := fmt.Sprintf("a%d", rng.IntN(ids)); target != id && rng.IntN(3) == 0 {
			f["link"] = []any{map[string]any{"type": "related", "target": target}}
		}
		last[id] = f
		changes = append(changes, change{id, f})
	}
	for _, id := range slices.Sorted(maps.Keys(last)) {
		live = append(live, change{id, last[id]})
	}
	return changes, live
}

// lists are those that queries show, by artifact and list.
func (l *life) lists(live []change) map[string]rerank.Lists {
	l.t.Helper()
	out := map[string]rerank.Lists{}
	for _, c := range live {
		var both rerank.Lists
		for _, name := range []string{rerank.ListTotal, rerank.ListGeneral} {
			answer, err := l.manager.Engine().Queries().Similar(l.ctx, c.id, name, 5)
			if err != nil {
				l.t.Fatalf("%s list of %q: %v", name, c.id, err)
			}
			both = append(both, rerank.List{Name: name, Entries: answer.Items})
		}
		out[c.id] = both
	}
	return out
}

func sameLists(a, b rerank.Lists) bool {
	return slices.EqualFunc(a, b, func(a, b rerank.List) bool {
		return a.Name == b.Name && slices.Equal(a.Entries, b.Entries)
	})
}

// fromTheStart are the lists of a state that has had the model of an epoch, and what lives, from the start.
func fromTheStart(t testing.TB, epoch uint32, live []change) map[string]rerank.Lists {
	t.Helper()
	dir := t.TempDir()
	models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: uint64(epoch)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := openWith(t, dir, newTopic(), models, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	if err := errors.Join(l.apply(live, len(live), len(live)), l.await(l.settled(1))); err != nil {
		t.Fatal(err)
	}
	lists := l.lists(live)
	if err := l.end(); err != nil {
		t.Fatal(err)
	}
	return lists
}

// audit holds what is served and what was published against the lists that there should be.
func (l *life) audit(what string, live []change, want map[string]rerank.Lists, epochs ...uint32) {
	l.t.Helper()
	for id, got := range l.lists(live) {
		if !sameLists(got, want[id]) {
			l.t.Errorf("%s: lists of %q are %+v\nwant %+v", what, id, got, want[id])
			return
		}
	}
	o := l.topic
	o.lock.Lock()
	defer o.lock.Unlock()
	for _, f := range o.faults {
		l.t.Errorf("%s: %s", what, f)
	}
	highest := map[string]uint64{}
	for _, m := range o.log {
		if m.seq != highest[m.writer]+1 {
			l.t.Errorf("%s: message %d of writer %s comes after %d", what, m.seq, m.writer, highest[m.writer])
		}
		highest[m.writer] = m.seq
	}
	// before are the lists from which changes are counted.
	last, before, ids := map[string]*rerank.Update{}, map[string]rerank.Lists{}, map[string]bool{}
	phase := 0
	for i, m := range o.messages {
		if lists, ok := o.putBack[i]; ok {
			before = maps.Clone(lists)
		}
		id := fmt.Sprintf("%s/%d", m.ID, m.Revision)
		if ids[id] {
			l.t.Errorf("%s: %s is published twice", what, id)
		}
		ids[id] = true
		if was := last[m.ID]; was != nil && was.Revision >= m.Revision {
			l.t.Errorf("%s: %s comes after revision %d", what, id, was.Revision)
		}
		was := before[m.ID]
		last[m.ID] = m.Update
		if m.Update == nil {
			delete(before, m.ID)
			continue
		}
		before[m.ID] = m.Update.Lists
		if phase+1 < len(epochs) && m.Update.Epoch == epochs[phase+1] {
			phase++
		}
		if m.Update.Epoch != epochs[phase] && len(o.putBack) == 0 {
			l.t.Errorf("%s: an update of epoch %d among those of %d", what, m.Update.Epoch, epochs[phase])
		}
		if d, got := rerank.Diff(was.Get("total"), m.Update.Lists.Get("total")), m.Update.Changes["total"]; !slices.Equal(d.Entered, got.Entered) || !slices.Equal(d.Left, got.Left) || !slices.Equal(d.Moved, got.Moved) {
			l.t.Errorf("%s: %s tells the changes %+v, against the update before they are %+v", what, id, got, d)
		}
	}
	for id, lists := range want {
		if u := last[id]; u == nil || !sameLists(u.Lists, lists) || u.Epoch != epochs[len(epochs)-1] {
			l.t.Errorf("%s: the last published list of %q is not the served one", what, id)
		}
	}
	for id, u := range last {
		if _, lives := want[id]; u != nil && !lives {
			l.t.Errorf("%s: the last message of %q, which is gone, is no tombstone", what, id)
		}
	}
}
