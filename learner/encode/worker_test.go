package encode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// TestEverythingIsAnswered: pictures and recordings, inline and fetched, many of the same content, some refused, replaced
// while they wait: in the end each question has the answer to its latest revision, and no content was encoded twice, but
// for those that nobody had any more when their vector came.
func TestEverythingIsAnswered(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			m := newMemory(t)
			m.busy = time.Duration(rng.IntN(3)) * time.Millisecond
			f := &files{by: map[string]string{}, took: time.Duration(rng.IntN(20)) * time.Millisecond}
			eye := &scripted{asked: map[string]int{}, took: time.Duration(rng.IntN(30)) * time.Millisecond}
			ear := &scripted{asked: map[string]int{}}
			stop := works(t, m, f, Lane{"image", eye, 1 + rng.IntN(5), 1 + rng.IntN(3)}, Lane{"audio", ear, 1, 1})
			defer stop()
			type want struct {
				data    string
				refused bool
			}
			wants := map[graphstore.NodeID]want{}
			for range 200 {
				node := 1 + rng.IntN(60)
				kind := []string{"image", "audio"}[node%2]
				data := fmt.Sprintf("%s %*d", kind, 2+rng.IntN(30), 0)
				w := want{data: data}
				switch rng.IntN(10) {
				case 0:
					w = want{"bad " + data, true}
					m.put(node, kind, "", w.data)
				case 1:
					w = want{"", true}
					m.put(node, kind, "never/there", "")
				case 2, 3, 4:
					m.put(node, kind, "", data)
				default:
					f.put(data, data)
					m.put(node, kind, data, "")
				}
				wants[graphstore.NodeID(node)] = w
				if rng.IntN(4) == 0 {
					time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
				}
			}
			time.Sleep(time.Minute) // of the bubble
			got := m.answers()
			for node, w := range wants {
				a, ok := got[node]
				switch {
				case !ok:
					t.Errorf("seed %d: node %d (%q) is not answered", seed, node, w.data)
				case w.refused != (a.Refusal != nil):
					t.Errorf("seed %d: node %d (%q): refusal %v", seed, node, w.data, a.Refusal)
				case !w.refused && (len(a.Vector) != 1 || a.Vector[0] != float32(len(w.data)) || a.Content != graphstore.ContentOf([]byte(w.data))):
					t.Errorf("seed %d: node %d (%q): vector %v of %x", seed, node, w.data, a.Vector, a.Content)
				}
			}
			for _, s := range []*scripted{eye, ear} {
				for data, n := range s.asked {
					if n > 1+m.lost[graphstore.ContentOf([]byte(data))] {
						t.Errorf("seed %d: %q was encoded %d times", seed, data, n)
					}
				}
			}
			if eye.most > 3 || ear.most > 1 {
				t.Errorf("seed %d: %d and %d calls at once", seed, eye.most, ear.most)
			}
			for _, k := range m.queue.Kinds() {
				if d := m.queue.Depth(k); d != (Depth{}) {
					t.Errorf("seed %d: %s: left in the queue: %+v", seed, k, d)
				}
			}
		})
	}
}

// TestDamagedArtifactsArePassedOver: media whose artifacts can't be read are left alone, and all others are encoded; what the next
// record of such an artifact asks about is encoded, too.
func TestDamagedArtifactsArePassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.damaged = map[graphstore.NodeID]bool{3: true, 4: true, 9: true}
		stop := works(t, m, &files{}, Lane{"image", &scripted{asked: map[string]int{}}, 4, 2}, Lane{"audio", &scripted{asked: map[string]int{}}, 1, 1})
		defer stop()
		for i := range 12 {
			m.put(i, []string{"image", "audio"}[i%2], "", fmt.Sprintf("data %d", i))
		}
		time.Sleep(time.Minute)
		if n := len(m.answers()); n != 9 {
			t.Errorf("%d answers, want 9", n)
		}
		if image, audio := m.queue.Depth("image"), m.queue.Depth("audio"); image != (Depth{}) || audio != (Depth{}) {
			t.Errorf("left in the queue: %+v, %+v", image, audio)
		}
		m.mu.Lock()
		delete(m.damaged, 4)
		m.mu.Unlock()
		m.put(4, "image", "", "data anew")
		time.Sleep(time.Minute)
		if n := len(m.answers()); n != 10 {
			t.Errorf("%d answers after the next record, want 10", n)
		}
	})
}

