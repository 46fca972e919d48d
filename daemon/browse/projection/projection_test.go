package projection

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/annindex"
	"kilim/annindex/layout"
	"kilim/graphstore"
)

const dim = 8

// archive is an Archive of vectors that a test chooses.
type archive struct {
	index annindex.Index
	state atomic.Int64
}

func newArchive(t testing.TB) *archive {
	t.Helper()
	a := &archive{}
	a.state.Store(1)
	a.fill(t)
	return a
}

func (a *archive) fill(t testing.TB) {
	t.Helper()
	var err error
	if a.index, err = annindex.New(annindex.Config{Engine: "flat", Dim: dim}); err != nil {
		t.Fatal(err)
	}
}

func (a *archive) Vectors() (Vectors, int) { return a.index, int(a.state.Load()) }
func (a *archive) Quiet() bool             { return true }

func node(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }

// put gives an artifact a vector near one of eight axes, always the same.
func (a *archive) put(t testing.TB, k *Keeper, numbers ...int) {
	t.Helper()
	var ids []string
	for _, n := range numbers {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		v := make([]float32, dim)
		v[n%dim] = 1
		var length float64
		for d := range v {
			v[d] += float32(0.1 * rng.NormFloat64())
			length += float64(v[d]) * float64(v[d])
		}
		for d := range v {
			v[d] /= float32(math.Sqrt(length))
		}
		id := fmt.Sprint("a/", n)
		if err := a.index.Put(node(id), v); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	k.Changed(ids)
}

func (a *archive) remove(t testing.TB, k *Keeper, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		id := fmt.Sprint("a/", n)
		if err := a.index.Delete(node(id)); err != nil {
			t.Fatal(err)
		}
		k.Changed([]string{id})
	}
}

func numbers(from, to int) (out []int) {
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

func open(t testing.TB, folder string, a *archive, memory int) *Keeper {
	t.Helper()
	k, err := Open(Config{Folder: folder, Memory: memory, Log: slog.New(slog.DiscardHandler)}, a)
	if err != nil {
		t.Fatal(err)
	}
	k.reconcile()
	return k
}

const much = 64 << 20

// work does what Run does, but for waiting: all that is noted, and the layouts that are due whenever they may come.
func (k *Keeper) work(t testing.TB) (rounds int) {
	t.Helper()
	for {
		if k.due(k.last.ended.Add(time.Hour)) {
			if rounds++; rounds > 3 {
				t.Fatal("one layout after another is due")
			}
			if k.round(t.Context()); k.last.failed {
				t.Fatal("the layout failed")
			}
			continue
		}
		more, err := k.renew(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return rounds
		}
	}
}

// shown are the artifacts on the map, by their slots as they are sent.
func shown(t testing.TB, k *Keeper) map[uint64][2]uint16 {
	t.Helper()
	body := k.Points()
	edition, n := int64(binary.LittleEndian.Uint64(body)), int(binary.LittleEndian.Uint32(body[12:]))
	if len(body) != headBytes+4*n {
		t.Fatalf("%d bytes for %d slots", len(body), n)
	}
	out := map[uint64][2]uint16{}
	for slot := range n {
		at := body[headBytes+4*slot:]
		x, y := binary.LittleEndian.Uint16(at), binary.LittleEndian.Uint16(at[2:])
		id, err := k.Node(edition, slot)
		if (err != nil) != (x == gone && y == gone) {
			t.Fatalf("slot %d is at (%d, %d), and its artifact is %v, %v", slot, x, y, id, err)
		}
		if err == nil {
			out[uint64(id)] = [2]uint16{x, y}
		}
	}
	return out
}

func sameArtifacts(t *testing.T, k *Keeper, a *archive, when string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(shown(t, k))); !slices.Equal(got, a.index.IDs()) {
		t.Errorf("%s: %d artifacts are on the map, %d in the archive", when, len(got), a.index.Len())
	}
}

