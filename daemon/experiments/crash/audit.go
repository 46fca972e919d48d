package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/segmentio/kafka-go"
)

// ending is how a run ended.
type ending struct {
	topics topics
	served map[string]answer
	themed map[string]map[string]themeList // served, by topic and id
	cells  map[cellOf]cell                 // served
	counts counts
}

// report is the verdict; its JSON is the last line of the output.
type report struct {
	Kills      int `json:"kills"`
	Promotions int `json:"promotions"`
	Trainings  int `json:"trainings"`
	Trained    int `json:"trained"` // of the trainings, those that came to an end before the kill
	Restores   int `json:"restores"`
	Writers    int `json:"writers"` // whose messages are there
	Artifacts  int `json:"artifacts"`
	ThemeLists int `json:"theme_lists"` // compared, in the run that had more
	Cells      int `json:"cells"`       // of maps of cultures, the same
	Lost       int `json:"lost"`
	Twice      int `json:"twice"`
	Differing  int `json:"differing"`
	Faults     int `json:"faults"`

	say func(format string, args ...any)
}

func (r *report) clean() bool {
	return r.Lost == 0 && r.Twice == 0 && r.Differing == 0 && r.Faults == 0
}

func (r *report) lost(format string, args ...any) {
	r.Lost++
	r.say("lost: "+format, args...)
}

func (r *report) twice(format string, args ...any) {
	r.Twice++
	r.say("twice: "+format, args...)
}

func (r *report) differing(format string, args ...any) {
	r.Differing++
	r.say("differing: "+format, args...)
}

// audit compares a run, in which the folder was put back so many times, with what was fed; an error means that it can't be told.
func (r *report) audit(p *plan, e *ending, restores int) error {
	if err := r.auditFeed(p, e.topics.artifacts); err != nil {
		return err
	}
	if err := r.auditNumbers(e.topics, restores); err != nil {
		return err
	}
	if err := r.auditDead(p, e.topics); err != nil {
		return err
	}
	if err := r.auditThemes(p, e); err != nil {
		return err
	}
	if err := r.auditCells(e); err != nil {
		return err
	}
	return r.auditLists(p, e)
}

// auditFeed looks whether the topic holds the feed: each record once, each key's in
// order. If not, the broker or the feeder is at fault, and the rest says nothing.
func (r *report) auditFeed(p *plan, fed []kafka.Message) error {
	seen := make([]int, len(p.ops))
	last := map[int]int{}
	for i := range fed {
		seq, err := number(&fed[i], headerSeq)
		if err != nil {
			return err
		}
		if seq < 0 || seq >= len(seen) {
			return fmt.Errorf("the feed holds record %d of %d", seq, len(seen))
		}
		if before, ok := last[fed[i].Partition]; ok && before >= seq {
			return fmt.Errorf("the feed's partition %d has record %d after %d", fed[i].Partition, seq, before)
		}
		last[fed[i].Partition] = seq
		seen[seq]++
	}
	for seq, n := range seen {
		if n != 1 {
			return fmt.Errorf("the feed has record %d %d times", seq, n)
		}
	}
	return nil
}

// inFlight is the most messages that a daemon sends before it acknowledges them in its outbox (publish.batch): that many of
// the last of a folder that was replaced may be in their topics without those before them.
const inFlight = 1000

// auditNumbers looks at the outbox's numbers over all that was published: each writer's from 1 on, each once. Who wrote last has
// all of them there; a folder that was replaced took to its end what it had not published.
func (r *report) auditNumbers(t topics, restores int) error {
	writers := map[string]map[int]bool{}
	for _, list := range [][]kafka.Message{t.similar, t.themed, t.cultures, t.dead} {
		for i := range list {
			seq, err := number(&list[i], "kilim_seq")
			if err != nil {
				return err
			}
			writer := header(&list[i], "kilim_writer")
			seen := writers[writer]
			if seen == nil {
				seen = map[int]bool{}
				writers[writer] = seen
			}
			if seen[seq] {
				r.twice("message %d of %s, in %s", seq, writer, list[i].Topic)
			}
			seen[seq] = true
		}
	}
	if len(writers) > restores+1 {
		return fmt.Errorf("messages of %d writers, and %d folders were put back: %v", len(writers), restores, slices.Sorted(maps.Keys(writers)))
	}
	r.Writers = max(r.Writers, len(writers))
	last := ""
	if n := len(t.similar); n > 0 {
		last = header(&t.similar[n-1], "kilim_writer")
	}
	for writer, seen := range writers {
		due := slices.Max(slices.Collect(maps.Keys(seen)))
		if writer != last {
			due -= inFlight
		}
		for seq := 1; seq <= due; seq++ {
			if !seen[seq] {
				r.lost("message %d of %s", seq, writer)
			}
		}
	}
	return nil
}

