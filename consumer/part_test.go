package consumer

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestParts cuts random batches at random places: the parts have all items in their order, and the last offsets that they name
// are those of the batch.
func TestParts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		b := &Batch{}
		next := map[int]int64{}
		for range 1 + rng.IntN(20) {
			p := rng.IntN(3)
			offset := next[p] + int64(rng.IntN(3)) // with gaps
			next[p] = offset + 1
			b.Items = append(b.Items, Item{Record: Record{Topic: "in", Partition: p, Offset: offset, Value: make([]byte, rng.IntN(5))}})
			b.Bytes += int64(len(b.Items[len(b.Items)-1].Value))
		}
		for p := range 3 {
			if n, ok := next[p]; ok {
				next[p] = n + int64(rng.IntN(4))
			}
		}
		ends := map[TopicPartition]reached{}
		for p, n := range next {
			ends[TopicPartition{"in", p}] = reached{topicID{7}, n}
		}
		b.Next = offsets(b.Items, ends)
		var items []Item
		var bytes int64
		reached := map[int]int64{}
		for from := 0; from < len(b.Items); {
			to := from + 1 + rng.IntN(len(b.Items)-from)
			part := b.Part(from, to)
			for _, item := range part.Items {
				if item.Offset < reached[item.Partition] {
					t.Fatalf("seed %d: %d of partition %d is in a part after one that reached %d", seed, item.Offset, item.Partition, reached[item.Partition])
				}
			}
			for _, o := range part.Next {
				if o.Next <= reached[o.Partition] {
					t.Fatalf("seed %d: partition %d goes from %d to %d", seed, o.Partition, reached[o.Partition], o.Next)
				}
				reached[o.Partition] = o.Next
				last := part.Items[len(part.Items)-1]
				for i := len(part.Items) - 1; last.Partition != o.Partition; i-- {
					last = part.Items[i]
				}
				if want := markOf(topicID{7}, &last.Record).encode(); o.Log != want {
					t.Fatalf("seed %d: partition %d at %d has the mark %x, want %x", seed, o.Partition, o.Next, o.Log, want)
				}
			}
			items, bytes = append(items, part.Items...), bytes+part.Bytes
			from = to
		}
		if !reflect.DeepEqual(items, b.Items) || bytes != b.Bytes {
			t.Errorf("seed %d: the parts have %d items of %d bytes, the batch %d of %d", seed, len(items), bytes, len(b.Items), b.Bytes)
		}
		for _, o := range b.Next {
			if reached[o.Partition] != o.Next {
				t.Errorf("seed %d: partition %d ends at %d, want %d", seed, o.Partition, reached[o.Partition], o.Next)
			}
		}
	}
}
