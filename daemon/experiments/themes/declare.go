package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
	"kilim/daemon/themes/stored"
	"kilim/daemon/web"
)

const (
	similar = "kilim.similar"
	// trickled records come at trickle a second while the theme is declared; the first of them a little before.
	trickled, trickle = 300, 5
	before            = 5 * time.Second
	// watched is how many lists of each other theme are compared, of longestTold entries.
	watched, longestTold = 5, 10
)

// declaring is a daemon to which a theme is declared while records come.
type declaring struct {
	*daemonproc.Instance
	o      *options
	themes []string // all others
	// asked are the artifacts whose lists are asked for: the first has labels of the declared theme.
	asked []string
	came  map[string]bool // those that come while it is declared
}

// runDeclare declares a theme that the records of an archive have labels of, and tells when it is answered for and told of, and what that is for the other themes.
func runDeclare(ctx context.Context, o *options, stdout io.Writer) error {
	records, err := feedfile.Read(o.feed, 0)
	if err != nil {
		return err
	}
	all, err := readArchive(o.feed)
	if err != nil {
		return err
	}
	if len(records) < 2*trickled || !slices.Contains(all.themes(), o.declare) {
		return fmt.Errorf("%s: %d records of themes %q: want %d, and %q among these", o.feed, len(records), all.themes(), 2*trickled, o.declare)
	}
	dir, err := os.MkdirTemp("", "kilim-bench-themes")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	i, err := daemonproc.NewInstance(o.kilim, filepath.Join(dir, "state"), "")
	if err != nil {
		return err
	}
	d := &declaring{Instance: i, o: o, came: map[string]bool{}}
	d.themes = slices.DeleteFunc(all.themes(), func(name string) bool { return name == o.declare })
	stay := records[:len(records)-trickled]
	for _, r := range records[len(stay):] {
		d.came[r.ID] = true
	}
	for at := range stay {
		if labels := all.labels[at]; len(d.asked) < watched && (len(d.asked) > 0 || len(labels[o.declare]) > 0) {
			d.asked = append(d.asked, stay[at].ID)
		}
	}
	if err := d.unlabel(records[len(stay):]); err != nil {
		return err
	}
	base, live := filepath.Join(dir, "base.jsonl"), filepath.Join(dir, "live.jsonl")
	if err := errors.Join(feedfile.Write(base, stay), feedfile.Write(live, records[len(stay):])); err != nil {
		return err
	}
	p, err := d.Serve("--train.share=0", "--themes.least=1000000")
	if err != nil {
		return err
	}
	defer p.Close()
	ctx, cancel := p.Alive(ctx)
	defer cancel()
	if err := d.Ready(ctx); err != nil {
		return err
	}
	if err := d.prepare(ctx, base); err != nil {
		return err
	}
	if err := d.measure(ctx, live, stdout); err != nil {
		return p.Explain(err)
	}
	return p.Stop()
}

// unlabel takes the labels from records: with them the other themes would have more to learn from, and their lists change, whatever is declared.
func (d *declaring) unlabel(records []feedfile.Record) error {
	for i := range records {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(records[i].Line, &fields); err != nil {
			return fmt.Errorf("%s: %w", records[i].ID, err)
		}
		delete(fields, "theme")
		b, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		records[i].Line = b
	}
	return nil
}

// prepare declares the other themes, feeds the archive and waits until all of it is learned and told.
func (d *declaring) prepare(ctx context.Context, base string) error {
	for _, name := range d.themes {
		if err := d.add(ctx, name); err != nil {
			return err
		}
	}
	if _, err := d.Feed(ctx, base, 0); err != nil {
		return err
	}
	if _, err := d.Settle(ctx); err != nil {
		return err
	}
	return daemonproc.Poll(ctx, time.Second, func() error { return d.rested(ctx, len(d.themes)) })
}

// rested is an error until so many themes serve and all lists are told.
func (d *declaring) rested(ctx context.Context, served int) error {
	var now web.Themes
	if _, err := d.Get(ctx, "/api/v1/themes", &now); err != nil {
		return err
	}
	if now.Served != served || now.Waiting > 0 || now.Due > 0 || now.Lists == 0 || now.Phase != "idle" {
		return fmt.Errorf("the themes are not at rest: %+v", now.ThemesStatus)
	}
	return nil
}

func (d *declaring) add(ctx context.Context, name string) error {
	_, err := daemonproc.Run(ctx, daemonproc.Command{Path: d.Kilim, Args: []string{"theme", "add", name, "--http", "http://" + d.HTTP}, Log: d.Data + ".theme.log"})
	return err
}

