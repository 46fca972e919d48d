package ranking

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kilim/consumer/profile"
	"kilim/learner/train/eval"
	"kilim/rerank"
)

// TestNothingWithoutJudgments: nothing is read, fitted or written, and no list has another order.
func TestNothingWithoutJudgments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.said.of["x|y"] = judgment("x", "y", 1, "Ada", "motif") // in a theme
	for range 3 {
		if got := w.round(); got != few {
			t.Errorf("ended as %q", got)
		}
	}
	if files, err := os.ReadDir(w.cfg.Folder); err != nil || len(files) > 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
	if w.archive.asked > 0 {
		t.Errorf("the archive was looked into %d times", w.archive.asked)
	}
	if o, _ := w.order(idOf(0, 0)); o != nil || w.keeper.Serves(w.archive.state) {
		t.Errorf("an order: %+v", o)
	}
}

// TestLearnsFromJudgments: what people judge alike stands before what they did not, in lists that nobody judged, beyond noise; and the parts of each score
// sum to it exactly, whatever their order.
func TestLearnsFromJudgments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40)
	w.judge(0, 15, 1)
	if got := w.round(); got != served {
		t.Fatalf("ended as %q: %+v", got, w.keeper.Status())
	}
	var before, after []float64
	rng := rand.New(rand.NewPCG(1, 1))
	for set := 15; set < 40; set++ {
		id := idOf(set, 0)
		o, stated := w.order(id)
		alike := eval.Query{ID: id, Relevant: map[string]float64{idOf(set, 1): 1, idOf(set, 2): 1}}
		ids := func(n int, of func(i int) string) (out []string) {
			for i := range n {
				out = append(out, of(i))
			}
			return out
		}
		was, now := ids(len(stated), func(i int) string { return stated[i].ID }), ids(len(o.Entries), func(i int) string { return o.Entries[i].ID })
		before, after = append(before, eval.Measure(alike, was[:eval.Depth]).NDCG10), append(after, eval.Measure(alike, now[:eval.Depth]).NDCG10)
		if !slices.Equal(slices.Sorted(slices.Values(was[:Best])), slices.Sorted(slices.Values(now[:Best]))) || !slices.Equal(was[Best:], now[Best:]) {
			t.Errorf("%s: the best %d are others, or what is behind them", id, Best)
		}
		for i, e := range o.Entries {
			if i > 0 && i < Best && e.Score > o.Entries[i-1].Score {
				t.Errorf("%s: place %d has more than the one before", id, i)
			}
			var parts []float64
			for _, v := range e.Parts {
				parts = append(parts, v)
			}
			rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			sum := 0.0
			for _, v := range parts {
				sum += v
			}
			if sum != e.Score {
				t.Errorf("%s: the parts of %s sum to %v, its score is %v", id, e.ID, sum, e.Score)
			}
		}
	}
	if gain, verdict := eval.Paired(before, after, 1); verdict != eval.Better || gain.Mean < 0.2 {
		t.Errorf("gain %+v", gain)
	}
	st := w.keeper.Status()
	if !st.Serving || st.Last.Gate == nil || st.Last.Gate.Groups != st.Last.Useful || st.Last.Groups != 15 || !strings.Contains(st.Reason, "nDCG@10") {
		t.Errorf("status %+v", st)
	}
	// An artifact that is not stored has a list as if it were.
	entries, state, _ := w.archive.Stated(t.Context(), idOf(30, 0), Best)
	a, err := profile.Parse(w.archive.raw[idOf(30, 0)], "", profile.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.keeper.Order(Subject{Artifact: a}, state, entries)
	other, _ := w.order(idOf(30, 0))
	if err != nil || !slices.EqualFunc(o.Entries, other.Entries[:Best], func(a, b Entry) bool { return a.ID == b.ID && a.Score == b.Score }) {
		t.Errorf("%v: other places than those of the stored one", err)
	}
}

