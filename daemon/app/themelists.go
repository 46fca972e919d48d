package app

import (
	"context"
	"time"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/clock"
	"kilim/daemon/standby"
	"kilim/daemon/themes/stored"
	"kilim/graphstore"
)

// themeLists are the lists of themes in what serves: themes.Store.
type themeLists struct {
	manager *standby.Manager
	conn    *kafkaconn.Conn
	kafka   *config.Kafka
}

func (t themeLists) Rows(fn func(row []byte) error) error {
	return t.manager.View(func(r *graphstore.Reader) error {
		return r.EachThemeLists(func(_ graphstore.NodeID, row []byte) error { return fn(row) })
	})
}

func (t themeLists) Lost() uint64 { return t.manager.Engine().Lost() }

func (t themeLists) Commit(ctx context.Context, write func(stored.Writer) error) error {
	return t.manager.Beside(ctx, func(tx *graphstore.Tx, revision uint64) error {
		now, err := clock.Read(tx)
		if err != nil {
			return err
		}
		return write(themeWriter{tx, revision, now.Recorded})
	})
}

func (t themeLists) Topic(ctx context.Context, name string) error {
	return ensureThemeTopic(ctx, t.conn, t.kafka, name)
}

// ensureThemeTopic makes the topic of a theme if it is not there.
func ensureThemeTopic(ctx context.Context, conn *kafkaconn.Conn, kafka *config.Kafka, name string) error {
	return conn.EnsureTopics(ctx, []kafkaconn.TopicSpec{kafka.ListsTopic(name)})
}

// themeWriter is a unit that writes lists of themes: stored.Writer.
type themeWriter struct {
	tx       *graphstore.Tx
	revision uint64
	recorded time.Time
}

func (w themeWriter) Revision() uint64 { return w.revision }

func (w themeWriter) Recorded() time.Time { return w.recorded }

func (w themeWriter) Past(id, theme string) ([]byte, error) {
	return w.tx.ThemePast(graphstore.ID(graphstore.Artifact, id), theme)
}

func (w themeWriter) PutPast(id, theme string, past []byte) error {
	return w.tx.PutThemePast(graphstore.ID(graphstore.Artifact, id), theme, past)
}

func (w themeWriter) Put(id string, row []byte) error {
	return w.tx.PutThemeLists(graphstore.ID(graphstore.Artifact, id), row)
}

func (w themeWriter) Delete(id string) error {
	return w.tx.DeleteThemeLists(graphstore.ID(graphstore.Artifact, id))
}

func (w themeWriter) Enqueue(message []byte) error {
	_, err := w.tx.Enqueue(message)
	return err
}

// checkThemes verifies the stored lists of themes and their histories, and tells how many wait for the daemon.
func checkThemes(e *pipeline.Engine, fault func(string)) (waiting int, err error) {
	err = e.Queries().View(func(r *graphstore.Reader) error {
		c := stored.Checker{Revision: e.Status().Revision, Fault: fault, Exists: func(id string) (bool, error) {
			n, err := r.Node(graphstore.ID(graphstore.Artifact, id))
			return n.IsArtifact() && n.Key == id, err
		}}
		err := r.EachThemeLists(func(_ graphstore.NodeID, row []byte) error { return c.Row(row) })
		waiting = c.Waiting
		if err != nil {
			return err
		}
		return r.EachThemePast(func(id graphstore.NodeID, theme string, past []byte) error {
			row, err := r.ThemeLists(id)
			if err == nil {
				c.Past(row, theme, past)
			}
			return err
		})
	})
	return waiting, err
}