// measure declares the theme while records come.
func (d *declaring) measure(ctx context.Context, live string, stdout io.Writer) error {
	was, err := d.lists(ctx)
	if err != nil {
		return err
	}
	heard, err := d.listen(ctx)
	if err != nil {
		return err
	}
	defer heard.close()
	fed := make(chan error, 1)
	go func() {
		_, err := d.Feed(ctx, live, trickle)
		fed <- err
	}()
	select {
	case <-time.After(before):
	case <-ctx.Done():
		return ctx.Err()
	}
	start, busy, err := time.Now(), 0.0, error(nil)
	if busy, err = d.processor(ctx); err != nil {
		return err
	}
	if err := d.add(ctx, d.o.declare); err != nil {
		return err
	}
	partial := false
	if err := daemonproc.Poll(ctx, 20*time.Millisecond, func() error {
		var a web.ThemeAnswer
		found, err := d.Get(ctx, d.path(d.asked[0], d.o.declare), &a)
		if err == nil && (!found || len(a.Items) == 0) {
			err = fmt.Errorf("no list of %q yet", d.o.declare) // not found, until the survey knows of it
		}
		partial = a.Partial
		return err
	}); err != nil {
		return err
	}
	answered := time.Since(start)
	used, err := d.processor(ctx)
	if err != nil {
		return err
	}
	early, err := d.lists(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%q: %.2f s after its declaration the first list (partial: %v), by %.2f s of the daemon's processor time\n", d.o.declare, answered.Seconds(), partial, used-busy)
	fmt.Fprintf(stdout, "the other themes then: of %d lists %d are the same to the last digit, but for artifacts that have come since\n", len(was), same(was, early))
	told, err := heard.first(ctx, stored.Topic(similar, d.o.declare))
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the first message in its topic: %.2f s after its declaration\n", told.Sub(start).Seconds())
	if err := <-fed; err != nil {
		return err
	}
	if err := daemonproc.Poll(ctx, time.Second, func() error { return d.rested(ctx, len(d.themes)+1) }); err != nil {
		return err
	}
	late, err := d.lists(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "at rest, by the model that knows it: %d of %d are the same\n", same(was, late), len(was))
	return heard.tell(stdout, d.came, start)
}

// processor is the processor time that the daemon has taken, in seconds.
func (d *declaring) processor(ctx context.Context) (float64, error) {
	m, err := d.Metrics(ctx)
	return m.Total("process_cpu_seconds_total"), err
}

func (d *declaring) path(id, theme string) string {
	return fmt.Sprintf("/api/v1/artifacts/%s/similar?list=%s&k=%d", url.PathEscape(id), url.QueryEscape("theme:"+theme), 4*longestTold)
}

// lists are those of the other themes that are watched, without the artifacts that come meanwhile. Each must be answered.
func (d *declaring) lists(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range d.themes {
		for _, id := range d.asked {
			var a web.ThemeAnswer
			if found, err := d.Get(ctx, d.path(id, name), &a); err != nil || !found {
				return nil, errors.Join(err, fmt.Errorf("theme %q of %q: found: %v", name, id, found))
			}
			var text strings.Builder
			kept := slices.DeleteFunc(a.Items, func(i web.ThemeItem) bool { return d.came[i.ID] })
			for _, item := range kept[:min(longestTold, len(kept))] {
				fmt.Fprintf(&text, "%s %v %v\n", item.ID, item.Score, item.Parts)
			}
			out[name+"\n"+id] = text.String()
		}
	}
	return out, nil
}

func same(a, b map[string]string) (n int) {
	for key, list := range a {
		if b[key] == list {
			n++
		}
	}
	return n
}

// heard are the messages of all topics of lists from now on.
type heard struct {
	client *kgo.Client
	stop   context.CancelFunc
	ended  sync.WaitGroup
	lock   sync.Mutex
	at     map[string]time.Time // of the first of each topic
	own    map[string]time.Time // of the first of each artifact in the general topic
	// themes are the times of those of the other themes.
	themes []time.Time
}

func (d *declaring) listen(ctx context.Context) (*heard, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(d.Kafka), kgo.ConsumeTopics("^kilim\\.similar(\\..*)?$"), kgo.ConsumeRegex(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AfterMilli(time.Now().UnixMilli())), kgo.FetchMaxWait(20*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	h := &heard{client: client, stop: stop, at: map[string]time.Time{}, own: map[string]time.Time{}}
	fresh := stored.Topic(similar, d.o.declare)
	h.ended.Go(func() {
		for ctx.Err() == nil {
			fetched, now := client.PollFetches(ctx), time.Now()
			h.lock.Lock()
			fetched.EachRecord(func(r *kgo.Record) {
				if _, ok := h.at[r.Topic]; !ok {
					h.at[r.Topic] = now
				}
				if _, ok := h.own[string(r.Key)]; !ok && r.Topic == similar {
					h.own[string(r.Key)] = now
				}
				if r.Topic != similar && r.Topic != fresh {
					h.themes = append(h.themes, now)
				}
			})
			h.lock.Unlock()
		}
	})
	return h, nil
}

func (h *heard) close() {
	h.stop()
	h.ended.Wait()
	h.client.Close()
}

// first waits for the first message of a topic.
func (h *heard) first(ctx context.Context, topic string) (at time.Time, err error) {
	err = daemonproc.Poll(ctx, 20*time.Millisecond, func() error {
		h.lock.Lock()
		defer h.lock.Unlock()
		if at = h.at[topic]; at.IsZero() {
			return fmt.Errorf("nothing is in %s", topic)
		}
		return nil
	})
	return at, err
}

// tell says how long the topics were silent, and wants all that came to be told.
func (h *heard) tell(stdout io.Writer, came map[string]bool, declared time.Time) error {
	h.lock.Lock()
	defer h.lock.Unlock()
	var own []time.Time
	for id := range came {
		if at, ok := h.own[id]; ok {
			own = append(own, at)
		}
	}
	slices.SortFunc(own, time.Time.Compare)
	for _, of := range []struct {
		what  string
		times []time.Time
	}{{"newcomers in " + similar, own}, {"messages of the other themes", h.themes}} {
		fmt.Fprintf(stdout, "%d %s, the longest silence between two %.2f s before and %.2f s after the declaration\n", len(of.times), of.what,
			silence(of.times, declared, true), silence(of.times, declared, false))
	}
	if len(own) != len(came) {
		return fmt.Errorf("of %d artifacts that came, %d are told in %s", len(came), len(own), similar)
	}
	return nil
}

// silence is the longest time between two that follow each other, of which the later is before another or is not, in seconds.
func silence(times []time.Time, declared time.Time, earlier bool) (most float64) {
	for i := 1; i < len(times); i++ {
		if times[i].Before(declared) == earlier {
			most = max(most, times[i].Sub(times[i-1]).Seconds())
		}
	}
	return most
}
