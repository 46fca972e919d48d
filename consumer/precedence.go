package consumer

import "time"

// Source is the partition that a record came in, and its time.
type Source struct {
	Topic     string
	Partition int
	Time      time.Time
}

// Source is the record's.
func (r *Record) Source() Source { return Source{r.Topic, r.Partition, r.Time} }

// Supersedes is true when a record from s counts though one from later is read after it: later is of another partition, and its time is earlier.
//
// Within a partition its order counts, whatever the times are. Between two partitions Kafka knows no order; an artifact gets into two when its key does,
// since partitions were added, or when its records have no key. Then a reader meets their records in any order: it may find the old ones,
// in a partition with a backlog, after the new ones in another. A record without a time is taken as it comes.
func (s Source) Supersedes(later Source) bool {
	elsewhere := s.Topic != later.Topic || s.Partition != later.Partition
	return elsewhere && timed(later.Time) && later.Time.Before(s.Time)
}

// timed is false for the times that stand for none.
func timed(t time.Time) bool { return t.UnixMilli() > 0 }

// Newest says which of n records, in the order in which they are read, count in the end, by the artifact's id; an artifact is
// missing when what is stored of it supersedes them all. record gives the i-th one, nil for one that is passed over, and stored what an
// artifact is of before them.
func Newest(n int, record func(i int) *Item, stored func(id string) (Source, error)) (map[string]int, error) {
	newest, at := make(map[string]int, n), make(map[string]Source, n)
	for i := range n {
		item := record(i)
		if item == nil {
			continue
		}
		before, known := at[item.ID]
		if !known {
			var err error
			if before, err = stored(item.ID); err != nil {
				return nil, err
			}
		}
		if before.Supersedes(item.Source()) {
			at[item.ID] = before
			continue
		}
		newest[item.ID], at[item.ID] = i, item.Source()
	}
	return newest, nil
}
