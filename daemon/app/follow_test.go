package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"kilim/consumer"
	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/follow"
	"kilim/daemon/web"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// childConfig names the file with the configuration of the daemon that TestFollowChild is.
const childConfig = "KILIM_FOLLOW_CHILD"

// TestFollowChild is no test, but the daemon in the processes of TestKafkaTakeOver, which can be killed.
func TestFollowChild(t *testing.T) {
	path := os.Getenv(childConfig)
	if path == "" {
		t.Skip("is the process of another test")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg := new(config.Config)
	if err := json.Unmarshal(raw, cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	a, err := Start(ctx, cfg, "test", prometheus.NewRegistry(), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("http %s\n", a.HTTP())
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// member is one of two daemons, each time it was started a process.
type member struct {
	t    *testing.T
	name string
	cfg  *config.Config
	cmd  *exec.Cmd
	http string
	log  *os.File
	read chan struct{} // closed when all that the process says is in the log
}

func (m *member) start() {
	m.t.Helper()
	raw, err := json.Marshal(m.cfg)
	if err != nil {
		m.t.Fatal(err)
	}
	path := filepath.Join(m.cfg.Data, "..", m.name+".json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		m.t.Fatal(err)
	}
	if m.log, err = os.OpenFile(filepath.Join(m.cfg.Data, "..", m.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.cmd = exec.Command(os.Args[0], "-test.run", "^TestFollowChild$", "-test.timeout", "0")
	m.cmd.Env, m.cmd.Stderr = append(os.Environ(), childConfig+"="+path), m.log
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "http "); ok {
			m.http = addr
			m.read = make(chan struct{})
			go func() {
				defer close(m.read)
				for lines.Scan() { // what the process says at its end
					fmt.Fprintln(m.log, lines.Text())
				}
			}()
			return
		}
	}
	m.t.Fatalf("%s does not start: %s", m.name, m.logged())
}

func (m *member) logged() string {
	raw, err := os.ReadFile(m.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-4000):])
}

func (m *member) status() (s web.Status, ok bool) {
	res, err := (&http.Client{Timeout: 2 * time.Second}).Get("http://" + m.http + "/api/v1/status")
	if err != nil {
		return s, false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return s, err == nil && res.StatusCode == http.StatusOK && json.Unmarshal(body, &s) == nil
}

func (m *member) until(what string, is func(*web.Status) bool) {
	m.t.Helper()
	var last web.Status
	for deadline := time.Now().Add(hang); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s, ok := m.status()
		if ok && is(&s) {
			return
		}
		last = s
	}
	m.t.Fatalf("%s: not within %v: %s; %+v, follow %+v; its log: %s", m.name, hang, what, last, last.Follow, m.logged())
}

func (m *member) owns() bool {
	s, ok := m.status()
	return ok && s.Follow != nil && s.Follow.Role == follow.Owning
}

// gone waits for the end of the process, and returns how it ended.
func (m *member) gone() error {
	m.t.Helper()
	done := make(chan error, 1)
	go func() { <-m.read; done <- m.cmd.Wait() }()
	select {
	case err := <-done:
		m.log.Close()
		return err
	case <-time.After(hang):
		m.t.Fatalf("%s does not end: %s", m.name, m.logged())
		return nil
	}
}

// TestKafkaTakeOver has two daemons share a feed, and ends whichever owns, in each of the ways, while records come: killed, stopped, and held still
// until the other has taken over and then let go on. What is published in the end must be what one daemon would have published: of each artifact
// the last lists, each message but once and with the changes against the one before, each dead letter once, and nothing of an owner behind its successor's first.
// KILIM_TAKEOVERS asks for another number of rounds, of three take-overs each.
func TestKafkaTakeOver(t *testing.T) {
	t.Parallel()
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	rounds := 1
	if asked := os.Getenv("KILIM_TAKEOVERS"); asked != "" {
		var err error
		if rounds, err = strconv.Atoi(asked); err != nil {
			t.Fatal(err)
		}
	}
	cfg := exact(testConfig(t))
	cfg.Publish.TransactionalID, cfg.Publish.Follow = cfg.Kafka.Group, true
	cfg.Kafka.Topics.Owner = cfg.Kafka.Group + ".owner"
	if err := cfg.Verify(); err != nil {
		t.Fatal(err)
	}
	var both []*member
	for _, name := range []string{"one", "two"} {
		own := *cfg
		own.Data = filepath.Join(t.TempDir(), name)
		m := &member{t: t, name: name, cfg: &own}
		m.start()
		t.Cleanup(func() {
			_ = m.cmd.Process.Kill()
			if t.Failed() {
				t.Logf("%s:\n%s", m.name, m.logged())
			}
		})
		both = append(both, m)
	}
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: cfg.Brokers()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	feeder := &daemon{t: t, app: &App{conn: conn}, cfg: cfg}
	rng := rand.New(rand.NewPCG(1, 7))
	var fed []kafka.Message
	feed := func(n int) {
		batch := takeOverFeed(rng, n)
		fed = append(fed, batch...)
		feeder.feed(batch...)
	}
	owner, other := whoOwns(t, both), 0
	ways := []string{"killed", "stopped", "held"}
	for i := range 3 * rounds {
		other = 1 - owner
		was, is := both[owner], both[other]
		way := ways[i%len(ways)]
		feed(60)
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
		began := time.Now()
		switch way {
		case "killed":
			if err := was.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		case "stopped":
			if err := was.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		case "held":
			if err := was.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
		feed(20)
		is.until("it owns", func(s *web.Status) bool { return s.Follow != nil && s.Follow.Role == follow.Owning })
		t.Logf("take-over %d, the owner was %s: %v", i+1, way, time.Since(began).Round(10*time.Millisecond))
		if way == "held" {
			if err := was.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
		if err := was.gone(); way == "stopped" && err != nil {
			t.Errorf("the owner that was stopped ends with %v: %s", err, was.logged())
		}
		if way == "held" && !strings.Contains(was.logged(), publish.ErrFenced.Error()) {
			t.Errorf("the owner that was held does not say that it is fenced: %s", was.logged())
		}
		was.start()
		owner = other
		feed(20)
	}
	live := liveOf(fed)
	both[owner].until("all is told", func(s *web.Status) bool {
		return s.Assigned && s.Lag == 0 && s.RefreshQueue == 0 && s.Outbox == 0 && s.Artifacts == live
	})
	both[1-owner].until("it follows", func(s *web.Status) bool {
		return s.Follow.Role == follow.Following && s.Follow.Behind == 0 && s.Lag == 0 && s.RefreshQueue == 0 && s.Outbox == 0 && s.Artifacts == live
	})
	for _, m := range []*member{both[1-owner], both[owner]} { // the follower first, so that it does not take over
		if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := m.gone(); err != nil {
			t.Errorf("%s ends with %v: %s", m.name, err, m.logged())
		}
		if _, err := Check(m.cfg, slog.New(slog.DiscardHandler), func(p string) { t.Errorf("%s: %s", m.name, p) }); err != nil {
			t.Fatal(err)
		}
	}
	auditTakeOvers(t, cfg, fed, 3*rounds+1)
}

// exact has the lists be a function of the artifacts alone.
func exact(cfg *config.Config) *config.Config {
	cfg.Index.Engine, cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance = "flat", 0, 0, 1e-5
	cfg.Train.Share, cfg.Themes.Works, cfg.Rank.Least = 0, 0, 0
	return cfg
}

// whoOwns waits for the first owner.
func whoOwns(t *testing.T, both []*member) int {
	for deadline := time.Now().Add(hang); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for i, m := range both {
			if !m.owns() {
				continue
			}
			// Both may have found that there is no owner: then the second has fenced the first.
			for j := range both {
				if _, ok := both[j].status(); !ok {
					_ = both[j].gone() // fenced
					both[j].start()
				}
			}
			both[1-i].until("it follows", func(s *web.Status) bool { return s.Follow != nil && s.Follow.Role == follow.Following })
			return i
		}
	}
	t.Fatal("nobody owns")
	return 0
}

// takeOverFeed are records of new artifacts, of some that may be there, of deletions, and some that can't be used.
func takeOverFeed(rng *rand.Rand, n int) (out []kafka.Message) {
	for range n {
		id := fmt.Sprintf("a/%d", rng.IntN(150))
		switch rng.IntN(12) {
		case 0:
			out = append(out, kafka.Message{Key: []byte(id)})
		case 1:
			out = append(out, kafka.Message{Key: []byte("bad"), Value: []byte("{")})
		default:
			out = append(out, artifact(id, fmt.Sprintf(`"title":"kilim with star %d and bird %d","culture":["c%d"],"material":["m%d"]`, rng.IntN(9), rng.IntN(7), rng.IntN(4), rng.IntN(3))))
		}
	}
	return out
}

func liveOf(fed []kafka.Message) int {
	live := map[string]bool{}
	for _, m := range fed {
		if string(m.Key) != "bad" {
			live[string(m.Key)] = m.Value != nil
		}
	}
	maps.DeleteFunc(live, func(_ string, there bool) bool { return !there })
	return len(live)
}

// toldLists is a message of the topic of lists.
type toldLists struct {
	Lists   map[string][]rerank.Entry
	Changes map[string]rerank.Changes
}

func (m *toldLists) lists() (out rerank.Lists) {
	for _, name := range slices.Sorted(maps.Keys(m.Lists)) {
		out = append(out, rerank.List{Name: name, Entries: m.Lists[name]})
	}
	return out
}

// auditTakeOvers looks at all that was published, as a reader that is read_committed has it.
func auditTakeOvers(t *testing.T, cfg *config.Config, fed []kafka.Message, most int) {
	last := map[string]*toldLists{}
	revisions := map[string]uint64{}
	var writers []string
	changed := 0
	for _, r := range committed(t, cfg.Broker, cfg.Kafka.Topics.Similar) {
		id, writer, revision := string(r.Key), "", uint64(0)
		for _, h := range r.Headers {
			switch h.Key {
			case publish.HeaderWriter:
				writer = string(h.Value)
			case "ce_id":
				revision, _ = strconv.ParseUint(strings.TrimPrefix(string(h.Value), id+"/"), 10, 64)
			}
		}
		if len(writers) == 0 || writers[len(writers)-1] != writer {
			if slices.Contains(writers, writer) {
				t.Errorf("offset %d: a message of %s, behind those of its successor", r.Offset, writer)
			}
			writers = append(writers, writer)
		}
		if revision <= revisions[id] {
			t.Errorf("offset %d: revision %d of %s comes after %d", r.Offset, revision, id, revisions[id])
		}
		revisions[id] = revision
		before := last[id]
		if r.Value == nil {
			if before == nil {
				t.Errorf("offset %d: a tombstone of %s, which has no lists", r.Offset, id)
			}
			delete(last, id)
			continue
		}
		now := new(toldLists)
		if err := json.Unmarshal(r.Value, now); err != nil {
			t.Fatal(err)
		}
		var was rerank.Lists
		if before != nil {
			was = before.lists()
			if !rerank.Material(was, now.lists(), 0) {
				t.Errorf("offset %d: %s is told twice", r.Offset, id)
			}
		}
		for name, c := range rerank.DiffAll(was, now.lists()) {
			if got := now.Changes[name]; fmt.Sprint(got) != fmt.Sprint(c) {
				changed++
				if changed < 5 {
					t.Errorf("offset %d: %s: the changes of %s are %v, against the message before they are %v", r.Offset, id, name, got, c)
				}
			}
		}
		last[id] = now
	}
	if changed > 0 {
		t.Errorf("%d lists tell other changes than those against the message before", changed)
	}
	if len(writers) < 2 || len(writers) > most {
		t.Errorf("%d writers in turn, want 2 to %d", len(writers), most)
	}
	bad := map[int64]int{}
	for _, r := range committed(t, cfg.Broker, cfg.Kafka.Topics.DeadLetters) {
		var headers []kafka.Header
		for _, h := range r.Headers {
			headers = append(headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		bad[consumer.RejectionOf(headers).Offset]++
	}
	for i, m := range fed {
		if string(m.Key) == "bad" && bad[int64(i)] != 1 {
			t.Errorf("record %d has %d dead letters, want 1", i, bad[int64(i)])
		}
	}
	alone := exact(testConfig(t))
	alone.Broker = "embedded://127.0.0.1:0"
	d := start(t, alone)
	d.feed(fed...)
	d.settle(liveOf(fed))
	want := map[string]*toldLists{}
	for id, value := range d.last() {
		if value == "" {
			continue // a tombstone
		}
		m := new(toldLists)
		if err := json.Unmarshal([]byte(value), m); err != nil {
			t.Fatal(err)
		}
		want[id] = m
	}
	d.end()
	if len(want) != len(last) {
		t.Errorf("lists of %d artifacts, one daemon tells of %d", len(last), len(want))
	}
	differing := 0
	for id, w := range want {
		g := last[id]
		if g == nil || !alike(w.lists(), g.lists()) {
			if differing++; differing < 4 {
				t.Errorf("%s: the last lists are\n%+v, want\n%+v", id, g, w)
			}
		}
	}
	t.Logf("%d records, %d writers in turn, %d artifacts, %d with other last lists than one daemon has", len(fed), len(writers), len(want), differing)
}

// alike tells whether lists are the same, but for the order of those whose scores are equal within rounding.
func alike(a, b rerank.Lists) bool {
	const rounding = 1e-4
	for i := range a {
		x, y := a[i].Entries, b.Get(a[i].Name)
		if len(x) != len(y) {
			return false
		}
		for j := range x {
			if math.Abs(float64(x[j].Score-y[j].Score)) > rounding {
				return false
			}
			if x[j].ID != y[j].ID && !slices.ContainsFunc(y, func(e rerank.Entry) bool {
				return e.ID == x[j].ID && math.Abs(float64(e.Score-x[j].Score)) <= rounding
			}) && j < len(x)-1 {
				return false
			}
		}
	}
	return len(a) == len(b)
}