// TestEncoderDownAndBack: while an encoder is down nothing is lost and it is asked ever less often; the other modality goes on;
// when it is back, all that waited is encoded soon, also what had failed.
func TestEncoderDownAndBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye, ear := &scripted{asked: map[string]int{}, down: true}, &scripted{asked: map[string]int{}}
		stop := works(t, m, &files{}, Lane{"image", eye, 4, 2}, Lane{"audio", ear, 1, 1})
		defer stop()
		for i := range 50 {
			m.put(i, "image", "", fmt.Sprintf("picture %d", i))
			m.put(100+i, "audio", "", fmt.Sprintf("recording %d", i))
		}
		time.Sleep(10 * time.Minute)
		if n := len(m.answers()); n != 50 {
			t.Errorf("%d answers, want the 50 recordings", n)
		}
		if d := m.queue.Depth("image"); d.Waiting != 50 || d.Held != 50 {
			t.Errorf("waiting %+v, want 50, all held back", d)
		}
		// It rests for 1, 2, 4, 8 and 16 s and then 19 times for mostRest; each time as many calls as may be under way
		// at once, 2, can find it down.
		if eye.calls > 2*25 {
			t.Errorf("an encoder that is down was asked %d times in 10 minutes", eye.calls)
		}
		eye.set(false)
		time.Sleep(mostRest + 2*time.Second)
		if n := len(m.answers()); n != 100 {
			t.Errorf("%d answers after the encoder came back, want 100", n)
		}
		for what, n := range eye.asked {
			if n != 1 {
				t.Errorf("%q was encoded %d times", what, n)
			}
		}
	})
}

// TestOneCallEndsTheRest: when a circuit breaker lets one call through and turns the others away, that one is enough.
func TestOneCallEndsTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &guarded{scripted: &scripted{asked: map[string]int{}, down: true, took: 10 * time.Millisecond}}
		stop := works(t, m, &files{}, Lane{"image", eye, 4, 3})
		defer stop()
		for i := range 50 {
			m.put(i, "image", "", fmt.Sprintf("picture %d", i))
		}
		time.Sleep(10 * time.Minute)
		eye.set(false)
		for len(m.answers()) == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		if n := len(m.answers()); n != 50 {
			t.Errorf("%d answers soon after the first, want 50", n)
		}
	})
}

// TestPoison: an item that makes the encoder fail, whatever it is asked together with, keeps no other from being encoded.
func TestPoison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &scripted{asked: map[string]int{}}
		stop := works(t, m, &files{}, Lane{"image", eye, 4, 1})
		defer stop()
		m.put(0, "image", "", "poison")
		m.put(1, "image", "", "short vector")
		for i := 2; i < 100; i++ {
			m.put(i, "image", "", fmt.Sprint("picture ", i))
		}
		time.Sleep(2 * time.Minute)
		if n := len(m.answers()); n != 98 {
			t.Errorf("%d answers, want 98", n)
		}
		if d := m.queue.Depth("image"); d.Waiting != 2 || d.Held != 2 {
			t.Errorf("waiting %+v, want the 2 held back", d)
		}
	})
}

// TestFetchLater: what can't be fetched now is fetched when it can be, and holds up nobody.
func TestFetchLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, f := newMemory(t), &files{by: map[string]string{}}
		stop := works(t, m, f, Lane{"image", &scripted{asked: map[string]int{}}, 2, 1})
		defer stop()
		m.put(1, "image", "http://down/1", "")
		m.put(2, "image", "http://down/2", "")
		m.put(3, "image", "", "a picture")
		m.put(4, "image", "http://empty", "")
		f.put("http://empty", "")
		time.Sleep(time.Minute)
		if got := m.answers(); len(got) != 2 || got[4].Refusal == nil || got[4].Refusal.Reason != feature.ReasonEmpty {
			t.Errorf("answered: %v", got)
		}
		f.put("http://down/1", "another picture")
		time.Sleep(DefaultRetry().Most)
		if got := m.answers(); len(got) != 3 || len(got[1].Vector) != 1 {
			t.Errorf("answered: %v", got)
		}
		if d := m.queue.Depth("image"); d.Waiting != 1 || d.Held != 1 {
			t.Errorf("waiting %+v", d)
		}
	})
}

