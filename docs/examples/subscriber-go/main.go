// Command subscriber-go reads a topic of lists to its present end and prints the table that it makes: a line of JSON an artifact,
// sorted by id. A subscriber that stays would go on reading where this one ends.
//
//	go run ./docs/examples/subscriber-go BROKER TOPIC
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	left, err := ends(ctx, kadm.NewClient(client), topic)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", topic, err)
	}
	table := map[string][]byte{}
	for len(left) > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", topic, err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			switch {
			case r.Attrs.IsControl(): // the end of a transaction
			case r.Value == nil:
				delete(table, string(r.Key))
			default:
				table[string(r.Key)] = r.Value
			}
			// Compaction leaves gaps, but never takes the last record of all.
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
	}
	return table, nil
}

// ends are the offsets at which the partitions end that have something.
func ends(ctx context.Context, admin *kadm.Client, topic string) (map[int32]int64, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	listed, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	left := map[int32]int64{}
	for partition, end := range listed.Offsets()[topic] {
		if start, ok := starts.Lookup(topic, partition); ok && end.At > start.Offset {
			left[partition] = end.At
		}
	}
	return left, errors.Join(starts.Error(), listed.Error())
}

// show prints the table. A value of kilim.similar is JSON of one line.
func show(w io.Writer, table map[string][]byte) error {
	out := bufio.NewWriter(w)
	for _, id := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(out, "%s\n", table[id])
	}
	return out.Flush()
}