// TestHistories: whatever comes and goes, with restarts between and after crashes that lose what was not kept yet, the map has the
// artifacts of the archive, and no point moves but by a layout.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 7))
		a, folder := newArchive(t), t.TempDir()
		k := open(t, folder, a, much)
		live := map[int]bool{}
		before, edition := map[uint64][2]uint16{}, int64(0)
		for step := range 11 {
			when := fmt.Sprintf("seed %d, step %d", seed, step)
			for range rng.IntN(12) {
				n := rng.IntN(40)
				if live[n] && rng.IntN(2) == 0 {
					a.remove(t, k, n)
					delete(live, n)
				} else {
					a.put(t, k, n)
					live[n] = true
				}
			}
			if step == 9 && seed%3 == 0 {
				a.remove(t, k, slices.Collect(maps.Keys(live))...)
				clear(live)
			}
			stays := false
			switch rng.IntN(5) {
			case 0:
				k.save(0)
				stays = edition == k.Status().Edition && before != nil
				k = open(t, folder, a, much)
			case 1: // a crash: what the file has not is lost, and what was changed was told to nobody
				k = open(t, folder, a, much)
				before = nil
			case 2:
				a.state.Add(1)
			}
			was := k.Status().Made
			k.work(t)
			sameArtifacts(t, k, a, when)
			now := shown(t, k)
			if made := k.Status().Made; stays || was != nil && made != nil && made.Equal(*was) {
				for id, p := range now {
					if q, there := before[id]; there && p != q && made != nil && was != nil && made.Equal(*was) {
						t.Errorf("%s: a point moved from %v to %v without a layout", when, q, p)
					}
				}
			}
			before, edition = now, k.Status().Edition
		}
	}
}

// TestNewcomers: they are placed at once near what they are like, nothing else moves, and Since tells just them; the next layout
// comes when a tenth has changed, and moves the old ones a little.
func TestNewcomers(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	k := open(t, t.TempDir(), a, much)
	if k.work(t) != 0 || len(shown(t, k)) != 0 {
		t.Error("an empty archive was laid out")
	}
	a.put(t, k, numbers(0, 120)...)
	if n := k.work(t); n != 1 {
		t.Errorf("%d layouts of the first artifacts", n)
	}
	first, s := shown(t, k), k.Status()
	if s.Points != 120 || s.Laid != 120 || s.Newcomers != 0 || s.Artifacts != 120 || s.Made == nil || s.Phase != Idle || s.Trust == nil ||
		s.Trust.Trustworthiness < 0.9 || s.Trust.Continuity < 0.9 {
		t.Errorf("status %+v, trust %+v", s, s.Trust)
	}
	a.put(t, k, numbers(120, 128)...)
	a.remove(t, k, 7)
	a.put(t, k, 8) // again: it keeps its place
	if n := k.work(t); n != 0 {
		t.Errorf("%d layouts for a few newcomers", n)
	}
	changes, known := k.Since(s.Edition, s.Version)
	if now := k.Status(); !known || len(changes) != 9 || now.Edition != s.Edition || now.Version != s.Version+9 || now.Newcomers != 8 || now.Points != 127 || now.Settled != 120 {
		t.Fatalf("%d changes, known %v, status %+v", len(changes), known, now)
	}
	after := shown(t, k)
	for id, p := range first {
		if id != node("a/7") && after[id] != p {
			t.Fatalf("a point moved from %v to %v before a layout", p, after[id])
		}
	}
	for _, c := range changes {
		id, err := k.Node(s.Edition, c.Slot)
		if c.Gone != (err != nil) || err == nil && after[uint64(id)] != [2]uint16{c.X, c.Y} {
			t.Errorf("change %+v, %v", c, err)
		}
	}
	for n := 120; n < 128; n++ {
		if own, others := distances(after, n); own > others/2 {
			t.Errorf("newcomer %d is %.0f from the middle of its like, %.0f from the middle of all", n, own, others)
		}
	}
	a.put(t, k, numbers(128, 138)...)
	if n := k.work(t); n != 1 {
		t.Errorf("%d layouts after a tenth has changed", n)
	}
	if _, known := k.Since(s.Edition, s.Version); known {
		t.Error("an edition before the layout is still known")
	}
	var moved []float64
	for id, p := range shown(t, k) {
		if q, there := first[id]; there {
			moved = append(moved, math.Hypot(float64(p[0])-float64(q[0]), float64(p[1])-float64(q[1])))
		}
	}
	if slices.Sort(moved); moved[len(moved)/2] > 0.05*most {
		t.Errorf("the median old point moved by %.3f of the width in the next layout", moved[len(moved)/2]/most)
	}
}

