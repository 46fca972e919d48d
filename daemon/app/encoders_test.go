package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
	"kilim/daemon/web"
)

// eye is an encoder server that can be killed. A picture is the text "motif N, ..."; pictures of
// one motif are near to each other.
type eye struct {
	t     *testing.T
	addr  string
	srv   *http.Server
	gone  chan struct{}
	mu    sync.Mutex
	asked map[string]int // answers by picture
	dim   int
}

func newEye(t *testing.T) *eye {
	e := &eye{t: t, addr: "127.0.0.1:0", asked: map[string]int{}, dim: 8}
	e.start()
	t.Cleanup(e.kill)
	return e
}

func (e *eye) start() {
	l, err := net.Listen("tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	e.addr = l.Addr().String() // the same one when it comes back
	e.srv, e.gone = &http.Server{Handler: e}, make(chan struct{})
	go func(srv *http.Server, gone chan struct{}) {
		defer close(gone)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			e.t.Error(err)
		}
	}(e.srv, e.gone)
}

// setDim has it answer with vectors of another length.
func (e *eye) setDim(dim int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dim = dim
}

// kill cuts all connections.
func (e *eye) kill() {
	if err := e.srv.Close(); err != nil {
		e.t.Error(err)
	}
	<-e.gone
}

func (e *eye) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Kind  string
		Items []struct{ Data []byte }
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Kind != "image" {
		http.Error(w, fmt.Sprintf("kind %q, %v", q.Kind, err), http.StatusBadRequest)
		return
	}
	var out struct {
		Embeddings [][]float32 `json:"embeddings"`
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, item := range q.Items {
		var motif, i int
		if _, err := fmt.Sscanf(string(item.Data), "motif %d, picture %d", &motif, &i); err != nil {
			http.Error(w, "no picture", http.StatusUnprocessableEntity)
			return
		}
		e.asked[string(item.Data)]++
		v := make([]float32, e.dim)
		v[motif%e.dim], v[(motif+1+i%3)%e.dim] = 1, 0.1
		out.Embeddings = append(out.Embeddings, v)
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		e.t.Log(err)
	}
}

const motifs = 4

