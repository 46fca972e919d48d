package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kilim/consumer/profile"
	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
)

// archive is a state of the first records of the demo archive. The rest of its file are those of the turns.
type archive struct {
	instance *daemonproc.Instance
	first    string // the file of the first ones
	records  []*profile.Artifact
	rest     []feedfile.Record
}

const (
	topic = "kilim.artifacts"
	// reserve is how many artifacts are kept for turns, so that another run may have more of them over the same state.
	reserve = 12_000
)

// openArchive finds the files of an archive, or makes them.
func openArchive(ctx context.Context, o *options) (*archive, error) {
	dir := o.folder()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("-dir: %w", err)
	}
	a := &archive{first: filepath.Join(dir, "first.jsonl")}
	all := filepath.Join(dir, "all.jsonl")
	records, err := feedfile.Read(all, o.records+reserve)
	if errors.Is(err, fs.ErrNotExist) {
		records, err = demo(ctx, o, all, o.records+reserve)
	}
	if err != nil {
		return nil, err
	}
	if err := feedfile.Write(a.first, records[:o.records]); err != nil {
		return nil, err
	}
	for _, r := range records[:o.records] {
		record, err := profile.Parse(r.Line, "", profile.Limits{})
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", r.ID, err)
		}
		a.records = append(a.records, record)
	}
	a.rest = slices.Clone(records[o.records:])
	a.instance, err = daemonproc.NewInstance(o.kilim, filepath.Join(dir, "state"), "")
	return a, err
}

// demo writes a file of the demo archive whose only media are texts.
func demo(ctx context.Context, o *options, path string, n int) ([]feedfile.Record, error) {
	made := path + ".made"
	defer os.Remove(made)
	if _, err := daemonproc.Run(ctx, daemonproc.Command{
		Path: o.kilim, Args: []string{"demo", "--no-media", "--artifacts", fmt.Sprint(n), "--out", made}, Log: path + ".log",
	}); err != nil {
		return nil, err
	}
	records, err := feedfile.Read(made, n)
	if err != nil {
		return nil, err
	}
	for i := range records {
		if records[i].Line, err = textsOnly(records[i].Line); err != nil {
			return nil, fmt.Errorf("record %s: %w", records[i].ID, err)
		}
	}
	return records, feedfile.Write(path, records)
}

// textsOnly leaves the pictures and recordings out of a record: they are at hosts that are not there.
func textsOnly(line []byte) ([]byte, error) {
	var record map[string]json.RawMessage
	if err := json.Unmarshal(line, &record); err != nil {
		return nil, err
	}
	var media []map[string]any
	if record["media"] != nil {
		if err := json.Unmarshal(record["media"], &media); err != nil {
			return nil, err
		}
	}
	media = slices.DeleteFunc(media, func(m map[string]any) bool { return m["kind"] != profile.Text })
	delete(record, "media")
	if len(media) > 0 {
		kept, err := json.Marshal(media)
		if err != nil {
			return nil, err
		}
		record["media"] = kept
	}
	return json.Marshal(record)
}

// fill feeds what is missing, and deletes what is there of an earlier run's turns. It returns how many were fed.
func (a *archive) fill(ctx context.Context) (fed int, err error) {
	if err := a.instance.Ready(ctx); err != nil {
		return 0, err
	}
	there, err := a.artifacts(ctx)
	if err != nil {
		return 0, err
	}
	if there < len(a.records) {
		if fed, err = a.instance.Feed(ctx, a.first, 0); err != nil {
			return fed, err
		}
		if err := a.wait(ctx, func(s *daemonproc.Status) bool { return s.Artifacts >= len(a.records) && s.Lag == 0 }); err != nil {
			return fed, err
		}
		if there, err = a.artifacts(ctx); err != nil {
			return fed, err
		}
	}
	if there == len(a.records) {
		return fed, nil
	}
	if err := a.deleteRest(ctx); err != nil {
		return fed, err
	}
	return fed, a.wait(ctx, func(s *daemonproc.Status) bool { return s.Artifacts == len(a.records) && s.Lag == 0 })
}

func (a *archive) artifacts(ctx context.Context) (int, error) {
	var s daemonproc.Status
	_, err := a.instance.Get(ctx, "/api/v1/status", &s)
	return s.Artifacts, err
}

func (a *archive) wait(ctx context.Context, wanted func(*daemonproc.Status) bool) error {
	return a.instance.Watch(ctx, 200*time.Millisecond, func(l daemonproc.Look) bool { return l.Status != nil && wanted(l.Status) })
}

// deleteRest sends a tombstone for each record of the turns.
func (a *archive) deleteRest(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(a.instance.Kafka), kgo.DefaultProduceTopic(topic))
	if err != nil {
		return fmt.Errorf("delete what was fed before: %w", err)
	}
	defer client.Close()
	var gone []*kgo.Record
	for _, r := range a.rest {
		gone = append(gone, &kgo.Record{Key: []byte(r.ID)})
	}
	if err := client.ProduceSync(ctx, gone...).FirstErr(); err != nil {
		return fmt.Errorf("delete what was fed before: %w", err)
	}
	return nil
}

// mapStatus is what is read of where the map stands.
type mapStatus struct {
	Points  int    `json:"points"`
	Laid    int    `json:"laid"`
	Phase   string `json:"phase"`
	Edition int64  `json:"edition"`
}

// leftover is what a daemon tells of what it has still to do.
type leftover struct {
	Lag     int64 `json:"lag"`
	Refresh int   `json:"refresh_queue"`
	Outbox  int   `json:"outbox"`
	Themes  struct {
		Phase   string `json:"phase"`
		Waiting int    `json:"waiting"`
	} `json:"themes"`
}

func (l *leftover) none() bool {
	return l.Lag == 0 && l.Refresh == 0 && l.Outbox == 0 && l.Themes.Phase == "idle" && l.Themes.Waiting == 0
}

// settle waits until nothing is left to do and all artifacts are on a map that is laid out, or for so long, and as long again until all are on the map.
func (a *archive) settle(ctx context.Context, most time.Duration) (m mapStatus, left leftover, err error) {
	start := time.Now()
	err = daemonproc.Poll(ctx, time.Second, func() error {
		m, left = mapStatus{}, leftover{}
		if _, err := a.instance.Get(ctx, "/api/v1/map", &m); err != nil {
			return err
		}
		if _, err := a.instance.Get(ctx, "/api/v1/status", &left); err != nil {
			return err
		}
		waited, shown := time.Since(start), m.Points >= len(a.records)
		if shown && (m.Phase == "idle" && left.none() || waited > most) || waited > 2*most {
			return nil
		}
		return fmt.Errorf("%d artifacts are on the map, which is %q, and %+v is left", m.Points, m.Phase, left)
	})
	return m, left, err
}