// distances of an artifact from the middle of those of its axis, and from the middle of all.
func distances(at map[uint64][2]uint16, n int) (own, all float64) {
	mean := func(in func(int) bool) (x, y, count float64) {
		for m := range 400 {
			if p, there := at[node(fmt.Sprint("a/", m))]; there && in(m) {
				x, y, count = x+float64(p[0]), y+float64(p[1]), count+1
			}
		}
		return x / count, y / count, count
	}
	p := at[node(fmt.Sprint("a/", n))]
	x, y, _ := mean(func(m int) bool { return m%dim == n%dim && m < 120 })
	u, v, _ := mean(func(int) bool { return true })
	return math.Hypot(float64(p[0])-x, float64(p[1])-y), math.Hypot(float64(p[0])-u, float64(p[1])-v)
}

// TestSample: of more artifacts than are laid out those of the smallest ids are, and the others placed near their like; of more than are
// drawn some are not there.
func TestSample(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	memory := 2 * (laidBytes + 4*dim) * 60 // 60 are laid out, and some 540 drawn
	k := open(t, t.TempDir(), a, memory)
	a.put(t, k, numbers(0, 300)...)
	k.work(t)
	s := k.Status()
	if s.Laid != 60 || s.Points != 300 || s.MostLaid != 60 || s.Newcomers != 0 {
		t.Errorf("status %+v", s)
	}
	sameArtifacts(t, k, a, "a sample and the others")
	near, at := 0, shown(t, k)
	for n := range 100 {
		if own, all := distances(at, n); own < all {
			near++
		}
	}
	if near < 70 {
		t.Errorf("%d of 100 are nearer to their like than to the middle", near)
	}
	a.put(t, k, numbers(300, 600)...)
	k.work(t)
	a.put(t, k, numbers(600, 610)...)
	k.work(t)
	if s := k.Status(); s.Points != s.MostPoints || s.Artifacts != 610 || s.Points >= 600 {
		t.Errorf("status %+v", s)
	}
}

