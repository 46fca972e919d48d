package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/segmentio/kafka-go"

	"kilim/consumer/consumertest"
	"kilim/daemon/config"
	"kilim/daemon/web"
)

// daemon is an app in this process, on ports of its own.
type daemon struct {
	t    *testing.T
	app  *App
	cfg  *config.Config
	stop context.CancelFunc
	done chan error
}

// defaults is what the command line gives a daemon that nobody has configured.
func defaults(t *testing.T) *config.Config {
	t.Helper()
	cfg := new(config.Config)
	parser, err := kong.New(cfg)
	if err == nil {
		_, err = parser.Parse(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func testConfig(t *testing.T) *config.Config {
	cfg := defaults(t)
	cfg.Data = t.TempDir()
	cfg.HTTP = "127.0.0.1:0"
	cfg.Broker = "embedded://127.0.0.1:0"
	if real := os.Getenv("KILIM_KAFKA"); real != "" && strings.Contains(t.Name(), "Kafka") {
		cfg.Broker = real
	}
	// Names of its own, for brokers that are shared.
	name := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	cfg.Kafka.Group = name
	cfg.Kafka.Topics.Artifacts = name + ".artifacts"
	cfg.Kafka.Topics.Similar = name + ".similar"
	cfg.Kafka.Topics.Cultures = name + ".cultures"
	cfg.Kafka.Topics.DeadLetters = name + ".dlq"
	cfg.Kafka.Topics.Judgments = name + ".judgments"
	cfg.Kafka.Topics.Queries = name + ".queries"
	cfg.Kafka.Topics.QueryLists = name + ".queries.similar"
	cfg.Model.Width = 32 // most tests look at what is around the model
	return cfg
}

func start(t *testing.T, cfg *config.Config) *daemon {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := Start(ctx, cfg, "test", prometheus.NewRegistry(), log)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	d := &daemon{t: t, app: a, cfg: cfg, stop: cancel, done: make(chan error, 1)}
	go func() { d.done <- a.Run(ctx) }()
	return d
}

// end stops the daemon cleanly and checks its whole state.
func (d *daemon) end() {
	d.t.Helper()
	d.stop()
	if err := d.ended(); err != nil {
		d.t.Fatal(err)
	}
	if _, err := Check(d.cfg, slog.New(slog.DiscardHandler), func(p string) { d.t.Error(p) }); err != nil {
		d.t.Fatal(err)
	}
}

// ended waits for the end of the daemon, and returns its error.
func (d *daemon) ended() error {
	d.t.Helper()
	select {
	case err := <-d.done:
		return err
	case <-time.After(hang):
		stacks := make([]byte, 1<<20)
		d.t.Fatalf("the daemon does not end\n%s", stacks[:runtime.Stack(stacks, true)])
		return nil
	}
}

func (d *daemon) get(path string, out any) int {
	d.t.Helper()
	res, err := (&http.Client{Timeout: hang}).Get("http://" + d.app.HTTP().String() + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if out != nil && res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, out); err != nil {
			d.t.Fatalf("%s: %v: %s", path, err, body)
		}
	}
	return res.StatusCode
}

// settle waits until everything fed is published and nothing is left to do.
func (d *daemon) settle(artifacts int) web.Status {
	d.t.Helper()
	var s web.Status
	d.until(fmt.Sprintf("%d artifacts, and nothing left to do", artifacts), func(now *web.Status) bool {
		s = *now
		waiting := 0
		for _, m := range s.Media {
			waiting += m.Waiting - m.Held
		}
		return s.Assigned && s.Lag == 0 && waiting == 0 && s.RefreshQueue == 0 && s.Outbox == 0 && s.Artifacts == artifacts
	})
	return s
}

// hang is when a test that waits is given up; nothing depends on its length. It is less than half of what go test gives all of them
// together, so that what is waited for is told, instead of the stacks of all goroutines.
const hang = 4 * time.Minute

// until waits for a status. While the broker is away there is none.
func (d *daemon) until(what string, is func(*web.Status) bool) {
	d.t.Helper()
	for deadline := time.Now().Add(hang); ; time.Sleep(20 * time.Millisecond) {
		var s web.Status
		if d.get("/api/v1/status", &s) == 200 && is(&s) {
			return
		}
		select {
		case err := <-d.done:
			d.t.Fatalf("the daemon stopped: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("not within %v: %s; %+v", hang, what, s)
		}
	}
}

func (d *daemon) feed(messages ...kafka.Message) {
	d.t.Helper()
	w := &kafka.Writer{Addr: kafka.TCP(d.app.conn.Brokers()...), Topic: d.cfg.Kafka.Topics.Artifacts, Balancer: kafka.Murmur2Balancer{}, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, BatchBytes: 4 << 20, MaxAttempts: 20, Transport: d.app.conn.Transport()}
	if err := w.WriteMessages(context.Background(), messages...); err != nil {
		d.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// read returns all messages of a topic.
func (d *daemon) read(topic string) []kafka.Message {
	d.t.Helper()
	n, err := d.records(topic)
	if err != nil {
		d.t.Fatal(err)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: d.app.conn.Brokers(), Topic: topic, MaxWait: 50 * time.Millisecond})
	defer r.Close()
	var out []kafka.Message
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	for int64(len(out)) < n {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			d.t.Fatalf("%s, message %d of %d: %v", topic, len(out), n, err)
		}
		out = append(out, m)
		if m.Offset == n-1 {
			break
		}
	}
	return out
}

// records is how many records a topic has ever got.
func (d *daemon) records(topic string) (int64, error) {
	ctx, client := d.t.Context(), d.app.conn.Client()
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	req := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for _, t := range meta.Topics {
		if t.Error != nil {
			return 0, fmt.Errorf("partitions of %s: %w", topic, t.Error)
		}
		for _, p := range t.Partitions {
			req.Topics[topic] = append(req.Topics[topic], kafka.LastOffsetOf(p.ID))
		}
	}
	res, err := client.ListOffsets(ctx, req)
	if err != nil {
		return 0, fmt.Errorf("ends of %s: %w", topic, err)
	}
	var n int64
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return 0, fmt.Errorf("end of %s/%d: %w", topic, p.Partition, p.Error)
		}
		n += p.LastOffset
	}
	return n, nil
}

func artifact(id, fields string) kafka.Message {
	return kafka.Message{Key: []byte(id), Value: []byte(fmt.Sprintf(`{"id":%q,%s}`, id, fields))}
}

// kilims are artifacts from .. to-1, each with some fields more, which begin with a comma.
func kilims(from, to int, more string) []kafka.Message {
	var out []kafka.Message
	for i := from; i < to; i++ {
		out = append(out, artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"kilim with star %d","culture":["c%d"]`, i%5, i%3)+more))
	}
	return out
}

const woollen = `,"material":["wool"]`

// TestKafkaToSimilar walks the whole way: records in, lists and dead letters
// out, queries, a clean stop, a start that goes on, a deletion of everything.
func TestKafkaToSimilar(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	d := start(t, cfg)
	var feed []kafka.Message
	for i := range 30 {
		feed = append(feed, artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"kilim with star %d","culture":["c%d"],"material":["wool"],"date":{"begin":%d}`, i%5, i%3, 1700+i)))
		if i%10 == 0 {
			feed = append(feed, kafka.Message{Key: []byte("bad"), Value: []byte(`{"id":7.5}`)})
		}
	}
	d.feed(feed...)
	s := d.settle(30)
	if s.Nodes["culture"] != 3 || s.Index.Vectors != 30 || s.Records.Consumed != 33 || s.Records.Refused != 3 {
		t.Errorf("status %+v: want 3 cultures, 30 vectors, 33 records consumed, 3 of them refused", s)
	}

	var answer web.Answer
	if code := d.get("/api/v1/artifacts/"+url.PathEscape("a/7")+"/similar?list=total&k=5", &answer); code != 200 || len(answer.Items) != 5 {
		t.Fatalf("similar: status %d, %+v", code, answer)
	}
	if code := d.get("/api/v1/artifacts/"+url.PathEscape("a/7")+"/similar?list=general&k=25", &answer); code != 200 || len(answer.Items) != 25 {
		t.Errorf("similar, more than is stored: status %d, %d items", code, len(answer.Items))
	}
	for path, want := range map[string]int{
		"/api/v1/artifacts/nobody/similar":             404,
		"/api/v1/artifacts/a%2F7/similar?list=theme:x": 404,
		"/api/v1/artifacts/a%2F7/similar?k=0":          400,
		"/api/v1/artifacts/a%2F7":                      200,
		"/-/ready":                                     200,
	} {
		if code := d.get(path, nil); code != want {
			t.Errorf("%s: status %d, want %d", path, code, want)
		}
	}
	stored := d.stored(30)
	d.compare(stored)
	for _, m := range d.read(cfg.Kafka.Topics.DeadLetters) {
		if reason := header(m, "__connect.errors.exception.class.name"); reason != "wrong_type" || string(m.Value) != `{"id":7.5}` {
			t.Errorf("dead letter %s: reason %q", m.Value, reason)
		}
	}
	if n := len(d.read(cfg.Kafka.Topics.DeadLetters)); n != 3 {
		t.Errorf("%d dead letters, want 3", n)
	}
	d.end()

	d = start(t, cfg)
	if s := d.settle(30); s.Records.Refused != 0 {
		t.Errorf("a restart read %d dead letters again", s.Records.Refused)
	}
	if again := d.stored(30); !maps.Equal(stored, again) {
		t.Error("the lists changed by a restart")
	}
	var deletions []kafka.Message
	for i := range 30 {
		deletions = append(deletions, kafka.Message{Key: []byte(fmt.Sprintf("a/%d", i))})
	}
	d.feed(deletions...)
	s = d.settle(0)
	for typ, n := range s.Nodes {
		if n != 0 {
			t.Errorf("%d nodes of type %s are left", n, typ)
		}
	}
	for id, value := range d.last() {
		if value != "" {
			t.Errorf("%s: the last message is not a tombstone", id)
		}
	}
	d.end()
}