// TestRandomJudgmentsAreRefused: what says nothing teaches nothing, but for what a gate of its level lets through by chance, which is not drawn here: 12 of 60 draws of
// 12, 25 or 50 judgments. The figures are told, kept, and not found anew by the next start.
func TestRandomJudgmentsAreRefused(t *testing.T) {
	t.Parallel()
	for seed := uint64(5); seed < 7; seed++ {
		w := newWorldOf(t, 102, 1)
		w.judgeAtRandom(25, seed)
		if w.round() != refused {
			t.Fatalf("seed %d: %+v", seed, w.keeper.Status())
		}
		told := w.keeper.Status()
		if told.Serving || !strings.Contains(told.Reason, "must be 0.005") || told.Last.Gate == nil {
			t.Errorf("seed %d: status %+v", seed, told)
		}
		if o, _ := w.order(idOf(1, 0)); o != nil {
			t.Errorf("seed %d: it orders lists", seed)
		}
		w.open()
		if got := w.round(); got != unchanged || w.keeper.Status().Reason != told.Reason {
			t.Errorf("seed %d: after a start %q, %+v", seed, got, w.keeper.Status())
		}
	}
}

// TestARefusalTakesTheOrderAway: judgments that come later can show that there is nothing to learn, and what was learned before is gone.
func TestARefusalTakesTheOrderAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 30)
	w.judge(0, 12, 1)
	if got := w.round(); got != served {
		t.Fatalf("ended as %q", got)
	}
	for key := range w.said.of {
		w.said.withdraw(key)
	}
	w.judgeAtRandom(12, 1)
	if got := w.round(); got != refused {
		t.Fatalf("ended as %q", got)
	}
	if o, _ := w.order(idOf(1, 1)); o != nil {
		t.Error("what was learned before orders lists")
	}
}

// TestHistories: judgments come, change, are withdrawn, artifacts too, the state becomes another and back, the daemon stops: what serves
// is what a Keeper that begins now would decide on the archive that the fit has seen, and never orders lists of another state.
func TestHistories(t *testing.T) {
	t.Parallel()
	results := map[string]int{}
	for seed := range uint64(2) {
		w := newWorld(t, 13)
		rng := rand.New(rand.NewPCG(seed, 3))
		states := []State{w.archive.state, {2, 2, rerank.DefaultScoreWeights()}, {3, 2, rerank.DefaultScoreWeights()}}
		w.judge(0, 8, 1)
		for step := range 8 {
			for range 1 + rng.IntN(3) {
				set := rng.IntN(13)
				switch rng.IntN(9) {
				case 0, 1, 2:
					w.judge(set, min(13, set+6), 1+float64(rng.IntN(3)))
				case 3:
					w.judge(set, min(13, set+2), 0)
				case 4:
					w.said.withdraw(idOf(set, 0) + "|" + idOf(set, 1))
				case 5:
					w.said.say("unknown", idOf(set, rng.IntN(3)), 2, "Bob")
				case 6:
					w.archive.put(idOf(100+step, 0))
				case 7:
					delete(w.archive.raw, idOf(set, 2))
				case 8:
					w.archive.damaged[idOf(set, 1)] = true
				}
			}
			if rng.IntN(4) == 0 {
				w.archive.state = states[rng.IntN(len(states))]
			}
			if rng.IntN(3) == 0 {
				w.open()
				if d := w.keeper.decided.Load(); d != nil && d.learned != nil && d.State != w.archive.state && w.keeper.Serves(w.archive.state) {
					t.Errorf("seed %d, step %d: it serves for another state", seed, step)
				}
			}
			before := bytesOf(t, w.keeper)
			result := w.round()
			results[result]++
			if result == failed {
				t.Fatalf("seed %d, step %d: %+v", seed, step, w.keeper.Status())
			}
			if result == unchanged {
				if bytesOf(t, w.keeper) != before {
					t.Fatalf("seed %d, step %d: a round that changes nothing has changed it", seed, step)
				}
				continue
			}
			seen := w.archive.copy()
			fresh := openOver(t, Config{Folder: t.TempDir(), Least: w.cfg.Least, Fit: w.cfg.Fit}, seen, w.said)
			fresh.round(t.Context(), new(rounds))
			if got, want := bytesOf(t, w.keeper), bytesOf(t, fresh); got != want {
				t.Fatalf("seed %d, step %d, %s: decided %.300s, a fresh one %.300s", seed, step, result, got, want)
			}
			for _, state := range states {
				d := w.keeper.decided.Load()
				if serves := w.keeper.Serves(state); serves != (d.Serves && d.State == state) {
					t.Errorf("seed %d, step %d: serves %v for %+v", seed, step, serves, state)
				}
			}
		}
	}
	for _, result := range []string{served, few, unchanged} {
		if results[result] == 0 {
			t.Errorf("no round ended as %q: %v", result, results)
		}
	}
}