// TestTwins: artifacts of one vector have a place each, those that were laid out and those that came later.
func TestTwins(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	k := open(t, t.TempDir(), a, much)
	twins := func(from, to int) {
		for n := from; n < to; n++ {
			id := fmt.Sprint("twin/", n)
			if err := a.index.Put(node(id), []float32{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
				t.Fatal(err)
			}
			k.Changed([]string{id})
		}
		k.work(t)
		places := map[[2]uint16]int{}
		for _, p := range shown(t, k) {
			places[p]++
		}
		if len(places) != a.index.Len() {
			t.Errorf("%d artifacts have %d places", a.index.Len(), len(places))
		}
	}
	a.put(t, k, numbers(0, 60)...)
	twins(0, 10)
	if twins(10, 14); k.Status().Newcomers != 4 {
		t.Errorf("status %+v", k.Status())
	}
}

// TestKept: it is the share of the true neighbours that is found by looking at every point.
func TestKept(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	k := open(t, t.TempDir(), a, much)
	a.put(t, k, numbers(0, 80)...)
	k.work(t)
	slot, found := k.Find("a/3")
	if !found {
		t.Fatal("a/3 is not on the map")
	}
	points := k.table.slots
	order := numbers(0, 80)
	slices.SortFunc(order, func(x, y int) int {
		d := func(n int) float32 {
			dx, dy := points[n].point.X-points[slot].point.X, points[n].point.Y-points[slot].point.Y
			return dx*dx + dy*dy
		}
		if d(x) < d(y) {
			return -1
		}
		return 1
	})
	order = order[1:] // itself
	for _, c := range []struct {
		near []int
		want int
	}{{order[:10], 10}, {order[5:15], 5}, {order[50:60], 0}, {nil, 0}, {order, len(order)}} {
		if got := k.Kept(slot, c.near); got != c.want {
			t.Errorf("kept %d of %d, want %d", got, len(c.near), c.want)
		}
	}
	if _, found := k.Find("of nobody"); found {
		t.Error("an artifact is found that is not there")
	}
}

// TestCodes: the most frequent labels have codes, whatever they are, rarer ones share one, and those who have none are 0.
func TestCodes(t *testing.T) {
	t.Parallel()
	k := open(t, t.TempDir(), newArchive(t), much)
	var shown []uint64
	for n := range 300 {
		shown = append(shown, node(fmt.Sprint("a/", n)))
	}
	k.table.begin(shown, make([]layout.Point, len(shown)), len(shown), len(shown), frameOf(nil))
	ids, of, names := []string{"gone", "a/0", "a/1"}, []uint32{2, 2, 2}, []string{"of none", "of another", "often"}
	for n := 2; n < 299; n++ {
		ids, of, names = append(ids, fmt.Sprint("a/", n)), append(of, uint32(len(names))), append(names, fmt.Sprintf("<b>%d", 1000+n))
	}
	ids, of = append(ids, "gone too"), append(of, 1)
	var nodes []graphstore.NodeID
	for _, id := range ids {
		nodes = append(nodes, graphstore.ID(graphstore.Artifact, id))
	}
	ids = ids[:len(ids)-1]
	edition, values, codes := k.Codes(nodes, of, names)
	if edition != k.Status().Edition || len(values) != mostValues || values[0] != (Value{"often", 2}) || len(codes) != 300 {
		t.Fatalf("edition %d, %d values, the first %+v, %d codes", edition, len(values), values[0], len(codes))
	}
	for i, want := range map[int]byte{1: 1, 2: 1, 3: 2, len(ids) - 1: mostValues + 1} {
		if slot, _ := k.Find(ids[i]); codes[slot] != want {
			t.Errorf("%s has code %d, want %d", ids[i], codes[slot], want)
		}
	}
	if slot, _ := k.Find("a/299"); codes[slot] != 0 {
		t.Errorf("one without a label has code %d", codes[slot])
	}
}

// TestWire: 200,000 points take at most 5 bytes each, and what they are coloured by one. A place is wrong by at most half a step, and one outside of
// the frame is at its edge.
func TestWire(t *testing.T) {
	t.Parallel()
	const n = 200_000
	rng := rand.New(rand.NewPCG(1, 1))
	ids, points := make([]uint64, n), make([]layout.Point, n)
	for i := range ids {
		ids[i], points[i] = uint64(i+1), layout.Point{X: float32(rng.NormFloat64() * 300), Y: float32(rng.NormFloat64()*40 + 1000)}
	}
	k := &Keeper{table: newTable()}
	f := frameOf(points)
	k.table.begin(ids, points, n, n, f)
	body := k.Points()
	_, values, codes := k.Codes(nil, nil, nil)
	t.Logf("%d points in %d bytes, %.5f a point; their colours in %d", n, len(body), float64(len(body))/n, len(codes))
	if len(body) > 5*n || len(codes) != n || len(values) != 0 {
		t.Errorf("%d points in %d bytes, their colours in %d", n, len(body), len(codes))
	}
	_, places, err := ReadPoints(body)
	if err != nil || len(places) != n {
		t.Fatalf("%d places, %v", len(places), err)
	}
	for _, b := range [][]byte{nil, body[:headBytes-1], body[:len(body)-1], append(slices.Clone(body), 0)} {
		if _, _, err := ReadPoints(b); err == nil {
			t.Errorf("%d bytes are read as a map of %d points", len(b), n)
		}
	}
	half := f.Side / most * 0.51
	for i, p := range points {
		at := body[headBytes+4*i:]
		x := f.X + float32(binary.LittleEndian.Uint16(at))/most*f.Side
		y := f.Y + float32(binary.LittleEndian.Uint16(at[2:]))/most*f.Side
		if dx, dy := x-p.X, y-p.Y; max(dx, -dx) > half || max(dy, -dy) > half {
			t.Fatalf("point %d at %v is sent as (%v, %v)", i, p, x, y)
		}
		if q := places[i]; q.Gone || math.Abs(q.X*float64(f.Side)-float64(p.X-f.X)) > 2*float64(half) || math.Abs(q.Y*float64(f.Side)-float64(p.Y-f.Y)) > 2*float64(half) {
			t.Fatalf("point %d at %v is read as %v", i, p, q)
		}
	}
	for _, far := range []layout.Point{{X: 1e30, Y: -1e30}, {X: -1e30, Y: 1e30}} {
		if x, y := f.quantized(far); x != most && x != 0 || y != most && y != 0 {
			t.Errorf("%v is sent as (%d, %d)", far, x, y)
		}
	}
}

// TestFile: a file that is damaged, of another format or cut is refused, and another map is made; after an ordinary end the next start shows the
// same one at once, and lays nothing out.
func TestFile(t *testing.T) {
	t.Parallel()
	a, folder := newArchive(t), t.TempDir()
	k := open(t, folder, a, much)
	a.put(t, k, numbers(0, 50)...)
	k.work(t)
	a.put(t, k, 50, 51)
	k.work(t)
	k.save(0)
	want, edition := shown(t, k), k.Status().Edition
	k = open(t, folder, a, much)
	if got := shown(t, k); !maps.Equal(got, want) || k.work(t) != 0 || k.Status().Edition <= edition || k.Status().Newcomers != 2 || k.Status().Laid != 50 {
		t.Errorf("after a start %d points, status %+v", len(got), k.Status())
	}
	a.put(t, k, 52)
	if k.work(t) != 0 || len(shown(t, k)) != 53 {
		t.Error("a newcomer after a start is not placed")
	}
	whole, err := os.ReadFile(filepath.Join(folder, "map"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)-3] ^= 1
	for what, b := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)-1], "a bit flipped": flipped, "of another format": append([]byte(`{"format":0,"x":`), whole[1:]...), "longer": append(slices.Clone(whole), 0),
	} {
		if _, _, _, err := decode(b); err == nil {
			t.Errorf("%s: it is taken", what)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "map"), flipped, 0o644); err != nil {
		t.Fatal(err)
	}
	k = open(t, folder, a, much)
	if k.work(t) != 1 {
		t.Error("no other map is made after a damaged file")
	}
	sameArtifacts(t, k, a, "after a damaged file")
}