// pictured is an artifact of which only its picture tells the motif.
func pictured(i int) kafka.Message {
	picture := base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("motif %d, picture %d", i%motifs, i)))
	return artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"a woven band","media":[{"kind":"image","data":%q}]`, picture))
}

// TestEncoderKilled kills an encoder's server under feed. The feed goes on: artifacts are published by what else is known of
// them. When the server is back everything is encoded, no picture twice, the lists that change by it are published, and all
// lists are those of a daemon whose server was never away.
// The server comes back when all that was fed waits for it, and not before KILIM_OUTAGE has passed, if that is given.
func TestEncoderKilled(t *testing.T) {
	t.Parallel()
	var outage time.Duration
	if text := os.Getenv("KILIM_OUTAGE"); text != "" {
		var err error
		if outage, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	server := newEye(t)
	asking := func(server *eye) *config.Config {
		cfg := testConfig(t)
		cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance = 0, 0, 0 // lists depend on nothing but what lives
		cfg.Encoders.Image = config.Encoder{Kind: "http", URL: config.URL("http://" + server.addr), Model: "eye", Version: 1, Dimension: 8, Timeout: 5 * time.Second, Batch: 4, Concurrency: 1}
		return cfg
	}
	d := start(t, asking(server))
	feed := func(from, to int) {
		var messages []kafka.Message
		for i := from; i < to; i++ {
			messages = append(messages, pictured(i))
		}
		d.feed(messages...)
	}
	feed(0, 12)
	if s := d.settle(12); s.Media["image"].Encoded != 12 {
		t.Errorf("before: %+v", s.Media)
	}

	server.kill()
	back := time.After(outage)
	feed(12, 36)
	// The feed does not wait for it.
	d.until("all but the pictures is done", func(s *web.Status) bool {
		done := s.Artifacts == 36 && s.Lag == 0 && s.RefreshQueue == 0 && s.Outbox == 0
		if m := s.Media["image"]; done && (m.Encoded != 12 || m.Waiting != 24) {
			t.Errorf("while the server is away: %+v", m)
		}
		return done
	})
	if n := len(d.last()); n != 36 {
		t.Errorf("%d artifacts have published lists while the server is away, want 36", n)
	}
	<-back
	server.start()
	feed(36, 40)

	d.until("all pictures are encoded", func(s *web.Status) bool { return s.Media["image"].Encoded == 40 })
	if m := d.settle(40).Media["image"]; m.Encoded != 40 || m.Waiting != 0 || m.Refused != 0 {
		t.Errorf("settled with %+v", m)
	}
	server.mu.Lock()
	for picture, n := range server.asked {
		if n != 1 {
			t.Errorf("%s was encoded %d times", picture, n)
		}
	}
	if n := len(server.asked); n != 40 {
		t.Errorf("%d pictures were encoded, want 40", n)
	}
	server.mu.Unlock()
	for i := range 40 {
		var answer web.Answer
		d.get("/api/v1/artifacts/"+url.PathEscape(fmt.Sprintf("a/%d", i))+"/similar?list=general&k=5", &answer)
		for _, entry := range answer.Items {
			var other int
			if _, err := fmt.Sscanf(entry.ID, "a/%d", &other); err != nil || other%motifs != i%motifs {
				t.Errorf("a/%d has %s in its list, whose picture is of another motif", i, entry.ID)
			}
		}
	}
	lists := d.stored(40)
	d.compare(lists)
	d.end()

	d = start(t, asking(newEye(t)))
	feed(0, 40)
	if m := d.settle(40).Media["image"]; m.Encoded != 40 {
		t.Errorf("with a server that is never away: %+v", m)
	}
	for id, want := range d.stored(40) {
		if lists[id] != want {
			t.Errorf("%s: lists %s, with a server that was never away %s", id, lists[id], want)
		}
	}
	d.end()
}

// TestHostileMedia feeds media that can't be used beside one that can: each is refused with its reason, and nothing else is
// disturbed.
func TestHostileMedia(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	root := t.TempDir()
	cfg.Media.Root = config.List{root}
	if err := os.WriteFile(filepath.Join(root, "empty.jpg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, cfg)
	media := func(kind, rest string) string { return fmt.Sprintf(`"title":"x","media":[{"kind":%q,%s}]`, kind, rest) }
	data := func(b string) string { return fmt.Sprintf(`"data":%q`, base64.StdEncoding.EncodeToString([]byte(b))) }
	bomb := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x02\x00\x00\x00" + "\xd5\x1c\x9d\x05"
	var good bytes.Buffer
	if err := png.Encode(&good, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	hostile := map[string]string{
		"unknown":   media("image", data("<html>not a picture</html>")),
		"truncated": media("image", data("\xff\xd8\xff\xe0\x00\x10JFIF")),
		"bomb":      media("image", data(bomb)),
		"outside":   media("image", `"uri":"file:///etc/passwd"`),
		"network":   media("image", `"uri":"http://169.254.169.254/latest/meta-data"`),
		"scheme":    media("image", `"uri":"gopher://example.org/1"`),
		"empty":     media("image", fmt.Sprintf(`"uri":%q`, "file://"+root+"/empty.jpg")),
		"above":     media("image", fmt.Sprintf(`"uri":%q`, "file://"+root+"/../../etc/passwd")),
		"polyglot":  media("image", data("PK\x03\x04"+good.String())),
		"picture":   media("audio", data(good.String())),
		"endless":   media("audio", data("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00data\xff\xff\xff\xff\x00\x00")),
	}
	var messages []kafka.Message
	for id, fields := range hostile {
		messages = append(messages, artifact(id, fields))
	}
	messages = append(messages, artifact("good", media("image", data(good.String()))))
	d.feed(messages...)
	s := d.settle(len(messages))
	pictures, sounds := s.Media["image"], s.Media["audio"]
	if pictures.Refused+sounds.Refused != len(hostile) || sounds.Refused != 2 || pictures.Encoded != 1 || pictures.Waiting+sounds.Waiting != 0 {
		t.Errorf("media: %+v, want %d refused, 2 of them sounds, and 1 encoded", s.Media, len(hostile))
	}
	if s.Records.Refused != 0 {
		t.Errorf("%d records were refused", s.Records.Refused)
	}
	// Those that configuration forbids are refused before a worker is asked, and counted all the same.
	res, err := http.Get("http://" + d.app.HTTP().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := `kilim_media_refused_total{kind="image",reason="not_allowed"} 4`; !strings.Contains(string(text), want) {
		t.Errorf("the metrics do not say %q", want)
	}
	for id := range hostile {
		var view struct {
			Media []struct{ State, Reason, Detail string }
		}
		d.get("/api/v1/artifacts/"+id, &view)
		if len(view.Media) != 1 || view.Media[0].State != "refused" || view.Media[0].Reason == "" || strings.TrimSpace(view.Media[0].Detail) == "" {
			t.Errorf("%s: %+v", id, view.Media)
		}
	}
	d.end()
}