// TestAnotherState: lists of another state keep the stated order, until what is learned is for them.
func TestAnotherState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.judge(0, 15, 1)
	w.round()
	first := w.archive.state
	for _, next := range []State{{2, 2, first.Weights}, {2, 1, first.Weights}, {1, 1, rerank.ScoreWeights{Cosine: 1}}} {
		w.archive.state = next
		if o, _ := w.order(idOf(0, 0)); o != nil {
			t.Errorf("lists of %+v have the order of %+v", next, first)
		}
		if st := w.keeper.Status(); st.Serving || !strings.Contains(st.Reason, "learned anew") {
			t.Errorf("status %+v", st)
		}
		if !w.keeper.due(&w.last, w.last.ended.Add(time.Hour)) {
			t.Errorf("%+v is not learned for", next)
		}
		if got := w.round(); got != served {
			t.Errorf("ended as %q", got)
		}
		if o, _ := w.order(idOf(0, 0)); o == nil {
			t.Errorf("lists of %+v have the stated order", next)
		}
		first = next
	}
	// A cutover within a fit is no failure, and the next round is for what serves then.
	moving := &movingArchive{archive: w.archive, at: w.archive.state, after: 5}
	w.keeper = openOver(t, Config{Folder: t.TempDir(), Least: w.cfg.Least, Fit: w.cfg.Fit}, moving, w.said)
	w.last = rounds{}
	if got := w.round(); got != unchanged || w.keeper.decided.Load() != nil || w.last.failed {
		t.Errorf("ended as %q, %+v", got, w.last)
	}
	if !w.keeper.due(&w.last, w.last.ended.Add(time.Hour)) || w.round() != served {
		t.Error("it is not tried again")
	}
}

// movingArchive is another state's once so many lists were asked for.
type movingArchive struct {
	*archive
	at    State
	after int
}

func (m *movingArchive) Stated(ctx context.Context, id string, k int) ([]rerank.Entry, State, error) {
	if m.after--; m.after == 0 {
		m.archive.lock.Lock()
		m.archive.state = State{9, 9, m.at.Weights}
		m.archive.lock.Unlock()
	}
	return m.archive.Stated(ctx, id, k)
}