// TestMetrics: they tell what is on the map and what waits, and are 0 before there is one.
func TestMetrics(t *testing.T) {
	t.Parallel()
	a := &counted{archive: newArchive(t)}
	k, err := Open(Config{Folder: t.TempDir(), Memory: much, Log: slog.New(slog.DiscardHandler)}, a)
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(k.Collector())
	metrics := func() map[string]float64 {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range families {
			m := f.Metric[0]
			out[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
		return out
	}
	for name, v := range metrics() {
		if v != 0 {
			t.Errorf("%s is %v before there is anything", name, v)
		}
	}
	a.put(t, k, numbers(0, 60)...)
	k.work(t)
	a.put(t, k, 60, 61)
	k.work(t)
	a.busy.Store(true)
	a.put(t, k, 62)
	k.work(t)
	m, s := metrics(), k.Status()
	for name, want := range map[string]float64{
		"points": 62, "waiting": 1, "placed_total": 2, "trustworthiness_ratio": s.Trust.Trustworthiness, "continuity_ratio": s.Trust.Continuity,
		"layout_timestamp_seconds": float64(s.Made.UnixMilli()) / 1000, "layout_seconds": k.made.Worked.Seconds(),
	} {
		if got := m["kilim_map_"+name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if m["kilim_map_trustworthiness_ratio"] < 0.7 {
		t.Errorf("trustworthiness %v", m["kilim_map_trustworthiness_ratio"])
	}
}
