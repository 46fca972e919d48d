package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"kilim/consumer/kafkaconn"
)

const topic = "kilim.artifacts"

// connect starts a broker in this process.
func connect(t *testing.T, partitions int32, opts ...kfake.Opt) *kafkaconn.Conn {
	t.Helper()
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))...)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); cluster.Close() })
	return conn
}

// stored reads everything that is in the topic, partition by partition.
func stored(t *testing.T, conn *kafkaconn.Conn, partitions int) [][]kafka.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	all := make([][]kafka.Message, partitions)
	for p := range partitions {
		c, err := conn.Dialer().DialLeader(ctx, "tcp", conn.Brokers()[0], topic, p)
		if err != nil {
			t.Fatal(err)
		}
		end, err := c.ReadLastOffset()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: conn.Brokers(), Topic: topic, Partition: p, MaxBytes: 64 << 20, MaxWait: 50 * time.Millisecond, ReadLagInterval: -1})
		for int64(len(all[p])) < end {
			m, err := r.ReadMessage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			all[p] = append(all[p], m)
		}
		_ = r.Close()
	}
	return all
}

// shown is a message as tests compare it.
func shown(m kafka.Message) string {
	key, value := "<nil>", "<nil>"
	if m.Key != nil {
		key = string(m.Key)
	}
	if m.Value != nil {
		value = string(m.Value)
	}
	return key + " = " + value
}

func run(t *testing.T, conn *kafkaconn.Conn, in io.Reader) (Summary, error) {
	t.Helper()
	return Run(context.Background(), JSON(in), conn, Options{Topic: topic})
}

func TestLinesBecomeRecords(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	in := strings.Join([]string{
		`{"id":"a","title":"x"}`, ``, "  \t", `{"title":"no id"}`, `not json`, `{"id":5}`, `{"id":""}`, `{"id":null}`, `{"id":"b","id":"c"}`,
		`{"id":"a","__deleted":true}` + "\r", `{"id":"d","__deleted":"true","title":"x"}`, `{"id":"e","__deleted":false}`, `{"__deleted":true}`,
		`{"ID":"f"}`, `[]`, "\xff\xfe", `{"id":"g"} {"id":"h"}`, ` {"id":"i\u00e9"}`,
	}, "\n")
	sum, err := run(t, conn, strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`a = {"id":"a","title":"x"}`, `<nil> = {"title":"no id"}`, `<nil> = not json`, `5 = {"id":5}`, `<nil> = {"id":""}`, `<nil> = {"id":null}`,
		`<nil> = {"id":"b","id":"c"}`, `a = <nil>`, `d = <nil>`, `e = {"id":"e","__deleted":false}`, `<nil> = {"__deleted":true}`,
		`<nil> = {"ID":"f"}`, `<nil> = []`, "<nil> = \xff\xfe", `<nil> = {"id":"g"} {"id":"h"}`, `ié =  {"id":"i\u00e9"}`,
	}
	var got []string
	for _, m := range stored(t, conn, 1)[0] {
		got = append(got, shown(m))
	}
	if !slices.Equal(got, want) {
		t.Errorf("records\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if sum.Records != len(want) || sum.Deletes != 2 || sum.Keyless != 10 || sum.Read != int64(len(in)) {
		t.Errorf("summary %+v", sum)
	}
	refused := map[string]int{"not_json": 2, "duplicate_field": 1, "no_id": 4, "no_fields": 2, "not_object": 1, "not_utf8": 1}
	if !maps.Equal(sum.Refused, refused) || !strings.HasPrefix(sum.FirstRefused, "line 4: no_id: ") {
		t.Errorf("refused %v, the first %q; want %v", sum.Refused, sum.FirstRefused, refused)
	}
}

// Any feed arrives whole, each artifact in one partition and in order: against
// a model that only splits lines.
func TestEveryRecordArrivesInItsKeysOrder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	const partitions = 3
	conn := connect(t, partitions)
	var text bytes.Buffer
	want := map[string][]string{}
	total := 0
	for i := range 5000 {
		id := fmt.Sprintf("artifact/%d", rng.IntN(700))
		line := fmt.Sprintf(`{"id":%q,"n":%d,"title":%q}`, id, i, strings.Repeat("x", rng.IntN(400)))
		want[id] = append(want[id], line)
		total += len(line)
		text.WriteString(line + "\n")
	}
	sum, err := run(t, conn, zipped(t, text.Bytes()))
	if err != nil || sum.Records != 5000 || sum.Bytes != int64(total) {
		t.Fatalf("%v, summary %+v", err, sum)
	}
	got := map[string][]string{}
	home := map[string]int{}
	used := map[int]bool{}
	for p, messages := range stored(t, conn, partitions) {
		for _, m := range messages {
			id := string(m.Key)
			if was, seen := home[id]; seen && was != p {
				t.Fatalf("%q is in partitions %d and %d", id, was, p)
			}
			home[id], used[p] = p, true
			got[id] = append(got[id], string(m.Value))
		}
	}
	if len(used) != partitions {
		t.Errorf("only partitions %v are used", used)
	}
	for id, lines := range want {
		if !slices.Equal(got[id], lines) {
			t.Fatalf("%q: %d records in the topic, %d in the file, or another order", id, len(got[id]), len(lines))
		}
	}
}

