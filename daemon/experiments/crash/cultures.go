package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/cultures"
	"kilim/daemon/pipeline/atlas"
)

// cell is how near two groups are, as it is served or was told. Both forms name groups otherwise, so that names are apart from it.
type cell struct {
	Mean     float64    `json:"mean"`
	Low      float64    `json:"low"`
	High     float64    `json:"high"`
	Contrast float64    `json:"contrast"`
	Pairs    int        `json:"pairs"`
	Nearest  []nearPair `json:"nearest"`
}

type nearPair struct {
	A      string  `json:"a"`
	B      string  `json:"b"`
	Cosine float64 `json:"cosine"`
}

// cellOf names a cell: the keys of the groups in their order.
type cellOf struct{ kind, theme, a, b string }

func newCellOf(kind, theme, a, b string) cellOf { return cellOf{kind, theme, min(a, b), max(a, b)} }

// restOfCells is how long cells may take to be told that have changed: to tell thousands anew takes a minute on a busy machine, and as much lies between two times.
const restOfCells = 5 * time.Minute

// askCells collects the cells that are served, when those that were told say the same, or have not for restOfCells: what they differ by then is for the audit.
func (i *instance) askCells(ctx context.Context) (served map[cellOf]cell, err error) {
	for end := time.Now().Add(restOfCells); ; {
		served, err = i.cells(ctx)
		told, failed := i.told(ctx)
		if failed != nil {
			return nil, failed
		}
		// While another model of themes is made there are no cells of some theme.
		if err == nil && len(differingCells(told, served)) == 0 || time.Now().After(end) {
			return served, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// told are the cells that the topic ends with while the daemon works.
func (i *instance) told(ctx context.Context) (map[cellOf]cell, error) {
	var messages []kafka.Message
	for p := range i.partitions {
		some, err := readPartition(ctx, i.Kafka, topicCultures, p)
		if err != nil {
			return nil, fmt.Errorf("reading %s/%d: %w", topicCultures, p, err)
		}
		messages = append(messages, some...)
	}
	return toldCells(messages)
}

// cells are those that are served, overall and in each theme.
func (i *instance) cells(ctx context.Context) (map[cellOf]cell, error) {
	all := map[cellOf]cell{}
	for _, theme := range append([]string{""}, demoThemes...) {
		for _, kind := range atlas.Kinds() {
			var answer struct {
				Cells []struct {
					A string `json:"a"`
					B string `json:"b"`
					cell
				} `json:"cells"`
			}
			query := url.Values{"kind": {kind}, "k": {strconv.Itoa(cultures.Groups)}}
			if theme != "" {
				query.Set("theme", theme)
			}
			if _, err := i.Get(ctx, "/api/v1/cultures?"+query.Encode(), &answer); err != nil {
				return nil, err
			}
			for _, c := range answer.Cells {
				all[newCellOf(kind, theme, c.A, c.B)] = c.cell
			}
		}
	}
	return all, nil
}

// toldCells are the last messages about each cell, those apart that were taken back.
func toldCells(messages []kafka.Message) (map[cellOf]cell, error) {
	last := map[string]cellOf{}
	told := map[cellOf]cell{}
	for i := range messages {
		m := &messages[i]
		key := string(m.Key)
		delete(told, last[key])
		if m.Value == nil {
			continue
		}
		var c struct {
			Field string               `json:"field"`
			Theme string               `json:"theme"`
			A     struct{ Key string } `json:"a"`
			B     struct{ Key string } `json:"b"`
			cell
		}
		if err := json.Unmarshal(m.Value, &c); err != nil {
			return nil, fmt.Errorf("%s/%d offset %d: %w", m.Topic, m.Partition, m.Offset, err)
		}
		last[key] = newCellOf(c.Field, c.Theme, c.A.Key, c.B.Key)
		told[last[key]] = c.cell
	}
	return told, nil
}

// differingCells are those that were told and are not served, or the other way round, or whose cosines differ by more than a step.
func differingCells(told, served map[cellOf]cell) (out []string) {
	for of, t := range told {
		s, there := served[of]
		far := func(a, b float64) bool { return math.Abs(a-b) > cultures.Step }
		if !there || far(t.Mean, s.Mean) || far(t.Contrast, s.Contrast) || far(t.Low, s.Low) || far(t.High, s.High) {
			out = append(out, fmt.Sprintf("cell %+v: told last %+v, served %+v", of, t, s))
		}
	}
	for of, s := range served {
		if _, there := told[of]; !there {
			out = append(out, fmt.Sprintf("cell %+v: served %+v, never told or taken back", of, s))
		}
	}
	slices.Sort(out)
	return out
}

// auditCells compares the cells that were told last with those served, and the order in which each was told.
func (r *report) auditCells(e *ending) error {
	events, newest := map[string]bool{}, map[string]int64{}
	for i := range e.topics.cultures {
		m := &e.topics.cultures[i]
		event := header(m, "ce_id")
		if events[event] {
			r.twice("event %s of a cell", event)
		}
		events[event] = true
		if m.Value == nil {
			continue
		}
		var c struct {
			Revision int64 `json:"revision"`
		}
		if err := json.Unmarshal(m.Value, &c); err != nil {
			return fmt.Errorf("%s/%d offset %d: %w", m.Topic, m.Partition, m.Offset, err)
		}
		if key := string(m.Key); c.Revision < newest[key] {
			r.differing("cell %s was told in revision %d after %d", key, c.Revision, newest[key])
		} else {
			newest[key] = c.Revision
		}
	}
	told, err := toldCells(e.topics.cultures)
	if err != nil {
		return err
	}
	if len(told) == 0 {
		return fmt.Errorf("no cell was told: there is nothing to compare")
	}
	for _, d := range differingCells(told, e.cells) {
		r.differing("%s", d)
	}
	r.Cells = max(r.Cells, len(told))
	return nil
}

// compareCells holds the cells of a run against those of the one never killed, bit for bit, but for those of themes, whose model is of what was there when it was learned.
func (r *report) compareCells(got, want *ending) {
	all := maps.Clone(got.cells)
	maps.Copy(all, want.cells)
	for of := range all {
		if a, b := got.cells[of], want.cells[of]; of.theme == "" && !reflect.DeepEqual(a, b) {
			r.differing("cell %+v: is %+v, never killed %+v", of, a, b)
		}
	}
}
