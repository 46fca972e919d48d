package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kilim/internal/atomicfile"
)

const (
	// newestKept segments of a partition are never compacted: Kafka leaves its active
	// one alone, and one more means that a segment's worth of the newest records is always
	// there in full, for those that look back from the end (the publisher does).
	newestKept = 2
	// tombstoneAge is how long a deletion stays readable, as Kafka's delete.retention.ms.
	tombstoneAge = 24 * time.Hour
	// worthwhile is the share of a segment that must go before it is rewritten.
	worthwhile = 0.25
)

// compact drops superseded records from the topics with cleanup.policy=compact, as far
// as they are in old segments. The log must be closed.
//
// A crash at any moment is harmless: a segment is replaced by renaming its successor
// over it, and the segments go in the order of their offsets, so that a tombstone
// goes only after all that it deletes has gone.
func compact(dir string, now time.Time, log *slog.Logger) error {
	topics, err := compactedTopics(dir)
	if err != nil {
		return err
	}
	for _, t := range topics {
		for p := range t.Partitions {
			path := filepath.Join(dir, "partitions", url.PathEscape(t.Name)+"-"+strconv.Itoa(p))
			if err := compactPartition(path, now, log); err != nil {
				return fmt.Errorf("compacting topic %q partition %d: %w", t.Name, p, err)
			}
		}
	}
	return nil
}

// topicState is what is of interest here of an entry of kfake's topics.json.
type topicState struct {
	Name       string            `json:"name"`
	Partitions int               `json:"partitions"`
	Configs    map[string]string `json:"configs"`
}

func compactedTopics(dir string) ([]topicState, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "topics.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a new folder
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	var state struct {
		Topics []topicState `json:"topics"`
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, fmt.Errorf("data folder: topics.json: %w", err)
	}
	return slices.DeleteFunc(state.Topics, func(t topicState) bool {
		return !strings.Contains(t.Configs["cleanup.policy"], "compact")
	}), nil
}

func compactPartition(path string, now time.Time, log *slog.Logger) error {
	bases, err := segmentBases(path)
	if err != nil || len(bases) <= newestKept {
		return err
	}
	latest := map[string]int64{} // offset of each key's last record
	for i, base := range bases {
		raw, err := os.ReadFile(segmentPath(path, base))
		if err != nil {
			return err
		}
		rest, err := eachBatch(raw, func(b batch) error {
			return b.each(func(r entry) { latest[string(r.Key)] = r.offset })
		})
		if err != nil || (rest > 0 && i < len(bases)-1) {
			// Transactions, an unknown codec, damage: this is no time to rewrite anything.
			log.Warn("not compacting a partition that can't be read in full", "path", path, "segment", base, "unread_bytes", rest, "error", err)
			return nil
		}
	}
	var before, after int64
	for _, base := range bases[:len(bases)-newestKept] {
		was, is, err := compactSegment(path, base, latest, now)
		if err != nil {
			return err
		}
		before, after = before+was, after+is
	}
	if after < before {
		log.Info("compacted", "path", path, "bytes_before", before, "bytes_after", after)
	}
	return nil
}

// compactSegment returns the size of the segment before and after.
func compactSegment(path string, base int64, latest map[string]int64, now time.Time) (before, after int64, err error) {
	file := segmentPath(path, base)
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	before = int64(len(raw))
	var out []byte
	keep := func(r entry) bool {
		if r.Key == nil {
			return true
		}
		return latest[string(r.Key)] == r.offset && (r.Value != nil || now.Sub(r.time) < tombstoneAge)
	}
	if _, err := eachBatch(raw, func(b batch) error {
		out, err = b.appendKept(out, keep)
		return err
	}); err != nil {
		return 0, 0, err
	}
	if float64(len(out)) > float64(len(raw))*(1-worthwhile) {
		return before, before, nil
	}
	// The snapshot describes the old files; without it kfake reads the new ones. The index
	// only says which batches are in transactions, and there are none.
	for _, stale := range []string{filepath.Join(path, "snapshot.json"), strings.TrimSuffix(file, ".dat") + ".idx"} {
		if err := os.Remove(stale); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, 0, err
		}
	}
	return before, int64(len(out)), replace(file, out)
}

// replace puts content in the place of file, or removes file when there is none;
// it returns when the disk has it. kfake removes what a crash leaves of it.
func replace(file string, content []byte) error {
	if len(content) > 0 {
		return atomicfile.Write(file, content, nil)
	}
	if err := os.Remove(file); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(file))
}

func segmentPath(path string, base int64) string {
	return filepath.Join(path, strconv.FormatInt(base, 10)+".dat")
}

// segmentBases returns the first offsets of the partition's segments, in order.
func segmentBases(path string) ([]int64, error) {
	files, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing has been written yet
	}
	if err != nil {
		return nil, err
	}
	var bases []int64
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".dat"); ok {
			if base, err := strconv.ParseInt(name, 10, 64); err == nil {
				bases = append(bases, base)
			}
		}
	}
	slices.Sort(bases)
	return bases, nil
}
