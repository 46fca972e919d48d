package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// record is what the programs write; the peers' README says what its fields mean.
type record struct {
	Peer    string  `json:"peer"`
	Task    string  `json:"task"`
	Mode    string  `json:"mode"`
	Way     string  `json:"way"`
	Threads int     `json:"threads"`
	Round   any     `json:"round"`
	Part    string  `json:"part_of"`
	Ef      int     `json:"ef"`
	Recall  float64 `json:"recall"`
	Rate1   float64 `json:"qps_1"`
	Rate2   float64 `json:"qps_2"`
	Inserts float64 `json:"inserts_per_s"`
	Moves   float64 `json:"moves_per_s"`
	MB      float64 `json:"mb"`
	MBFresh float64 `json:"mb_fresh"`
	Lost    float64 `json:"lost"`
	Fresh   float64 `json:"recall_fresh"`
	At95    float64 `json:"qps_1_at_95"`
}

// row is a line of the results.
type row struct {
	Bench string  `json:"bench"`
	Case  string  `json:"case"`
	Ours  float64 `json:"ours"`
	Peer  float64 `json:"peer"`
	Name  string  `json:"peer_name"`
	Unit  string  `json:"unit"`
	Ratio float64 `json:"ratio"`
}

// onlyUpdate runs the peers' program with only one of hnswlib's two ways to move a vector, "update", the quicker: the
// other takes more than a third of all the time, and no row shows it.
const onlyUpdate = `import sys
sys.path.insert(0, sys.argv.pop(1))
import peers
peers.Hnswlib.WAYS = ("update",)
peers.main()
`

// measure runs all programs in turn on a data set, options.runs times, and returns the rows of the results.
func (o *options) measure(set string) ([]row, error) {
	tasks := []string{"build"}
	ourTasks := "build"
	if slices.Contains(o.moves, set) {
		tasks, ourTasks = []string{"build", "turnover", "drift"}, "build,turnover,drift,delete"
	}
	runs := make([][]record, o.runs)
	for i := range runs {
		fmt.Fprintf(os.Stderr, "%s: run %d of %d\n", set, i+1, o.runs)
		for _, peer := range o.names {
			args := append([]string{"-c", onlyUpdate, o.peers, o.data(set), "--out", o.records(set, peer, i), "--m", "16", "--peers", peer, "--tasks"}, tasks...)
			if o.lock != "" { // peers.py lets go of the lock for a moment every few minutes
				args = append(args, "--lock", o.lock)
			}
			// The peers' program itself leaves out what its file has.
			if err := o.once(&runs[i], o.records(set, peer, i), func() error { return command(o.python(), args...).Run() }); err != nil {
				return nil, fmt.Errorf("%s: %w", peer, err)
			}
		}
		file := o.records(set, "ours", i)
		if err := o.once(&runs[i], file, func() error { return o.measureOurs(set, ourTasks, file) }); err != nil {
			return nil, fmt.Errorf("ours: %w", err)
		}
	}
	return o.rows(set, runs), nil
}

// records returns the file of what a program measured in one run.
func (o *options) records(set, program string, run int) string {
	return filepath.Join(o.cache, fmt.Sprintf("%s-%s-%d.json", set, program, run))
}

