package encode

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"kilim/graphstore"
)

// setAway has hosts answer, or not.
func (f *files) setAway(hosts map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = hosts
}

func (f *files) tries(host string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away[host]
}

// TestHostAway: many media of a host that is down cost few attempts, hold up no others, and are all had when it is back.
func TestHostAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 500
		m := newMemory(t)
		f := &files{by: map[string]string{}, took: 10 * time.Millisecond, away: map[string]int{"http://down": 0}}
		for i := range many {
			uri := fmt.Sprintf("http://down/%d", i)
			m.put(i, "image", uri, "")
			f.put(uri, fmt.Sprintf("p%d", i))
		}
		f.put("http://up/1", "one")
		f.put("http://up/2", "two")
		m.put(many, "image", "http://up/1", "")
		m.put(many+1, "audio", "http://up/2", "")
		stop := works(t, m, f, Lane{"image", &scripted{asked: map[string]int{}}, 1, 1}, Lane{"audio", &scripted{asked: map[string]int{}}, 1, 1})
		defer stop()
		time.Sleep(time.Minute)
		if n := len(m.answers()); n != 2 {
			t.Errorf("%d answers after a minute, want those of the host that answers, 2", n)
		}
		time.Sleep(time.Hour)
		if d := m.queue.Depth("image"); d.Waiting != many || d.Held != many {
			t.Errorf("waiting %+v, want %d, all held back", d, many)
		}
		// Some were under way when the first failed; then there is one after 1, 2, 4, ... 256 s, and after each longestTry.
		tries := f.tries("http://down")
		if most := 1 + (1 + ahead) + underWay + 9 + int(time.Hour/longestTry) + 1; tries > most {
			t.Errorf("a host that is down was tried %d times in an hour, want %d at most", tries, most)
		}
		t.Logf("%d attempts of a host that is down, in an hour, for %d media of it", tries, many)
		f.setAway(nil)
		time.Sleep(longestTry + 2*time.Minute)
		if n := len(m.answers()); n != many+2 {
			t.Errorf("%d answers after the host came back, want %d", n, many+2)
		}
	})
}

// TestProbeGoes: the task that is tried of a host goes with its record, before or while the host is asked: another one is tried after as long
// as after a failure, and not at once.
func TestProbeGoes(t *testing.T) {
	t.Parallel()
	const name = "http://h"
	retry := Retry{First: time.Second, Most: time.Minute}
	for _, asked := range []bool{false, true} {
		q, now := NewQueue("image"), time.Unix(1000, 0)
		for i := range 4 {
			q.Put(Task{Node: graphstore.NodeID(i), Kind: "image", Since: now.Add(time.Duration(i))})
		}
		// admitted are those that may be tried; the others wait for their host.
		admitted := func() (out []*entry) {
			taken, _ := q.take("image", 4, now)
			for _, e := range taken {
				if q.admits(e, name, now) {
					out = append(out, e)
				}
			}
			return out
		}
		first := admitted() // nothing is known of the host
		q.hostFailed(name, now, now, retry)
		for _, e := range first {
			q.putBack(e)
		}
		if n := len(admitted()); n != 0 {
			t.Fatalf("%d tasks are tried while the host rests", n)
		}
		now = now.Add(retry.First)
		probes, _ := q.take("image", 4, now)
		if len(probes) != 1 {
			t.Fatalf("%d tasks are tried after the rest", len(probes))
		}
		if asked && !q.admits(probes[0], name, now) {
			t.Fatal("the one that is tried has to wait")
		}
		q.Drop(probes[0].Node)
		if n := len(admitted()); n != 0 {
			t.Errorf("asked %t: %d tasks are tried at once", asked, n)
		}
		now = now.Add(retry.First)
		if n := len(admitted()); n != 1 {
			t.Errorf("asked %t: %d tasks are tried after the rest, want one", asked, n)
		}
	}
}

// TestOneAddressAway: an address that never answers, of a host that does, holds up the others of the host for a moment only.
func TestOneAddressAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 300
		m, f := newMemory(t), &slowAddress{files: &files{by: map[string]string{}, took: 10 * time.Millisecond}}
		m.put(0, "image", "http://up/never-answers", "")
		for i := 1; i <= many; i++ {
			uri := fmt.Sprintf("http://up/%d", i)
			m.put(i, "image", uri, "")
			f.put(uri, fmt.Sprintf("p%d", i))
		}
		stop := works(t, m, f, Lane{"image", &scripted{asked: map[string]int{}}, 1, 1})
		defer stop()
		time.Sleep(time.Minute)
		if n := len(m.answers()); n != many {
			t.Errorf("%d answers after a minute, want %d", n, many)
		}
		if d := m.queue.Depth("image"); d.Waiting != 1 {
			t.Errorf("waiting %+v, want the one", d)
		}
	})
}

// TestHostsComeAndGo: hosts that come and go, records that are replaced and removed meanwhile, and workers that are stopped:
// when all hosts answer, all that is asked is answered, and no host is remembered for ever.
func TestHostsComeAndGo(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 9))
			m, f := newMemory(t), &files{by: map[string]string{}, took: time.Duration(rng.IntN(3000)) * time.Millisecond}
			start := func() func() {
				return works(t, m, f, Lane{"image", &scripted{asked: map[string]int{}}, 1 + rng.IntN(3), 1}, Lane{"audio", &scripted{asked: map[string]int{}}, 1, 1})
			}
			stop := start()
			for range 150 {
				node := rng.IntN(40)
				host := rng.IntN(4)
				uri := fmt.Sprintf("http://h%d/%d", host, rng.IntN(50))
				switch rng.IntN(12) {
				case 0:
					away := map[string]int{}
					for h := range rng.IntN(4) {
						away[fmt.Sprintf("http://h%d", h)] = 0
					}
					f.setAway(away)
				case 1:
					stop()
					stop = start()
				case 2:
					m.remove(node)
				default:
					f.put(uri, uri)
					m.put(node, []string{"image", "audio"}[node%2], uri, "")
				}
				time.Sleep(time.Duration(rng.IntN(20_000)) * time.Millisecond)
			}
			f.setAway(nil)
			time.Sleep(2*longestTry + time.Minute)
			stop()
			m.mu.Lock()
			defer m.mu.Unlock()
			for node := range m.asked {
				if a, ok := m.done[node]; !ok || a.Vector == nil {
					t.Errorf("seed %d: node %d is not encoded", seed, node)
				}
			}
			for _, k := range m.queue.Kinds() {
				if d := m.queue.Depth(k); d != (Depth{}) {
					t.Errorf("seed %d: %s: left in the queue: %+v", seed, k, d)
				}
			}
			time.Sleep(remembered)
			if m.queue.take("image", 1, time.Now()); len(m.queue.hosts.by)+len(m.queue.hosts.next) > 0 {
				t.Errorf("seed %d: still remembered: %v", seed, m.queue.hosts.by)
			}
		})
	}
}
