package standby

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/clock"
	"kilim/daemon/themes/stored"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// Republish has all lists of what serves published again, after what publish.Look or a Publisher has found: messages that the state
// does not know, or a topic (made anew, or another than before) without those that it knows. In one commit all lists count as not published, and the next
// revision is above all that were found. If messages are unknown, then in the same commit the state becomes another writer: its
// folder was put back, and the numbers that it would give are taken. The lists follow in the background, as after a cutover.
// What changed in them is counted from what the folder has: for a folder that was put back that is what was published when it was copied.
//
// The obvious design, to publish only what differs from the topic, would have to hold what the topic has of each artifact, through
// every crash, until all are compared.
func (m *Manager) Republish(found *publish.Found) error {
	// The publisher must not acknowledge what is taken out of the outbox.
	m.publishing.Lock()
	defer m.publishing.Unlock()
	for {
		s := m.serving.Load()
		engine := s.engine.Load()
		err := engine.Renew(func(store *graphstore.Store) error { return m.republish(store, found) })
		if errors.Is(err, pipeline.ErrRetired) && engine != m.Engine() {
			continue
		}
		if err != nil {
			return fmt.Errorf("standby: publish all lists again: %w", err)
		}
		m.restartWorkers(s)
		m.cfg.Committed()
		return nil
	}
}

func (m *Manager) republish(store *graphstore.Store, found *publish.Found) error {
	tx := store.Begin()
	defer tx.Discard()
	revision, err := clock.Republish(tx, found.Revision)
	if err != nil {
		return err
	}
	if err := tx.ForgetPositions(found.Left); err != nil {
		return err
	}
	lists := tx.Counts().Artifacts
	if found.Unknown == 0 {
		if err := tx.Commit(); err != nil {
			return err
		}
		m.metrics.republications.WithLabelValues(reasonTopic).Inc()
		m.log.Warn("the topic of lists does not have what was published: another one is configured, it was made anew, or the cluster has lost records; all lists are published again",
			"lists", lists, "topics_left", found.Left)
		// After the commit: before that a crash would leave a state that does not know what is lost.
		return store.Ack(0, positions(found))
	}
	was, err := tx.Writer()
	if err != nil {
		return err
	}
	values, err := outboxAfter(&tx.Reader, found, revision)
	if err != nil {
		return err
	}
	is := publish.NewWriter(was)
	if err := tx.ResetOutbox(is, values, positions(found)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if found.Taken {
		m.metrics.republications.WithLabelValues(reasonTaken).Inc()
		m.log.Info("another process published; this state goes on as a writer of its own, and all lists are compared with the topic", "writer_was", was, "writer_is", is, "lists", lists)
		return nil
	}
	m.metrics.republications.WithLabelValues(reasonRestored).Inc()
	m.log.Warn("the state is older than what was published of it: its folder was put back; it goes on as another writer, and all lists are published again",
		"unknown_messages", found.Unknown, "writer_was", was, "writer_is", is, "lists", lists)
	return nil
}

func positions(found *publish.Found) []graphstore.Position {
	out := make([]graphstore.Position, len(found.Positions))
	for i, p := range found.Positions {
		out[i] = graphstore.Position(p)
	}
	return out
}

// outboxAfter is what the outbox of a folder that was put back has to hold besides the lists, which follow: the dead letters that
// are not in their topic, and tombstones for artifacts that the state does not have, where the topic ends with a list, or
// may do so. The same for artifacts without a list of a theme, in that theme's topic, and for cells of maps and standing queries.
func outboxAfter(r *graphstore.Reader, found *publish.Found, revision uint64) (values [][]byte, err error) {
	gone := map[string]time.Time{} // when the record came that deleted it, if one is known
	for id, latest := range found.Latest {
		if !latest.Gone {
			gone[id] = time.Time{}
		}
	}
	themed := themedGone{}
	for topic, ids := range found.Themed {
		for id, latest := range ids {
			if !latest.Gone {
				themed.add(topic, id, time.Time{})
			}
		}
	}
	cells, queries := present(found.Cells), present(found.Queries)
	const page = 1024
	for after := uint64(0); ; {
		entries, err := r.Outbox(after, page)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			after = e.Seq
			m, err := rerank.Decode(e.Value)
			if err != nil {
				return nil, fmt.Errorf("message %d of the outbox: %w", e.Seq, err)
			}
			_, sent := found.Numbers[e.Seq]
			latest, there := found.Latest[m.ID]
			if m.Kind == rerank.KindThemed && m.Value == nil && !sent {
				themed.add(m.Topic, m.ID, m.Recorded)
			}
			switch {
			case m.Kind == rerank.KindCell && m.Value == nil && !sent:
				cells[m.ID] = struct{}{}
			case m.Kind == rerank.KindQuery && m.Update == nil && !sent:
				queries[m.ID] = struct{}{}
			case m.Kind == rerank.KindMessage && !sent:
				values = append(values, e.Value)
			case m.Kind == rerank.KindTombstone && !(there && latest.Gone):
				gone[m.ID] = m.Recorded
			}
		}
		if len(entries) < page {
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		n, err := r.Node(graphstore.ID(graphstore.Artifact, id))
		if err != nil {
			return nil, err
		}
		if !n.IsArtifact() {
			values = append(values, rerank.EncodeTombstone(id, revision, gone[id]))
		}
	}
	more, err := themed.tombstones(r, revision)
	if err != nil {
		return nil, err
	}
	values = append(values, more...)
	for _, key := range slices.Sorted(maps.Keys(cells)) {
		switch cell, err := r.Cell(key); {
		case err != nil:
			return nil, err
		case cell == nil:
			values = append(values, rerank.EncodeCell(key, revision, nil))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		switch row, err := r.Standing(name); {
		case err != nil:
			return nil, err
		case row == nil:
			values = append(values, rerank.EncodeQueryGone(name, revision))
		}
	}
	return values, nil
}

// present are the keys of which a topic does not end with a tombstone.
func present(latest map[string]publish.Latest) map[string]struct{} {
	out := map[string]struct{}{}
	for key, l := range latest {
		if !l.Gone {
			out[key] = struct{}{}
		}
	}
	return out
}

// themedGone are artifacts that may have no list of a theme any more, by its topic and the artifact, with when the record came that deleted it.
type themedGone map[string]map[string]time.Time

func (g themedGone) add(topic, id string, recorded time.Time) {
	if g[topic] == nil {
		g[topic] = map[string]time.Time{}
	}
	g[topic][id] = recorded
}

// tombstones are those of the artifacts that have none in the state.
func (g themedGone) tombstones(r *graphstore.Reader, revision uint64) (values [][]byte, err error) {
	for _, topic := range slices.Sorted(maps.Keys(g)) {
		for _, id := range slices.Sorted(maps.Keys(g[topic])) {
			var row stored.Row
			b, err := r.ThemeLists(graphstore.ID(graphstore.Artifact, id))
			if err == nil && b != nil {
				err = row.Unmarshal(b)
			}
			if err != nil {
				return nil, fmt.Errorf("lists of themes of %q: %w", id, err)
			}
			if !slices.ContainsFunc(row.Lists, func(l stored.List) bool { return strings.HasSuffix(topic, stored.Topic("", l.Theme)) }) {
				values = append(values, stored.Gone(topic, id, revision, g[topic][id]))
			}
		}
	}
	return values, nil
}