// auditDead looks for one dead letter for each bad record, by each writer that has read it.
func (r *report) auditDead(p *plan, t topics) error {
	type place struct {
		writer    string
		partition string
		offset    string
	}
	seen := map[place]bool{}
	answered := map[int]bool{}
	for i := range t.dead {
		m := &t.dead[i]
		at := place{header(m, "kilim_writer"), header(m, "__connect.errors.partition"), header(m, "__connect.errors.offset")}
		if seen[at] {
			r.twice("dead letter for partition %s, offset %s", at.partition, at.offset)
		}
		seen[at] = true
		seq, err := number(m, headerSeq)
		if err != nil {
			return err
		}
		got := header(m, "__connect.errors.exception.class.name")
		if want, bad := p.refused[seq]; !bad || got != want {
			r.differing("record %d was refused as %q, expected %q: %s", seq, got, want, header(m, "__connect.errors.exception.message"))
		}
		answered[seq] = true
	}
	for seq, reason := range p.refused {
		if !answered[seq] {
			r.lost("dead letter for record %d (%s)", seq, reason)
		}
	}
	return nil
}

// update is what is read of a message of kilim.similar.
type update struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision"`
	Model    string `json:"model"` // in the topic of a theme
	Lists    lists  `json:"lists"`
}

// published gives the last message of each key, and looks at all of them.
func (r *report) published(similar []kafka.Message) (map[string]*update, error) {
	last := map[string]*update{}
	newest := map[string]int64{}
	events := map[string]bool{}
	for i := range similar {
		m := &similar[i]
		event := header(m, "ce_id")
		if events[event] {
			r.twice("event %s", event)
		}
		events[event] = true
		id := string(m.Key)
		var revision int64
		if _, err := fmt.Sscanf(event[min(len(id), len(event)):], "/%d", &revision); err != nil {
			return nil, fmt.Errorf("%s/%d offset %d: ce_id %q of %q: %w", m.Topic, m.Partition, m.Offset, event, id, err)
		}
		if before, ok := newest[id]; ok && before > revision {
			r.differing("%s was published in revision %d after %d", id, revision, before)
		}
		newest[id] = revision
		if m.Value == nil {
			last[id] = nil
			continue
		}
		u := new(update)
		if err := json.Unmarshal(m.Value, u); err != nil {
			return nil, fmt.Errorf("%s/%d offset %d: %w", m.Topic, m.Partition, m.Offset, err)
		}
		if u.ID != id || u.Revision != revision {
			r.differing("event %s says it is %s/%d", event, u.ID, u.Revision)
		}
		last[id] = u
	}
	return last, nil
}

// auditLists compares the artifacts: fed, served and published.
func (r *report) auditLists(p *plan, e *ending) error {
	last, err := r.published(e.topics.similar)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(p.live)) {
		got := e.served[id]
		switch u := last[id]; {
		case !got.found:
			r.lost("artifact %s", id)
		case !sameJSON(got.artifact, p.live[id]):
			r.lost("the last form of artifact %s; stored is %.200s", id, got.artifact)
		case u == nil:
			r.lost("the lists of %s were never published, or taken back", id)
		case !reflect.DeepEqual(u.Lists, got.lists):
			r.differing("%s: published last %v, served %v", id, u.Lists, got.lists)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.deleted)) {
		if e.served[id].found {
			r.lost("the delete of %s", id)
		}
		if last[id] != nil {
			r.lost("the tombstone of %s", id)
		}
	}
	for id := range last {
		if p.live[id] == nil && !p.deleted[id] {
			r.differing("lists were published for %s, which was never fed", id)
		}
	}
	if e.counts.Artifacts != len(p.live) || e.counts.Index.Vectors != len(p.live) {
		r.differing("%d artifacts and %d vectors of %d", e.counts.Artifacts, e.counts.Index.Vectors, len(p.live))
	}
	return nil
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// compare holds a run against the one never killed.
func (r *report) compare(got, want *ending) {
	if !reflect.DeepEqual(got.counts, want.counts) {
		r.differing("counts are %+v, never killed %+v", got.counts, want.counts)
	}
	for _, id := range slices.Sorted(maps.Keys(want.served)) {
		if a, b := got.served[id].lists, want.served[id].lists; !reflect.DeepEqual(a, b) {
			r.differing("%s: lists are %v, never killed %v", id, a, b)
		}
	}
	r.compareCells(got, want)
}
