package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// childDir, in the environment, makes the test binary a broker process: it serves the
// folder, prints its address and runs until it is killed or its input ends.
const childDir = "KILIM_TEST_BROKER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(dir string) error {
	b, err := Start("127.0.0.1:0", dir, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return b.Close()
}

// process is a broker in a process of its own, so that it can be killed.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	errs  *strings.Builder
}

func spawn(t *testing.T, dir string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), errs: new(strings.Builder)}
	p.cmd.Env = append(os.Environ(), childDir+"="+dir)
	p.cmd.Stderr = p.errs
	stdin, err := p.cmd.StdinPipe()
	check(t, err)
	stdout, err := p.cmd.StdoutPipe()
	check(t, err)
	p.stdin, p.out = stdin, bufio.NewReader(stdout)
	check(t, p.cmd.Start())
	t.Cleanup(func() { p.kill() })
	return p
}

// addr waits until the broker serves.
func (p *process) addr(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.kill()
		t.Fatalf("the broker process ended before it served: %v\n%s", err, p.errs)
	}
	return strings.TrimSpace(line)
}

func (p *process) kill() {
	p.cmd.Process.Kill() //nolint:errcheck // it may be dead already
	p.cmd.Wait()         //nolint:errcheck // "signal: killed" is what we want
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *Broker {
	t.Helper()
	b, err := Start("127.0.0.1:0", dir, nil)
	check(t, err)
	t.Cleanup(func() { b.Close() })
	return b
}

// client has its own connections, so that none is left over from a former broker.
func client(t *testing.T, addr string) *kafka.Client {
	t.Helper()
	tr := &kafka.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(addr), Transport: tr, Timeout: 10 * time.Second}
}

func createTopic(t *testing.T, cl *kafka.Client, name string, config ...kafka.ConfigEntry) {
	t.Helper()
	res, err := cl.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: name, NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: config},
	}})
	check(t, err)
	check(t, res.Errors[name])
}

func produce(ctx context.Context, cl *kafka.Client, topic string, recs ...kafka.Record) (int64, error) {
	res, err := cl.Produce(ctx, &kafka.ProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(recs...),
	})
	if err != nil {
		return 0, err
	}
	return res.BaseOffset, res.Error
}

func record(key, value string) kafka.Record {
	r := kafka.Record{Key: kafka.NewBytes([]byte(key))}
	if value != "" {
		r.Value = kafka.NewBytes([]byte(value))
	}
	return r
}

// message is what a reader sees of a record.
type message struct {
	offset     int64
	key, value string
}

// readAll reads partition 0 from its start to its end at the time of the call.
func readAll(t *testing.T, addr, topic string) []message {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", addr, topic, 0)
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, end, err := conn.ReadOffsets()
	check(t, err)
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, MaxWait: 50 * time.Millisecond})
	defer r.Close()
	var all []message
	for next := int64(0); next < end; {
		m, err := r.ReadMessage(t.Context())
		check(t, err)
		all = append(all, message{m.Offset, string(m.Key), string(m.Value)})
		next = m.Offset + 1
	}
	return all
}

func commit(ctx context.Context, cl *kafka.Client, group, topic string, offset int64) error {
	res, err := cl.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		GroupID: group, GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: offset}}},
	})
	if err != nil {
		return err
	}
	return res.Topics[topic][0].Error
}

// committed returns -1 when nothing is.
func committed(t *testing.T, cl *kafka.Client, group, topic string) int64 {
	t.Helper()
	res, err := cl.OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {0}}})
	check(t, err)
	if errors.Is(res.Error, kafka.GroupIdNotFound) {
		return -1
	}
	check(t, res.Error)
	check(t, res.Topics[topic][0].Error)
	return res.Topics[topic][0].CommittedOffset
}
