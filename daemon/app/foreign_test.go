package app

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
	"kilim/daemon/web"
)

// anyKind is a server that speaks as all kinds do and answers with vectors of dim numbers, by the bytes of the item.
func anyKind(t *testing.T, dim int) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Items, Inputs, Input []json.RawMessage }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		vectors := [][]float32{}
		for _, item := range append(append(q.Items, q.Inputs...), q.Input...) {
			h := fnv.New64a()
			h.Write(item)
			rng, v := rand.New(rand.NewPCG(h.Sum64(), 1)), make([]float32, dim)
			for i := range v {
				v[i] = float32(rng.NormFloat64())
			}
			vectors = append(vectors, v)
		}
		var reply any
		switch r.URL.Path {
		case "/v1/embeddings":
			type embedding struct {
				Index     int       `json:"index"`
				Embedding []float32 `json:"embedding"`
			}
			data := []embedding{}
			for i, v := range vectors {
				data = append(data, embedding{i, v})
			}
			reply = map[string]any{"data": data}
		case "/embed":
			reply = vectors
		default:
			reply = map[string]any{"embeddings": vectors}
		}
		if err := json.NewEncoder(w).Encode(reply); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestForeignEncoders runs the daemon with encoders of all kinds and of lengths that nothing in it has: everything is encoded and
// published, queries with media are answered, and the state is sound.
func TestForeignEncoders(t *testing.T) {
	t.Parallel()
	server := func(kind string, dim int) config.Encoder {
		return config.Encoder{Kind: kind, URL: config.URL(anyKind(t, dim)), Model: fmt.Sprint(kind, dim), Version: 1, Dimension: dim, Timeout: 5 * time.Second, Batch: 8, Concurrency: 2}
	}
	given := func(dim int) config.Encoder {
		return config.Encoder{Kind: config.Precomputed, Model: fmt.Sprint("mine", dim), Version: 1, Dimension: dim}
	}
	none := config.Encoder{Kind: config.None}
	for name, e := range map[string]config.Encoders{
		"openai, pictures":    {Text: server("openai", 384), Image: server("http", 640), Audio: none},
		"tei, sounds given":   {Text: server("tei", 50), Image: none, Audio: given(4)},
		"ollama, all by http": {Text: server("ollama", 7), Image: server("http", 9), Audio: server("http", 1)},
		"everything is given": {Text: given(6), Image: given(5), Audio: given(4)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			cfg.Encoders = e
			d := start(t, cfg)
			const n = 12
			record := func(i int) string {
				vector := func(e config.Encoder) string {
					if e.Kind != config.Precomputed {
						return ""
					}
					v := make([]float32, e.Dimension)
					v[i%e.Dimension] = 1
					raw, err := json.Marshal(v)
					if err != nil {
						t.Fatal(err)
					}
					return fmt.Sprintf(`,"encoder":%q,"embedding":%s`, e.Model, raw)
				}
				return fmt.Sprintf(`"title":"rug %d","culture":["c%d"],"media":[{"kind":"text","text":"star %d"%s},{"kind":"image","data":"cGlj%02dA="%s},{"kind":"audio","data":"c29u%02dA="%s}]`,
					i, i%3, i%4, vector(e.Text), i, vector(e.Image), i, vector(e.Audio))
			}
			var messages []kafka.Message
			for i := range n {
				messages = append(messages, artifact(fmt.Sprintf("a/%d", i), record(i)))
			}
			d.feed(messages...)
			s := d.settle(n)
			for kind, settings := range map[string]config.Encoder{"text": e.Text, "image": e.Image, "audio": e.Audio} {
				want := n
				if settings == none {
					want = 0
				}
				if m := s.Media[kind]; m.Encoded != want || m.Waiting != 0 || m.Refused != 0 {
					t.Errorf("%s: %+v, want %d encoded", kind, m, want)
				}
			}
			res, err := http.Post("http://"+d.app.HTTP().String()+"/api/v1/similar?list=general&k=3", "application/json", strings.NewReader("{"+record(5)+"}"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var answer web.Answer
			if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || len(answer.Items) != 3 || answer.Items[0].ID != "a/5" {
				t.Errorf("the query of a/5 again is answered with %+v, %v", answer.Items, err)
			}
			d.compare(d.stored(n))
			d.end()
		})
	}
}
