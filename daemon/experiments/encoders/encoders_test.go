package encoders

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The scores are those of sorting all candidates, and chance is what random orders get.
func TestMeasureAgainstSorting(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 60
	s := sample{}
	for range n {
		s.labels = append(s.labels, string(rune('a'+rng.IntN(6))))
		s.apart = append(s.apart, string(rune('A'+rng.IntN(3))))
	}
	s.labels[7] = "alone"
	table := make([]float64, n*n)
	likeness := func(i, j int) float64 { return table[i*n+j] }
	for _, sc := range []score{precision(5), found(3)} {
		var sum, expected float64
		const rounds = 400
		for round := range rounds {
			for i := range table {
				table[i] = rng.Float64()
				if round < 4 {
					table[i] = float64(rng.IntN(20)) // with ties
				}
			}
			values, chances := s.measure(sc, likeness)
			if round >= 4 {
				sum, expected = sum+mean(values)/(rounds-4), expected+mean(chances)/(rounds-4)
				continue
			}
			var want []float64
			for i := range n {
				var others []int
				possible := false
				for j := range n {
					if j != i && s.apart[i] != s.apart[j] {
						others = append(others, j)
						possible = possible || s.labels[i] == s.labels[j]
					}
				}
				if !possible {
					continue
				}
				wrong := func(j int) bool { return s.labels[j] != s.labels[i] }
				slices.SortFunc(others, func(a, b int) int {
					if c := cmp.Compare(likeness(i, b), likeness(i, a)); c != 0 || wrong(a) == wrong(b) {
						return c
					}
					if wrong(a) {
						return -1
					}
					return 1
				})
				hits := 0
				for _, j := range others[:sc.k] {
					if !wrong(j) {
						hits++
					}
				}
				want = append(want, sc.of(hits, sc.k))
			}
			if !slices.Equal(values, want) {
				t.Fatalf("%s: %v, by sorting %v", sc.unit, values, want)
			}
		}
		if math.Abs(sum-expected) > 0.01 {
			t.Errorf("%s: random orders get %.4f, chance is said to be %.4f", sc.unit, sum, expected)
		}
	}
}

func TestDemoTasks(t *testing.T) {
	t.Parallel()
	res, err := Run(t.Context(), Options{Feeds: t.TempDir(), Artifacts: 220, Seed: 3, Rates: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Missing) != 2 || !strings.Contains(res.Missing[0], "vases") || !strings.Contains(res.Missing[1], "songs") {
		t.Errorf("missing feeds: %q", res.Missing)
	}
	for _, row := range res.Rows {
		if row.Queries == 0 || row.Chance <= 0 || row.Chance >= 1 {
			t.Errorf("%+v", row)
		}
		// Few artifacts, so far from the whole archive's figures; but what the encoders are for must show.
		switch row.Task {
		case "demo: mode", "demo: motif":
			if row.Ours.Mean < 3*row.Chance || row.Ours.Mean <= row.Base.Mean {
				t.Errorf("%s: ours %.3f, baseline %.3f, chance %.3f", row.Task, row.Ours.Mean, row.Base.Mean, row.Chance)
			}
		}
	}
	if len(res.Rates) != 3 { // those of the demo archive
		t.Errorf("rates: %+v", res.Rates)
	}
	for _, r := range res.Rates {
		if r.PerSecond <= 0 || r.Bytes < 500 || r.Cores < 1 || r.Modality == "text" && r.Bytes > 1000 {
			t.Errorf("%+v", r)
		}
	}
	var table, lines, object bytes.Buffer
	for _, err := range []error{res.Print(&table), res.Lines(&lines), res.JSON(&object)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"8x8 grey thumbnail", "mean MFCC", "plain words", "left out: songs", "bytes each"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in the table:\n%s", want, &table)
		}
	}
	for line := range strings.Lines(lines.String()) {
		var row struct {
			Bench, Case, Unit string
			Ours, Peer, Ratio float64
			PeerName          string `json:"peer_name"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Bench != "encoders" || row.PeerName == "" || row.Unit == "" || math.Abs(row.Ratio-row.Ours/row.Peer) > 1e-9 {
			t.Errorf("%s: %v", line, err)
		}
	}
	var back Result
	if err := json.Unmarshal(object.Bytes(), &back); err != nil || len(back.Rows) != len(res.Rows) {
		t.Errorf("%d rows of %d, %v", len(back.Rows), len(res.Rows), err)
	}
}

func TestFeedsOfTheArchives(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no feeds: %v", err)
	}
	vases, err := feed(dir, "vases.jsonl", vase)
	if err != nil || len(vases) != 41 {
		t.Errorf("%d photographs of vases, %v", len(vases), err)
	}
	songs, err := feed(dir, "songs.jsonl", songType)
	if err != nil || len(songs) != 80 {
		t.Errorf("%d songs, %v", len(songs), err)
	}
	for _, it := range vases {
		if len(it.picture) == 0 {
			t.Errorf("%s has no picture", it.id)
		}
	}
	for _, it := range songs {
		if len(it.sound) == 0 {
			t.Errorf("%s has no sound", it.id)
		}
	}
}

func TestFeedSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"bad.jsonl": "{", "gone.jsonl": `{"id":"a","media":[{"kind":"image","uri":"none.jpg"}],"link":[{"type":"part_of","target":"b"}]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := feed(dir, name, vase); err == nil || !strings.Contains(err.Error(), map[string]string{"bad.jsonl": "bad.jsonl", "gone.jsonl": "none.jpg"}[name]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