// TestDue: a round comes when judgments, state or archive have changed, no sooner than what the one before has cost allows, and never on judgments that are not
// all known.
func TestDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.said.partial = true
	if w.keeper.due(&w.last, time.Now()) {
		t.Error("due before the judgments are known")
	}
	if st := w.keeper.Status(); !strings.Contains(st.Reason, "is being read") {
		t.Errorf("status %+v", st)
	}
	w.said.partial = false
	if !w.keeper.due(&w.last, time.Now()) {
		t.Error("the first round is not due")
	}
	w.judge(0, 12, 1)
	w.round()
	ended := w.last.ended
	w.last.cost = time.Minute
	later := ended.Add(spacing * time.Minute)
	if w.keeper.due(&w.last, later) {
		t.Error("due when nothing has changed")
	}
	w.said.say("a", "b", 1, "Ada")
	if w.keeper.due(&w.last, later.Add(-time.Second)) || !w.keeper.due(&w.last, later) {
		t.Error("another judgment is learned from too soon, or not at all")
	}
	if got := w.round(); got != served { // a question more
		t.Errorf("ended as %q", got)
	}
	w.last.cost = time.Hour
	w.said.withdraw("a|b")
	if w.keeper.due(&w.last, later) {
		t.Error("due before its time, with judgments enough")
	}
	for set := range 3 {
		w.said.withdraw(idOf(set, 0) + "|" + idOf(set, 1))
		w.said.withdraw(idOf(set, 0) + "|" + idOf(set, 2))
	}
	if !w.keeper.due(&w.last, later) || w.round() != few || w.keeper.Serves(w.archive.state) {
		t.Error("what too few judgments are left of goes on serving")
	}
	w.judge(0, 3, 1)
	if got := w.round(); got != served {
		t.Errorf("ended as %q", got)
	}
	w.last.cost = 0
	for i := range 5 * 20 * 3 / 20 {
		if w.keeper.due(&w.last, later) != (float64(i) > grown*60) {
			t.Errorf("due %v with %d artifacts more", !(float64(i) > grown*60), i)
		}
		w.archive.put(idOf(200+i, 0))
	}
	w.archive.fail = errors.New("no disk")
	if got := w.round(); got != failed || !w.keeper.Status().Serving {
		t.Errorf("ended as %q, %+v", got, w.keeper.Status())
	}
	w.archive.fail = nil
	if w.keeper.due(&w.last, w.last.ended.Add(againAfter-time.Second)) || !w.keeper.due(&w.last, w.last.ended.Add(againAfter+spacing*w.last.cost)) {
		t.Error("what failed is tried again too soon, or not at all")
	}
}

// TestWhatIsWithdrawnNeverServes: neither a disk that takes nothing nor a stop has what was withdrawn serve.
func TestWhatIsWithdrawnNeverServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.judge(0, 12, 1)
	w.round()
	file := w.keeper.file()
	if err := os.Rename(w.cfg.Folder, w.cfg.Folder+"x"); err != nil {
		t.Fatal(err)
	}
	w.said.withdraw(idOf(0, 0) + "|" + idOf(0, 1))
	if got := w.round(); got != failed || !w.keeper.Status().Serving {
		t.Errorf("ended as %q, %+v", got, w.keeper.Status())
	}
	if err := os.Rename(w.cfg.Folder+"x", w.cfg.Folder); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); got != unchanged {
		t.Errorf("ended as %q", got)
	}
	d, err := read(file)
	if err != nil || d.Judgments != w.keeper.decided.Load().Judgments {
		t.Errorf("what was decided is not kept when there is room again: %v", err)
	}
	for key := range w.said.of {
		w.said.withdraw(key)
	}
	if got := w.round(); got != few || w.keeper.Serves(w.archive.state) {
		t.Errorf("ended as %q", got)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a file is left: %v", err)
	}
}

// TestAnswersBesideFits: whoever asks while another order is learned, or none, gets the stated one or one that a single model made, whole.
func TestAnswersBesideFits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 18)
	whole := map[string]map[string]float64{} // scores of an order, by what it was learned from
	for _, sets := range []int{10, 14} {
		w.judge(0, sets, 1)
		if got := w.round(); got != served {
			t.Fatalf("ended as %q", got)
		}
		o, _ := w.order(idOf(16, 0))
		whole[o.Decision.Judgments] = scoresOf(o)
	}
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				entries, state, err := w.archive.Stated(context.Background(), idOf(16, 0), 200)
				if err != nil {
					t.Error(err)
					return
				}
				o, err := w.keeper.Order(Subject{ID: idOf(16, 0)}, state, entries)
				if err != nil {
					t.Error(err)
					return
				}
				if o != nil && !maps.Equal(scoresOf(o), whole[o.Decision.Judgments]) {
					t.Error("an order is not that of its judgments")
					return
				}
				_ = w.keeper.Status()
			}
		})
	}
	for set := 13; set >= 10; set-- { // back to ten sets, then to nine
		w.said.withdraw(idOf(set, 0) + "|" + idOf(set, 1))
		w.said.withdraw(idOf(set, 0) + "|" + idOf(set, 2))
	}
	if got := w.round(); got != served {
		t.Errorf("ended as %q", got)
	}
	w.said.withdraw(idOf(9, 0) + "|" + idOf(9, 1))
	w.said.withdraw(idOf(9, 0) + "|" + idOf(9, 2))
	if got := w.round(); got != few {
		t.Errorf("ended as %q", got)
	}
	close(done)
	asking.Wait()
}

