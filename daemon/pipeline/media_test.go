package pipeline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"kilim/graphstore"
)

// TestMediaEndState: however records, answers and background units alternate, in the end each artifact is known by
// exactly its media, its lists are those of a site that got what lives at once, and no content was encoded twice while
// an artifact had it.
func TestMediaEndState(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			thin(t, seed)
			t.Parallel()
			changes, live := mediaHistory(seed, 120, 30)
			rng := rand.New(rand.NewPCG(seed, 6))
			made := withMedia
			if seed >= 4 {
				made = withMediaNodes
			}
			grown := newSite(t, made())
			for len(changes) > 0 {
				n := min(1+rng.IntN(16), len(changes))
				grown.must(grown.apply(changes[:n]))
				changes = changes[n:]
				if rng.IntN(2) == 0 {
					grown.must(grown.encodeAll())
				}
				for range rng.IntN(3) {
					_, err := grown.engine.backgroundUnit()
					grown.must(err)
				}
			}
			grown.must(grown.encodeAll())
			grown.must(grown.settle())
			if left := grown.tasks(); len(left) > 0 {
				t.Errorf("%d tasks left: %v", len(left), left)
			}
			known := grown.known()
			for id, fields := range live {
				images, sounds := wanted(fields)
				if k := known[id]; len(k.Image) != images || len(k.Audio) != sounds {
					t.Errorf("%q is known by %d pictures and %d recordings, has %d and %d", id, len(k.Image), len(k.Audio), images, sounds)
				}
			}
			fresh := newSite(t, made())
			fresh.must(fresh.apply(liveChanges(live)))
			fresh.must(fresh.encodeAll())
			fresh.must(fresh.settle())
			compareKnown(t, "grown", known, fresh.known())
			compareLists(t, "grown", grown.lists(), fresh.lists())
			compareNodes(t, grown, fresh)
			st := grown.engine.Status()
			for kind, m := range st.Media {
				if m.Waiting != 0 {
					t.Errorf("%s: the status tells of %d waiting", kind, m.Waiting)
				}
			}
		})
	}
}

// TestCrashWithMedia fails each write in turn and goes on from the store: nothing is lost, and no content whose vector was
// durable is encoded again.
func TestCrashWithMedia(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]func() Config{"features": withMedia, "nodes": withMediaNodes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crashWithMedia(t, made)
		})
	}
}

func crashWithMedia(t *testing.T, made func() Config) {
	changes, _ := mediaHistory(21, 18, 10)
	run := func(dir string, crashAt int) (crashed bool, s *site, asked int) {
		writes := 0
		opts := graphstore.Options{SyncWrites: graphstore.NoSync, BeforeWrite: func(string) error {
			if writes++; writes == crashAt {
				return errPlanned
			}
			return nil
		}}
		for {
			cfg := made()
			s, err := openSite(t, dir, cfg, opts)
			if err == nil {
				next, _, err2 := s.engine.StoredOffset("in", 0)
				s.must(err2)
				s.offset = next.Next
				for err == nil && int(s.offset) < len(changes) {
					if err = s.apply(changes[s.offset:min(int(s.offset)+6, len(changes))]); err == nil {
						err = s.encodeAll()
					}
				}
				if err == nil {
					err = s.encodeAll() // what was found waiting at the start
				}
				if err == nil {
					err = s.settle()
				}
				for _, n := range cfg.Encoders.Image.(*fakeEncoder).asked {
					asked += n
				}
			}
			if err == nil {
				return crashed, s, asked
			}
			if !errors.Is(err, errPlanned) || crashed {
				t.Fatalf("crash at write %d: %v", crashAt, err)
			}
			crashed = true
			if s != nil {
				_ = s.store.Close()
			}
		}
	}
	_, calm, calls := run(t.TempDir(), -1)
	want, known := calm.lists(), calm.known()
	calm.close()
	for k := 1; ; k += stride() {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		crashed, s, asked := run(dir, k)
		compareLists(t, fmt.Sprintf("crash at write %d", k), s.lists(), want)
		compareKnown(t, fmt.Sprintf("crash at write %d", k), s.known(), known)
		if asked > calls+3 { // a unit's answers were lost at most
			t.Errorf("crash at write %d: pictures were encoded %d times, %d without a crash", k, asked, calls)
		}
		s.close()
		if !crashed {
			if k < 10 {
				t.Errorf("fewer than %d writes", k)
			}
			return
		}
	}
}
