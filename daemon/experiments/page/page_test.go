package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"kilim/daemon/browse/live"
)

func TestTextsOnly(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]string{
		`{"id":"a"}`: `{"id":"a"}`,
		`{"id":"a","media":[{"kind":"image","uri":"x"}]}`:                                      `{"id":"a"}`,
		`{"id":"a","media":[{"kind":"audio","uri":"x"},{"kind":"text","text":"<b>"}],"b":[1]}`: `{"b":[1],"id":"a","media":[{"kind":"text","text":"<b>"}]}`,
	} {
		got, err := textsOnly([]byte(record))
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %s (%v), want %s", record, got, err, want)
		}
	}
}

// TestStreamTakesEvents: a viewer reads the daemon's own events, whatever their ids are, and the first time of each counts.
func TestStreamTakesEvents(t *testing.T) {
	t.Parallel()
	s := &stream{had: map[string]time.Time{}}
	at := time.Unix(1000, 0)
	for i, e := range []live.Event{{ID: `a,"recorded":`, Own: true}, {ID: "others"}, {ID: `a,"recorded":`, Own: true}, {ID: "gone", Deleted: true}, {ID: "b", Own: true}} {
		b, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.take("change", b, at.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.take("missed", []byte("7"), at); err != nil {
		t.Fatal(err)
	}
	if want := map[string]time.Time{`a,"recorded":`: at, "b": at.Add(4 * time.Second)}; !reflect.DeepEqual(s.had, want) || s.told != 5 || s.missed != 7 {
		t.Errorf("%+v", s)
	}
	if err := s.take("change", []byte("nothing"), at); err == nil {
		t.Error("took what is no event")
	}
	if got := since(map[string]time.Time{"b": at, "c": at}, s.had); !reflect.DeepEqual(got, []float64{4000}) {
		t.Errorf("since the commits: %v", got)
	}
}

// TestBoundsAreJudged: what is above its bound is told and fails, and so is what was not seen.
func TestBoundsAreJudged(t *testing.T) {
	t.Parallel()
	made := func() *report {
		return &report{
			options: &options{records: 10, rounds: 1, measure: 10, viewers: 2, tabs: 1}, Map: mapStatus{Points: 10},
			Requests: []*asked{{Request: "a view", Millis: []float64{1, 2, 199}}},
			Paints:   []painted{{PaintMs: 1500, BytesAPoint: 5}},
			Turns:    []turn{{With: alone, FreshP99: 100}, {With: streams, FreshP99: 120}, {With: withTab, FreshP99: 500, DOMP99: 250}},
		}
	}
	for name, spoil := range map[string]func(*report){
		"": func(*report) {}, "a view": func(r *report) { r.Requests[0].Millis = []float64{201, 201, 201} },
		"first paint": func(r *report) { r.Paints[0].PaintMs++ }, "a point": func(r *report) { r.Paints[0].BytesAPoint = 5.01 },
		"freshness": func(r *report) { r.Turns[1].FreshP99++ }, "DOM": func(r *report) { r.Turns[2].DOMP99++ },
		"on the map": func(r *report) { r.Map.Points-- }, "seen": func(r *report) { r.lost = append(r.lost, bytes.ErrTooLarge) },
	} {
		r := made()
		spoil(r)
		var entry bytes.Buffer
		if err := r.entry(&entry); err != nil {
			t.Fatal(err)
		}
		if err := r.faults(); (err == nil) != (name == "") || strings.Contains(entry.String(), "Not held") != (name != "") {
			t.Errorf("%q: %v\n%s", name, err, &entry)
		}
	}
}