// zipped compresses in two members, as `cat a.gz b.gz` gives.
func zipped(t *testing.T, text []byte) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	half := len(text) / 2
	for _, part := range [][]byte{text[:half], text[half:]} {
		z := gzip.NewWriter(&out)
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return &out
}

func TestTornInput(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&text, "{\"id\":\"a%d\",\"title\":\"%d\"}\n", i, rand.Uint64())
	}
	whole := zipped(t, text.Bytes()).Bytes()
	conn := connect(t, 1)
	sum, err := run(t, conn, bytes.NewReader(whole[:len(whole)-300]))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "line ") {
		t.Fatalf("error %v", err)
	}
	got := stored(t, conn, 1)[0]
	if sum.Records == 0 || sum.Records != len(got) {
		t.Errorf("%d records acknowledged, %d in the topic", sum.Records, len(got))
	}
	for i, m := range got {
		if want := fmt.Sprintf("a%d", i); string(m.Key) != want || !bytes.HasSuffix(m.Value, []byte("}")) {
			t.Fatalf("record %d is %s", i, shown(m))
		}
	}
	if _, err := run(t, conn, bytes.NewReader(whole[:5])); err == nil || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("a torn header: error %v", err)
	}
	if sum, err := run(t, conn, strings.NewReader("")); err != nil || sum.Records != 0 {
		t.Errorf("nothing: %v, %+v", err, sum)
	}
	if _, err := run(t, conn, io.MultiReader(strings.NewReader("{}\n"), failing{})); err == nil || !strings.Contains(err.Error(), "line 2: disk on fire") {
		t.Errorf("a failing disk: error %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

// What the broker refuses ends the feed, named by its line; what came before is counted.
func TestRefusedByTheBroker(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "100000"}))
	in := fmt.Sprintf("{\"id\":\"a\"}\n\n%s\n{\"id\":\"b\"}\n", noise(rand.New(rand.NewPCG(7, 7)), 200_000))
	sum, err := run(t, conn, strings.NewReader(in))
	if err == nil || !strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), topic) {
		t.Errorf("error %v", err)
	}
	if sum.Records != 1 {
		t.Errorf("summary %+v, want one record", sum)
	}
}

// noise is text that a compressor makes little smaller.
func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + rng.IntN('~'-'!'))
	}
	return b
}

// A broker of default settings takes requests of a MiB for a partition: large
// records must not be put together to more than that.
func TestLargeRecords(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "1048588"}))
	rng := rand.New(rand.NewPCG(8, 8))
	var in bytes.Buffer
	for range 40 {
		in.Write(append(noise(rng, 100_000), '\n'))
	}
	in.Write(append(noise(rng, 1_000_000), '\n'))
	in.Write(append(noise(rng, 1_000_000), '\n'))
	sum, err := Run(t.Context(), JSON(&in), conn, Options{Topic: topic, AllowRefused: true})
	if err != nil || sum.Records != 42 {
		t.Errorf("%v, summary %+v", err, sum)
	}
}

func TestLineLongerThanAnyBrokerTakes(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	endless := io.MultiReader(strings.NewReader("{\"id\":\"a\"}\n"), &repeat{left: MaxLine + 1000})
	sum, err := run(t, conn, endless)
	if err == nil || !strings.Contains(err.Error(), "line 2: longer than") || sum.Records != 1 {
		t.Errorf("error %v, summary %+v", err, sum)
	}
}

type repeat struct{ left int }

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), r.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	r.left -= n
	return n, nil
}

// A pipe that stays open: each line is sent when it comes, and a stop does not wait for more.
func TestPipe(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	in, out := io.Pipe()
	defer in.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	progress := make(chan Summary, 10)
	done := make(chan error, 1)
	go func() {
		_, err := Run(ctx, JSON(in), conn, Options{Topic: topic, Progress: func(s Summary) { progress <- s }})
		done <- err
	}()
	for i := range 3 {
		if _, err := fmt.Fprintf(out, "{\"id\":\"a%d\"}\n", i); err != nil {
			t.Fatal(err)
		}
		if got := <-progress; got.Records != i+1 {
			t.Fatalf("after line %d: %+v", i+1, got)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// The pace is a bound from above, so this holds on a machine of any speed.
func TestRate(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	in := strings.Repeat("{\"id\":\"a\"}\n", 30)
	sum, err := Run(context.Background(), JSON(strings.NewReader(in)), conn, Options{Topic: topic, Rate: 100})
	if err != nil || sum.Records != 30 {
		t.Fatalf("%v, %+v", err, sum)
	}
	// 10 at once, then 20 more at 100 a second.
	if least := 190 * time.Millisecond; sum.Elapsed < least {
		t.Errorf("%d records took %v, less than %v", sum.Records, sum.Elapsed, least)
	}
}