// once lets a program measure, and reads the records that it leaves in a file. With options.resume it keeps the file of
// an interrupted comparison, and the program does not measure again what is there.
func (o *options) once(to *[]record, file string, measure func() error) error {
	if !o.resume {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := measure(); err != nil {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := add(to, raw); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// measureOurs lets our program measure and writes its records to a file, unless the file is there.
func (o *options) measureOurs(set, tasks, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	} else if !os.IsNotExist(err) {
		return err
	}
	raw, err := o.locked(o.ours, "--data", o.data(set), "--tasks", tasks, "--fresh", "--json").Output()
	if err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o644)
}

func add(to *[]record, raw []byte) error {
	var more []record
	if err := json.Unmarshal(raw, &more); err != nil {
		return err
	}
	*to = append(*to, more...)
	return nil
}

// value computes a number from the records of one run and one program; not ok if no record has it.
type value func(records []record) (v float64, ok bool)

// greatest returns the greatest value over the records that match.
func greatest(match func(*record) bool, of func(*record) float64) value {
	return func(records []record) (v float64, ok bool) {
		for i := range records {
			if r := &records[i]; match(r) && (!ok || of(r) > v) {
				v, ok = of(r), true
			}
		}
		return v, ok
	}
}

// middle returns the median over the records that match.
func middle(match func(*record) bool, of func(*record) float64) value {
	return func(records []record) (float64, bool) {
		var all []float64
		for i := range records {
			if r := &records[i]; match(r) {
				all = append(all, of(r))
			}
		}
		if len(all) == 0 {
			return 0, false
		}
		return median(all), true
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}

// of returns the median over the runs of a program's value.
func of(runs [][]record, peer string, v value) (float64, bool) {
	var all []float64
	for _, run := range runs {
		var its []record
		for _, r := range run {
			if r.Peer == peer {
				its = append(its, r)
			}
		}
		if x, ok := v(its); ok {
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return median(all), true
}

func (o *options) rows(set string, runs [][]record) (rows []row) {
	// versus adds a row that compares our value with that of the best of these peers.
	versus := func(name, unit string, v value, peers []string) {
		ours, ok := of(runs, "ours", v)
		if !ok {
			return
		}
		r := row{Bench: "ann", Case: set + ": " + name, Ours: ours, Unit: unit}
		for _, peer := range peers {
			if x, ok := of(runs, peer, v); ok && x > r.Peer {
				r.Peer, r.Name = x, peer
			}
		}
		if r.Peer > 0 {
			r.Ratio = r.Ours / r.Peer
		}
		rows = append(rows, r)
	}
	for _, b := range []struct {
		mode    string
		threads int
	}{{"single", 1}, {"batch", 2}} {
		versus(fmt.Sprintf("build, %s, threads %d", map[string]string{"single": "one by one", "batch": "batch"}[b.mode], b.threads), "inserts/s", greatest(
			func(r *record) bool { return r.Task == "build" && r.Mode == b.mode && r.Threads == b.threads },
			func(r *record) float64 { return r.Inserts }), o.names)
	}
	for _, target := range []float64{0.95, 0.99} {
		match := func(r *record) bool { return r.Task == "search" && r.Recall >= target }
		versus(fmt.Sprintf("queries at %.2f, threads 1", target), "queries/s", greatest(match, func(r *record) float64 { return r.Rate1 }), o.names)
		versus(fmt.Sprintf("queries at %.2f, threads 2", target), "queries/s", greatest(match, func(r *record) float64 { return r.Rate2 }), o.names)
	}
	for _, task := range []string{"turnover", "drift"} {
		for threads := 1; threads <= 2; threads++ {
			moved := func(r *record) bool {
				return r.Task == task && r.Threads == threads && r.Moves > 0 && (r.Way == "move" || r.Way == "update" || r.Way == "remove+add")
			}
			for _, peer := range []string{"hnswlib", "usearch"} {
				versus(fmt.Sprintf("%s, threads %d", task, threads), "moves/s", middle(moved, func(r *record) float64 { return r.Moves }), []string{peer})
			}
			rows = append(rows, o.aged(set, task, threads, runs)...)
			rows = append(rows, o.decay(set, task, threads, runs)...)
		}
	}
	for _, way := range []string{"half", "cluster"} {
		match := func(r *record) bool { return r.Task == "delete" && r.Way == way }
		versus("recall less a fresh one's, deleted "+way, "recall", middle(match, func(r *record) float64 { return r.Recall - r.Fresh }), nil)
	}
	return rows
}

// lastRound returns the number of rounds of a task.
func lastRound(task string) int {
	if task == "turnover" {
		return 10
	}
	return 5
}

// aged returns rows that compare the index after its rounds of moves with fresh indexes of the same vectors.
func (o *options) aged(set, task string, threads int, runs [][]record) (rows []row) {
	at := func(is func(round string) bool) func(*record) bool {
		return func(r *record) bool { return r.Task == task && r.Threads == threads && is(fmt.Sprint(r.Round)) }
	}
	isFresh := func(round string) bool { return strings.HasPrefix(round, "fresh") }
	moved := func(round string) bool { return round != "0" && !isFresh(round) }
	memory := func(of func(*record) float64) value {
		return middle(func(r *record) bool { return r.Task == "memory after" && r.Way == task && r.Threads == threads }, of)
	}
	rate := func(r *record) float64 { return r.At95 }
	lost := func(r *record) float64 { return 100 * r.Lost }
	for _, c := range []struct {
		name, unit  string
		aged, fresh value
	}{
		// The median of all rounds, since a rate swings by a third from one measurement to the next.
		{"queries at 0.95, of all rounds", "queries/s", middle(at(moved), rate), middle(at(isFresh), rate)},
		{"memory after the last round", "MB", memory(func(r *record) float64 { return r.MB }), memory(func(r *record) float64 { return r.MBFresh })},
		// A fresh index has a few vectors that a search for themselves does not find, too.
		{"lost, in the worst round", "%", greatest(at(moved), lost), greatest(at(isFresh), lost)},
	} {
		aged, ok := of(runs, "ours", c.aged)
		fresh, known := of(runs, "ours", c.fresh)
		if ok && known {
			r := row{Bench: "ann", Case: fmt.Sprintf("%s: %s, threads %d: %s", set, task, threads, c.name),
				Ours: aged, Unit: c.unit, Peer: fresh, Name: "ours, fresh"}
			if fresh > 0 && c.unit != "%" { // a ratio of a few vectors to a few says nothing
				r.Ratio = aged / fresh
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// recalls returns the recall of our index after each round of a task, and the recalls of fresh indexes by the state
// (stateOf) that they hold.
func recalls(records []record, task string, threads int) (aged map[int]float64, fresh map[int][]float64) {
	aged, fresh = map[int]float64{}, map[int][]float64{}
	for _, r := range records {
		if r.Task != task || r.Threads != threads {
			continue
		}
		after, isFresh := strings.CutPrefix(fmt.Sprint(r.Round), "fresh")
		if isFresh && after == "" {
			after = strconv.Itoa(lastRound(task))
		}
		round, err := strconv.Atoi(strings.TrimSpace(after))
		switch {
		case err != nil:
		case isFresh:
			state := stateOf(task, round)
			fresh[state] = append(fresh[state], r.Recall)
		case round > 0:
			aged[round] = r.Recall
		}
	}
	return aged, fresh
}

// stateOf numbers the states that an index has after its rounds: in turnover every second round has the same.
func stateOf(task string, round int) int {
	if task == "turnover" {
		return round % 2
	}
	return round
}

// decay returns two rows: the worst of the rounds' recalls, less the mean recall of fresh indexes of the same state;
// and how far the worst fresh index lies below that mean. The second tells what of the first is chance: fresh indexes
// differ among themselves by their levels and by the order in which threads insert.
func (o *options) decay(set, task string, threads int, runs [][]record) (rows []row) {
	worst := func(records []record) (v float64, ok bool) {
		aged, fresh := recalls(records, task, threads)
		v = math.Inf(1)
		for round, recall := range aged {
			if of := fresh[stateOf(task, round)]; len(of) > 0 {
				v, ok = min(v, recall-stat.Mean(of, nil)), true
			}
		}
		return v, ok
	}
	luck := func(records []record) (v float64, ok bool) {
		_, fresh := recalls(records, task, threads)
		for _, of := range fresh {
			if len(of) > 1 {
				v, ok = min(v, slices.Min(of)-stat.Mean(of, nil)), true
			}
		}
		return v, ok
	}
	for _, c := range []struct {
		name string
		of   value
	}{{"worst round's recall less fresh ones'", worst}, {"worst fresh one's recall less their mean", luck}} {
		if x, ok := of(runs, "ours", c.of); ok {
			rows = append(rows, row{Bench: "ann", Case: fmt.Sprintf("%s: %s, threads %d: %s", set, task, threads, c.name), Ours: x, Unit: "recall"})
		}
	}
	return rows
}