func scoresOf(o *Order) map[string]float64 {
	out := map[string]float64{}
	for _, e := range o.Entries {
		out[e.ID] = e.Score
	}
	return out
}

// TestStop: a stop within a round decides nothing, and is no failure that somebody should look at.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.judge(0, 12, 1)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w.keeper.round(ctx, &w.last)
	if w.keeper.decided.Load() != nil {
		t.Error("something was decided")
	}
	if err := w.keeper.Run(ctx); err != nil {
		t.Error(err)
	}
}

// TestDamagedFiles: a file of which a bit is another, or a part is missing, is refused, and costs a fit.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.judge(0, 12, 1)
	w.round()
	want := bytesOf(t, w.keeper)
	b, err := os.ReadFile(w.keeper.file())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for range 100 {
		damaged := slices.Clone(b)
		if rng.IntN(2) == 0 {
			damaged = damaged[:rng.IntN(len(b))]
		} else {
			damaged[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		if _, err := unmarshal(damaged); err == nil {
			t.Fatal("a damaged file is read")
		}
	}
	if err := os.WriteFile(w.keeper.file(), b[:len(b)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	w.open()
	if w.keeper.decided.Load() != nil || w.round() != served || bytesOf(t, w.keeper) != want {
		t.Error("it is not learned anew")
	}
	w.open()
	if bytesOf(t, w.keeper) != want {
		t.Error("another one is there after a start")
	}
	w.cfg.Fit.Seed++
	w.open()
	if w.keeper.decided.Load() != nil {
		t.Error("what other settings have decided serves")
	}
}

// TestSettings: fewer groups than can be learned from are refused, and 0 learns nothing.
func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	for _, least := range []int{-1, 1, 9} {
		cfg := w.cfg
		cfg.Least = least
		if _, err := Open(cfg, w.archive, w.said, nil, nil, nil); err == nil {
			t.Errorf("least %d is taken", least)
		}
	}
	w.cfg.Least = 0
	w.open()
	if st := w.keeper.Status(); !strings.Contains(st.Reason, "rank.least is 0") {
		t.Errorf("status %+v", st)
	}
}

// TestFarJudgments: judged pairs that no list can show teach nothing, and it is said.
func TestFarJudgments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	for i := range 15 {
		w.said.say(fmt.Sprint("gone ", i), fmt.Sprint("lost ", i), 1, "Ada")
	}
	if got := w.round(); got != few {
		t.Errorf("ended as %q", got)
	}
	if st := w.keeper.Status(); st.Serving || !strings.Contains(st.Reason, "of 0 only") || st.Last.Groups != 15 {
		t.Errorf("status %+v", st)
	}
	if got := w.round(); got != unchanged {
		t.Errorf("ended as %q", got)
	}
	// All that there is was judged alike: no order is better than another.
	all := newWorld(t, 12)
	for set := range 12 {
		for other := range 36 {
			if id := idOf(other/3, other%3); id != idOf(set, 0) {
				all.said.say(idOf(set, 0), id, 1, "Ada")
			}
		}
	}
	if got := all.round(); got != few {
		t.Errorf("ended as %q: %+v", got, all.keeper.Status())
	}
	if math.Abs(float64(all.keeper.Status().Judgments)-12*35) > 0 {
		t.Errorf("%d judgments", all.keeper.Status().Judgments)
	}
}
