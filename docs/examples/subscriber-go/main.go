// Command subscriber-go reads a topic of lists to its present end and prints the table that it makes: a line of JSON an artifact,
// sorted by id. A subscriber that stays would go on reading where this one ends.
//
//	go run ./docs/examples/subscriber-go BROKER TOPIC
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/segmentio/kafka-go"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: subscriber-go BROKER TOPIC")
		os.Exit(2)
	}
	table, err := read(context.Background(), os.Args[1], os.Args[2])
	if err == nil {
		err = show(os.Stdout, table)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "subscriber-go:", err)
		os.Exit(1)
	}
}

// read gives the last value of each key that has one.
func read(ctx context.Context, broker, topic string) (map[string][]byte, error) {
	conn, err := kafka.DialContext(ctx, "tcp", broker)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	partitions, err := conn.ReadPartitions(topic)
	if err != nil {
		return nil, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	table := map[string][]byte{}
	for _, p := range partitions {
		if err := readPartition(ctx, broker, topic, p.ID, table); err != nil {
			return nil, fmt.Errorf("%s, partition %d: %w", topic, p.ID, err)
		}
	}
	return table, nil
}

func readPartition(ctx context.Context, broker, topic string, partition int, table map[string][]byte) error {
	leader, err := kafka.DialLeader(ctx, "tcp", broker, topic, partition)
	if err != nil {
		return err
	}
	defer leader.Close()
	end, err := leader.ReadLastOffset()
	if err != nil {
		return err
	}
	// A message of lists may be a mebibyte and more.
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{broker}, Topic: topic, Partition: partition, MaxBytes: 16 << 20, ReadLagInterval: -1})
	defer r.Close()
	// Compaction leaves gaps, but never takes the last message of all: its offset is end-1.
	for next := int64(0); next < end; {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		if next = m.Offset + 1; m.Value == nil {
			delete(table, string(m.Key))
		} else {
			table[string(m.Key)] = m.Value
		}
	}
	return nil
}

// show prints the table. A value of kilim.similar is JSON of one line.
func show(w io.Writer, table map[string][]byte) error {
	out := bufio.NewWriter(w)
	for _, id := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(out, "%s\n", table[id])
	}
	return out.Flush()
}
