package projection

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/annindex"
	"kilim/annindex/layout"
)

// themeArchive is a theme that a test chooses: its vectors are other ones after each change, as those of a theme are.
type themeArchive struct {
	busy  atomic.Bool
	lock  sync.Mutex
	now   annindex.Index // nil before the first change
	state int
}

func newThemeArchive(t testing.TB) *themeArchive {
	a := &themeArchive{state: 1}
	a.change(t, func(annindex.Index) {})
	return a
}

func (a *themeArchive) Vectors() (Vectors, int) {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.now, a.state
}

func (a *themeArchive) Quiet() bool { return !a.busy.Load() }

// change has the theme be another one, with what was there and what is done to it.
func (a *themeArchive) change(t testing.TB, do func(annindex.Index)) {
	t.Helper()
	next, err := annindex.New(annindex.Config{Engine: "flat", Dim: dim})
	if err != nil {
		t.Fatal(err)
	}
	if a.now != nil {
		at := make([]float32, dim)
		for _, id := range a.now.IDs() {
			a.now.Vector(id, at)
			if err := next.Put(id, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(next)
	a.lock.Lock()
	defer a.lock.Unlock()
	a.now = next
}

// put gives artifacts a vector near one of four axes: for two thirds that of two of what archive.put goes by, for the others another one.
func (a *themeArchive) put(t testing.TB, numbers ...int) {
	t.Helper()
	a.change(t, func(in annindex.Index) {
		for _, n := range numbers {
			rng := rand.New(rand.NewPCG(uint64(n), 2))
			v, axis := make([]float32, dim), n%dim/2
			if n%3 == 0 {
				axis = n / dim % 4
			}
			v[axis] = 1
			for d := range v {
				v[d] += float32(0.1 * rng.NormFloat64())
			}
			if err := in.Put(node(fmt.Sprint("a/", n)), v); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (a *themeArchive) remove(t testing.TB, numbers ...int) {
	t.Helper()
	a.change(t, func(in annindex.Index) {
		for _, n := range numbers {
			if err := in.Delete(node(fmt.Sprint("a/", n))); err != nil && !errors.Is(err, annindex.ErrUnknown) {
				t.Fatal(err)
			}
		}
	})
}

// besides makes the maps of the themes that archives are, beside a general one of so many artifacts.
func besides(t testing.TB, artifacts int, archives map[string]*themeArchive) (general *Keeper, themes *Themes) {
	t.Helper()
	a := newArchive(t)
	general = open(t, t.TempDir(), a, much)
	a.put(t, general, numbers(0, artifacts)...)
	general.work(t)
	return general, NewThemes(Config{Memory: much, Log: slog.New(slog.DiscardHandler)}, general, func(theme string) Archive { return archives[theme] })
}

func lookAt(t testing.TB, themes *Themes, theme string) *Keeper {
	t.Helper()
	k, err := themes.Look(theme)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// lookAhead has somebody look for as long as the test may take.
func (k *Keeper) lookAhead() {
	at := time.Now().Add(time.Hour)
	k.looked.Store(&at)
}

// workAt is work for a theme's map, whose Keeper hears of changes by itself.
func workAt(t testing.TB, k *Keeper) int {
	t.Helper()
	k.lookAhead()
	k.follow()
	return k.work(t)
}

// pulled is how far points are from where others of the same artifacts are, as a share of the root mean square of all distances from the middle of the
// map, when both maps are brought to one size: 0 where nothing has moved, 1.41 where one says nothing of the other.
func pulled(at, from map[uint64]layout.Point) float64 {
	spread := func(in map[uint64]layout.Point) (x, y, by float64) {
		n := 0.0
		for id := range at {
			x, y, n = x+float64(in[id].X), y+float64(in[id].Y), n+1
		}
		x, y = x/n, y/n
		for id := range at {
			by += (math.Pow(float64(in[id].X)-x, 2) + math.Pow(float64(in[id].Y)-y, 2)) / n
		}
		return x, y, math.Sqrt(by)
	}
	x, y, by := spread(at)
	u, v, to := spread(from)
	sum := 0.0
	for id, p := range at {
		q := from[id]
		sum += math.Pow((float64(p.X)-x)/by-(float64(q.X)-u)/to, 2) + math.Pow((float64(p.Y)-y)/by-(float64(q.Y)-v)/to, 2)
	}
	return math.Sqrt(sum / float64(len(at)))
}

// TestThemeBeginsWithTheGeneralMap: a theme's map is as true to the theme as one that is laid out by itself, and its points are nearer to where they are on the map of
// the archive.
func TestThemeBeginsWithTheGeneralMap(t *testing.T) {
	t.Parallel()
	const n = 128
	a := newThemeArchive(t)
	a.put(t, numbers(0, n)...)
	general, themes := besides(t, n+8, map[string]*themeArchive{"motif": a})
	k := lookAt(t, themes, "motif")
	if workAt(t, k) != 1 {
		t.Fatal("no layout")
	}
	s := k.Status()
	if s.Points != n || s.Laid != n || s.Artifacts != n || s.Trust == nil {
		t.Fatalf("status %+v", s)
	}
	alone := open(t, t.TempDir(), &archive{index: a.now}, much)
	alone.work(t)
	own, other := k.Status().Trust, alone.Status().Trust
	near, far := pulled(k.table.places(), general.table.places()), pulled(alone.table.places(), general.table.places())
	t.Logf("trustworthiness %.4f and continuity %.4f, by itself %.4f and %.4f; the points are pulled by %.3f, by itself %.3f", own.Trustworthiness, own.Continuity,
		other.Trustworthiness, other.Continuity, near, far)
	if own.Trustworthiness < other.Trustworthiness-0.02 || own.Continuity < other.Continuity-0.02 {
		t.Errorf("trust %+v, by itself %+v", own, other)
	}
	if near > 0.8*far {
		t.Errorf("the points are pulled by %.3f, by itself %.3f", near, far)
	}
}

// TestThemeHistories: whatever comes to a theme and leaves it, and whatever model replaces it, its map has the artifacts of the theme, no point moves but by a layout, and
// each slot is told to be that of the same artifact on the map of the archive.
func TestThemeHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 11))
		a := newThemeArchive(t)
		a.put(t, numbers(0, 24)...)
		general, themes := besides(t, 40, map[string]*themeArchive{"motif": a})
		k := lookAt(t, themes, "motif")
		var before map[uint64][2]uint16
		var edition int64
		for step := range 12 {
			when := fmt.Sprintf("seed %d, step %d", seed, step)
			for range rng.IntN(4) {
				if n := rng.IntN(48); rng.IntN(2) == 0 {
					a.put(t, n)
				} else {
					a.remove(t, n)
				}
			}
			if rng.IntN(5) == 0 {
				a.lock.Lock()
				a.state++
				a.lock.Unlock()
			}
			workAt(t, k)
			now := shown(t, k)
			if got := slices.Sorted(maps.Keys(now)); !slices.Equal(got, a.now.IDs()) {
				t.Errorf("%s: %d artifacts are on the map, %d in the theme", when, len(got), a.now.Len())
			}
			if s := k.Status(); s.Edition == edition {
				for id, p := range now {
					if q, there := before[id]; there && p != q {
						t.Errorf("%s: a point moved from %v to %v without a layout", when, q, p)
					}
				}
			}
			before, edition = now, k.Status().Edition
			sameSlots(t, k, general, when)
		}
	}
}

// sameSlots holds that a map tells truly where its artifacts are on another one.
func sameSlots(t *testing.T, k, in *Keeper, when string) {
	t.Helper()
	body := k.Slots(in)
	own, other := int64(binary.LittleEndian.Uint64(body)), int64(binary.LittleEndian.Uint64(body[8:]))
	if own != k.Status().Edition || other != in.Status().Edition || len(body) != len(k.Points()) {
		t.Fatalf("%s: slots of editions %d and %d in %d bytes", when, own, other, len(body))
	}
	elsewhere := shown(t, in)
	for slot := range (len(body) - headBytes) / 4 {
		at := binary.LittleEndian.Uint32(body[headBytes+4*slot:])
		id, err := k.Node(own, slot)
		_, there := elsewhere[uint64(id)]
		if (err == nil && there) != (at != noSlot) {
			t.Errorf("%s: slot %d is told to be %d in the other map, which has it: %v (%v)", when, slot, at, there, err)
		} else if at != noSlot {
			if same, err := in.Node(other, int(at)); err != nil || same != id {
				t.Errorf("%s: slot %d is told to be that of %d in the other map, %v", when, slot, same, err)
			}
		}
	}
}

// TestThemeIsWorkedAtWhileSomebodyLooks: else neither a quiet archive nor a feed has a theme's map made, and a layout that nobody waits for any more is given up, so that others
// have their turn.
func TestThemeIsWorkedAtWhileSomebodyLooks(t *testing.T) {
	t.Parallel()
	a := newThemeArchive(t)
	a.put(t, numbers(0, 30)...)
	_, themes := besides(t, 30, map[string]*themeArchive{"motif": a})
	k := lookAt(t, themes, "motif")
	long := time.Now().Add(-time.Hour)
	k.looked.Store(&long)
	for _, busy := range []bool{false, true} {
		a.busy.Store(busy)
		if k.due(time.Now().Add(time.Hour)) {
			t.Errorf("a layout is due at which nobody looks, busy %v", busy)
		}
	}
	if err := k.await(t.Context()); !errors.Is(err, errGivenUp) {
		t.Errorf("a layout that nobody waits for: %v", err)
	}
	a.busy.Store(false) // it rests less
	if workAt(t, k) != 1 || k.Status().Points != 30 {
		t.Errorf("when somebody looks again: %+v", k.Status())
	}
	empty := open(t, t.TempDir(), newArchive(t), much)
	alone, err := Open(Config{Beside: empty, Memory: much, Log: slog.New(slog.DiscardHandler)}, a)
	if err != nil {
		t.Fatal(err)
	}
	if alone.lookAhead(); alone.due(time.Now().Add(time.Hour)) {
		t.Error("a theme's map is laid out before there is one to begin with")
	}
}

// TestThemesAreForgotten: there are no more maps than MostThemes; the one that nobody has looked at for longest goes for another, unless somebody looks at each; and all go at which
// nobody looks.
func TestThemesAreForgotten(t *testing.T) {
	t.Parallel()
	archives := map[string]*themeArchive{}
	for _, name := range []string{"motif", "music", "craft"} {
		archives[name] = newThemeArchive(t)
	}
	_, themes := besides(t, 10, archives)
	if m := themeMetrics(t, themes); m["kilim_theme_maps"] != 0 || m["kilim_theme_map_age_seconds"] != 0 || m["kilim_theme_map_progress_ratio"] != 1 {
		t.Errorf("without a map: %v", m)
	}
	motif, music := lookAt(t, themes, "motif"), lookAt(t, themes, "music")
	motif.lookAhead()
	music.lookAhead()
	if _, err := themes.Look("craft"); !errors.Is(err, ErrBusy) {
		t.Errorf("one more than there may be: %v", err)
	}
	if lookAt(t, themes, "motif") != motif {
		t.Error("a map that is looked at was made anew")
	}
	ago := time.Now().Add(-lookedFor)
	music.looked.Store(&ago)
	music.counts.failed.Add(2)
	motif.enter(LayingOut)
	motif.advance(0.25)
	music.enter(PlacingAll)
	music.advance(0.5)
	if m := themeMetrics(t, themes); m["kilim_theme_maps laying out"] != 1 || m["kilim_theme_maps placing all"] != 1 || m["kilim_theme_map_progress_ratio"] != 0.25 || *music.looked.Load() != ago {
		t.Errorf("while two maps are made: %v", m)
	}
	craft := lookAt(t, themes, "craft")
	if lookAt(t, themes, "craft") != craft || lookAt(t, themes, "motif") != motif || len(themes.open) != MostThemes {
		t.Errorf("the map that was looked at longest ago is not the one that went: %v", slices.Collect(maps.Keys(themes.open)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var working sync.WaitGroup
	themes.turn(ctx, &working, time.Now())
	if len(themes.open) != MostThemes || themes.open["craft"].end == nil {
		t.Error("maps that are looked at are not worked at")
	}
	themes.turn(ctx, &working, time.Now().Add(forgottenAfter+time.Minute))
	working.Wait() // who is dropped works no more
	if len(themes.open) != 0 {
		t.Errorf("%d maps are kept that nobody looks at", len(themes.open))
	}
	if m := themeMetrics(t, themes); m["kilim_theme_map_layouts_total failed"] != 2 {
		t.Errorf("what was done at maps that are dropped is not counted: %v", m)
	}
}

// themeMetrics are the metrics of maps of themes, with the value of the label behind the name, and the sums over these.
func themeMetrics(t testing.TB, themes *Themes) map[string]float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(themes.Collector())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			v := m.GetGauge().GetValue() + m.GetCounter().GetValue()
			out[f.GetName()] += v
			for _, label := range m.Label {
				out[f.GetName()+" "+label.GetValue()] = v
			}
		}
	}
	return out
}

// TestThemesRun: what somebody looks at is made by itself, beside the map of the archive, and all ends with the context.
func TestThemesRun(t *testing.T) {
	t.Parallel()
	a := newThemeArchive(t)
	a.put(t, numbers(0, 40)...)
	_, themes := besides(t, 40, map[string]*themeArchive{"motif": a})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- themes.Run(ctx) }()
	k := lookAt(t, themes, "motif")
	for k.Status().Made == nil {
		lookAt(t, themes, "motif")
		time.Sleep(time.Millisecond)
	}
	if m := themeMetrics(t, themes); m["kilim_theme_maps"] != 1 || m["kilim_theme_map_layouts_total made"] != 1 || m["kilim_theme_map_age_seconds"] <= 0 {
		t.Errorf("of a map that was laid out: %v", m)
	}
	a.put(t, 40)
	for k.Status().Newcomers == 0 {
		lookAt(t, themes, "motif")
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
