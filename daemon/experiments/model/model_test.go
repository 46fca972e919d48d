package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"kilim/daemon/config"
	"kilim/daemon/experiments/feedfile"
)

// TestGrid: each choice that is not left out is one of the daemon's keys too; what the model does not know is left out and told; and -only
// chooses by name.
func TestGrid(t *testing.T) {
	t.Parallel()
	all := []data{{"demo", "a"}, {"tate", "b"}}
	cells, remarks := grid(all, regexp.MustCompile(""))
	if got, want := len(cells)+len(remarks), 2*len(choices()); got != want || !slices.IsSortedFunc(cells, func(a, b cell) int { return strings.Compare(a.data.name, b.data.name) }) {
		t.Errorf("%d cells and %d remarks of %d, want them by data", len(cells), len(remarks), want)
	}
	declared, err := kong.New(new(config.Config), kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range declared.Model.Flags {
		keys = append(keys, f.Name)
	}
	for _, c := range cells {
		for _, flag := range c.choice.daemon() {
			if name, is := strings.CutPrefix(flag, "--"); is && !slices.Contains(keys, name) {
				t.Errorf("%s: the daemon has no %s", c, flag)
			}
		}
	}
	if err := (choice{shape: map[string]any{"gills": 2}}).known(); err == nil {
		t.Error("a field that no model has was taken")
	}
	cells, _ = grid(all, regexp.MustCompile("^demo/(default|3 layers)$"))
	if len(cells) != 2 || cells[1].String() != "demo/3 layers" || !slices.Equal(cells[1].choice.lab(), []string{"-layers", "3"}) {
		t.Errorf("chosen are %v", cells)
	}
	if got := (choice{branches: 0.5, shape: map[string]any{"fusion": "mlp"}}).lab(); !slices.Equal(got, []string{"-model", `{"fusion":"mlp"}`, "-branches", "0.5"}) {
		t.Errorf("the lab's flags are %q", got)
	}
}

// TestRowsGoOn: rows that are kept are not made again, also after a stop in the midst of a line; a row of other settings is another; and
// the table has what is kept.
func TestRowsGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lab, calls := filepath.Join(dir, "lab"), filepath.Join(dir, "calls")
	script := "#!/bin/sh\necho \"$*\" >> " + calls + `
while [ "$1" != -out ]; do shift; done
echo '{"steps":10,"seconds":5,"processor":8,"results":[{"task":"half","metric":"MRR","value":0.25},{"task":"culture","metric":"accuracy","value":0.75},{"task":"theme x","metric":"accuracy","value":1}]}' > "$2"
`
	if err := os.WriteFile(lab, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	o := &options{lab: lab, rows: filepath.Join(dir, "rows.jsonl"), seeds: 2, test: 9, threads: 1, before: 3, came: 2, dir: dir}
	cells := []cell{{data{"demo", "f"}, choice{name: "default"}}, {data{"demo", "f"}, choice{name: "3 layers", layers: 3}}}
	open := func() *rows {
		t.Helper()
		r, err := readRows(o.rows)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	made := func(want int) *rows {
		t.Helper()
		kept := open()
		for _, c := range cells { // no daemon is needed for what is there
			if _, ok := kept.of[o.newcomerKey(c)]; !ok {
				if err := kept.add(row{o.newcomerKey(c), "r1", false, map[string]float64{newcomer: 12.5}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := os.WriteFile(calls, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := o.fill(context.Background(), io.Discard, cells, kept, "r1"); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(raw), "\n"); got != want {
			t.Errorf("the lab was called %d times, want %d:\n%s", got, want, raw)
		}
		if again := open(); !reflect.DeepEqual(again.of, kept.of) {
			t.Errorf("read again, the rows are %v, were %v", again.of, kept.of)
		}
		return kept
	}
	made(4)
	made(0)
	raw, err := os.ReadFile(o.rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.rows, raw[:len(raw)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	kept := made(1)
	var table strings.Builder
	if err := o.print(&table, cells, kept, []string{"demo/x is left out: why"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### demo", "| default | 2 | 0.250 (0.250..0.250) | 0.750 (0.750..0.750) | - | 12.5 | 800.0 | 2.0 |", "| 3 layers | 2 |", "Rows of kilim r1; trainings of the usual length with the whole archive", "demo/x is left out: why."} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	o.steps = 40
	made(4)
	if err := os.WriteFile(o.rows, []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRows(o.rows); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a line that is no row: %v", err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]string{{"-seeds", "0"}, {"-only", "("}, {"-rate", "0"}, {"-newcomers", "0"}, {"more"}, {"-steps", "-1"}, {"-records", "-1"}} {
		if _, err := parse(bad, io.Discard); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if o, err := parse([]string{"-only", "demo/"}, io.Discard); err != nil || o.seeds != 3 || !o.only.MatchString("demo/default") {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestSpreadOver: the records are as many as asked for, each once and in order, from the first to near the last.
func TestSpreadOver(t *testing.T) {
	t.Parallel()
	all := make([]feedfile.Record, 1000)
	for i := range all {
		all[i].ID = fmt.Sprintf("%04d", i)
	}
	for _, n := range []int{1, 3, 333, 999, 1000, 2000} {
		got := spreadOver(all, n)
		if len(got) != min(n, len(all)) || got[0].ID != "0000" || got[len(got)-1].ID < fmt.Sprintf("%04d", 1000-1000/n-1) {
			t.Errorf("%d of 1,000: %d, to %s", n, len(got), got[len(got)-1].ID)
		}
		for i := range got[1:] {
			if got[i].ID >= got[i+1].ID {
				t.Errorf("%d of 1,000: %s before %s", n, got[i].ID, got[i+1].ID)
			}
		}
	}
}

// TestLoadedRowsTellNoCost: what was measured beside other work tells what is learned, and no cost; no daemon is asked for it.
func TestLoadedRowsTellNoCost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept, err := readRows(filepath.Join(dir, "rows.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	o := &options{seeds: 1, steps: 5, records: 7, loaded: true, dir: dir}
	c := cell{data{"demo", "f"}, choice{name: "default"}}
	if err := kept.add(row{o.trainingKey(c, 1), "r1", true, map[string]float64{halves: 0.5, processor: 3, wall: 4}}); err != nil {
		t.Fatal(err)
	}
	if err := o.fill(context.Background(), io.Discard, []cell{c}, kept, "r1"); err != nil {
		t.Errorf("with all trainings there: %v", err)
	}
	var table strings.Builder
	if err := o.print(&table, []cell{c}, kept, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| default | 1 | 0.500 | - | - | - | - | - |", "5 steps with 7 records of each archive"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
}