func header(m kafka.Message, key string) string {
	for _, h := range m.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// stored are the lists that queries show, as JSON.
func (d *daemon) stored(n int) map[string]string {
	d.t.Helper()
	out := map[string]string{}
	for i := range n {
		id := fmt.Sprintf("a/%d", i)
		var both []json.RawMessage
		for _, list := range []string{"total", "general"} {
			var a struct {
				Items json.RawMessage `json:"items"`
			}
			d.get("/api/v1/artifacts/"+url.PathEscape(id)+"/similar?list="+list, &a)
			both = append(both, a.Items)
		}
		out[id] = fmt.Sprintf("%s %s", both[0], both[1])
	}
	return out
}

// last is the value of the last message of each artifact; each (id, revision) must occur once.
func (d *daemon) last() map[string]string {
	d.t.Helper()
	out, seen := map[string]string{}, map[string]bool{}
	for _, m := range d.read(d.cfg.Kafka.Topics.Similar) {
		if id := header(m, "ce_id"); seen[id] {
			d.t.Errorf("%s is published twice", id)
		} else {
			seen[id] = true
		}
		out[string(m.Key)] = string(m.Value)
	}
	return out
}

// compare holds the last published lists against those that queries show; what has gone has none.
func (d *daemon) compare(stored map[string]string) {
	d.t.Helper()
	last := d.last()
	maps.DeleteFunc(last, func(_, value string) bool { return value == "" })
	if got, want := slices.Sorted(maps.Keys(last)), slices.Sorted(maps.Keys(stored)); !slices.Equal(got, want) {
		d.t.Errorf("published are %v, want %v", got, want)
	}
	for id, want := range stored {
		var u struct {
			Lists struct{ Total, General json.RawMessage }
		}
		if err := json.Unmarshal([]byte(last[id]), &u); err != nil {
			d.t.Fatalf("%s: %v", id, err)
		}
		if got := fmt.Sprintf("%s %s", u.Lists.Total, u.Lists.General); got != want {
			d.t.Errorf("%s: published %s, stored %s", id, got, want)
		}
	}
}

// TestMetricsAreWellNamed gathers the metrics of a daemon that has worked.
func TestMetricsAreWellNamed(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 20, 1000
	d := start(t, cfg)
	d.settle(20)
	res, err := http.Get("http://" + d.app.HTTP().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(strings.NewReader(string(body))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, name := range []string{
		"kilim_records_consumed_total", "kilim_records_refused_total", "kilim_batch_records", "kilim_stage_duration_seconds", "kilim_consumer_lag_records",
		"kilim_freshness_seconds", "kilim_nodes", "kilim_edges", "kilim_outbox_messages", "kilim_store_size_bytes", "kilim_lists_changed_total", "kilim_build_info",
		"kilim_index_recall_ratio", "kilim_index_recall_checks_total", "kilim_index_recall_check_seconds_total", "kilim_index_rebuilds_total",
		"kilim_stalled_seconds", "kilim_damaged_document_reads_total", "kilim_judgments", "kilim_judgments_refused_total",
	} {
		if !strings.Contains(string(body), "\n"+name) {
			t.Errorf("no metric %s", name)
		}
	}
	for _, stage := range []string{"fetch", "decode", "weave", "graph", "refresh", "index", "rerank", "commit", "publish"} {
		if !strings.Contains(string(body), `kilim_stage_duration_seconds_count{stage="`+stage+`"}`) {
			t.Errorf("no stage %s", stage)
		}
	}
	d.end()
}

// TestHostileFeed sends one bad record of each kind among ten good ones each, through the whole
// daemon: every bad one is a dead letter, as it was received and with its reason, and every
// good one is stored and has a list.
func TestHostileFeed(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	d := start(t, cfg)
	hostile := consumertest.Hostile()
	if len(hostile) < 40 {
		t.Fatalf("%d kinds of bad records, want at least 40", len(hostile))
	}
	var feed []kafka.Message
	bad := map[int64]consumertest.Bad{} // by offset
	good := 0
	for _, b := range hostile {
		for range 10 {
			feed = append(feed, artifact(fmt.Sprintf("good/%d", good), fmt.Sprintf(`"title":"kilim %d","culture":["c%d"]`, good%50, good%7)))
			good++
		}
		bad[int64(len(feed))] = b
		feed = append(feed, b.Message())
	}
	// What only the state can tell: how long an encoder's vectors are.
	vector := func(id, numbers string) kafka.Message {
		return artifact(id, `"media":[{"kind":"text","encoder":"e5","embedding":[`+numbers+`]}]`)
	}
	feed = append(feed, vector(fmt.Sprintf("good/%d", good), "0.5,1,2"))
	good++
	longer := vector("long", "0.5,1,2,3")
	hostile = append(hostile, consumertest.Bad{Name: "longer than its encoder's", Key: "long", Value: string(longer.Value), Reason: "embedding_dimension"})
	bad[int64(len(feed))] = hostile[len(hostile)-1]
	feed = append(feed, longer)
	d.feed(feed...)
	s := d.settle(good)
	if s.Records.Refused != int64(len(hostile)) {
		t.Errorf("%d records refused, want %d", s.Records.Refused, len(hostile))
	}
	for id, lists := range d.stored(good) {
		if lists == "" {
			t.Errorf("%s has no list", id)
		}
	}
	letters := d.read(cfg.Kafka.Topics.DeadLetters)
	if len(letters) != len(hostile) {
		t.Errorf("%d dead letters, want %d", len(letters), len(hostile))
	}
	for _, m := range letters {
		offset, err := strconv.ParseInt(header(m, "__connect.errors.offset"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		b, ok := bad[offset]
		if !ok {
			t.Errorf("the dead letter of offset %d is none, or comes twice", offset)
			continue
		}
		delete(bad, offset)
		sent := b.Message()
		if !bytes.Equal(m.Key, sent.Key) || !bytes.Equal(m.Value, sent.Value) {
			t.Errorf("%s: the dead letter is not what was sent", b.Name)
		}
		if reason := header(m, "__connect.errors.exception.class.name"); reason != b.Reason {
			t.Errorf("%s: reason %q, want %q", b.Name, reason, b.Reason)
		}
		if header(m, "__connect.errors.topic") != cfg.Kafka.Topics.Artifacts || header(m, "__connect.errors.exception.message") == "" {
			t.Errorf("%s: headers %v", b.Name, m.Headers)
		}
	}
	d.end()
}

// TestFailedStartLeavesNothing starts twice on one folder: the second start fails
// with a clear error, and both the folder and the ports are free after the first ends.
func TestFailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	d := start(t, cfg)
	_, err := Start(context.Background(), cfg, "test", prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), filepath.Base(cfg.Data)) {
		t.Errorf("a second daemon on one folder: %v", err)
	}
	second := *cfg
	second.Data = t.TempDir()
	second.HTTP = d.app.HTTP().String()
	if _, err := Start(context.Background(), &second, "test", prometheus.NewRegistry(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), second.HTTP) {
		t.Errorf("a taken HTTP port: %v", err)
	}
	second.HTTP = "127.0.0.1:0"
	other := start(t, &second) // the folder must not be locked by the failed start
	other.end()
	d.end()
}

// TestDemoGoesOn stops a daemon that feeds the demo archive to itself, after others'
// artifacts came in between: the next one feeds what is missing, and only that.
func TestDemoGoesOn(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 15, 1000
	d := start(t, cfg)
	if left := d.app.DemoLeft(); left != 15 {
		t.Errorf("%d of 15 are left at the first start", left)
	}
	d.settle(15)
	d.feed(artifact("a", `"title":"x"`), artifact("b", `"title":"y"`), artifact("c", `"title":"z"`))
	d.settle(18)
	d.end()
	cfg.Demo.Artifacts = 20
	d = start(t, cfg)
	if left := d.app.DemoLeft(); left != 5 {
		t.Errorf("%d of 20 are left after 15 have arrived", left)
	}
	if s := d.settle(23); s.Records.Consumed != 5 {
		t.Errorf("%d records came after the restart, want 5", s.Records.Consumed)
	}
	d.end()
	d = start(t, cfg)
	if left := d.app.DemoLeft(); left != 0 {
		t.Errorf("%d are left after all have arrived", left)
	}
	d.settle(23)
	d.end()
}