// TestReplacedWhileEncoded: the answer to a question that was replaced meanwhile does not stand for the new one.
func TestReplacedWhileEncoded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &scripted{asked: map[string]int{}, took: time.Second}
		stop := works(t, m, &files{}, Lane{"image", eye, 1, 1})
		defer stop()
		m.put(1, "image", "", "old")
		time.Sleep(500 * time.Millisecond)
		m.put(1, "image", "", "brand new")
		time.Sleep(5 * time.Second)
		if a := m.answers()[1]; !slices.Equal(a.Vector, []float32{9}) {
			t.Errorf("answered: %+v", a)
		}
	})
}

// TestAnotherWorkerGoesOn: what a worker had taken when it was stopped is done by the next one.
func TestAnotherWorkerGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &scripted{asked: map[string]int{}, took: time.Second}
		for i := range 9 {
			m.put(i, "image", "", fmt.Sprint("picture ", i))
		}
		for range 3 {
			stop := works(t, m, &files{}, Lane{"image", eye, 2, 1})
			time.Sleep(1500 * time.Millisecond)
			stop()
		}
		if n := len(m.answers()); n < 3 || n == 9 {
			t.Errorf("%d answers, want some by each of the workers, and some left", n)
		}
		stop := works(t, m, &files{}, Lane{"image", eye, 2, 1})
		defer stop()
		time.Sleep(10 * time.Second)
		if n := len(m.answers()); n != 9 {
			t.Errorf("%d answers, want 9", n)
		}
	})
}

// TestStateFails: an error of the state ends the worker.
func TestStateFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	m := newMemory(t)
	m.put(1, "image", "", "picture")
	w, err := NewWorker(Config{Lanes: []Lane{{"image", &scripted{asked: map[string]int{}}, 1, 1}}, ItemBytes: 1, InFlightBytes: 1, Retry: DefaultRetry()},
		m.queue, failing{m, broken}, &files{}, NewMetrics(prometheus.NewRegistry(), m.queue.Kinds()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("ended with %v", err)
	}
}

type failing struct {
	*memory
	err error
}

func (f failing) Answer(context.Context, []Answer) error { return f.err }

type panics struct{}

func (panics) Identity() feature.Identity {
	return feature.Identity{Name: "panics", Version: 2, Dim: 3}
}
func (panics) Encode(data []byte) ([]float32, error) { return []float32{float32(data[5]), 0, 0}, nil }

// TestLocal: a built-in encoder that breaks down on hostile bytes refuses them.
func TestLocal(t *testing.T) {
	t.Parallel()
	e := Local(panics{}, 1)
	out := e.Encode(t.Context(), []feature.Item{{Data: []byte("short")}, {Data: []byte("longer")}})
	if r, ok := feature.AsRefusal(out[0].Err); !ok || r.Reason != feature.ReasonCorrupt {
		t.Errorf("answer %+v", out[0])
	}
	if out[1].Err != nil || out[1].Vector[0] != 'r' {
		t.Errorf("answer %+v", out[1])
	}
	vec := []float32{1, 2, 3}
	if madeBy(e, "panics", vec) || !madeBy(e, "panics v2, 3 numbers", vec) || madeBy(e, "panics v2, 3 numbers", vec[:2]) {
		t.Error("a built-in encoder's vectors are told by its whole identity")
	}
	if p := (Precomputed{e.Identity()}); !madeBy(p, "panics", vec) || madeBy(p, "panic", vec) {
		t.Error("others' vectors are told by the name")
	}
}
