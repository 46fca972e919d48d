package standby

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/internal/atomicfile"
)

// mostDeaths is how many processes in a row may end within the same record before it is refused. One may be a coincidence: an
// operator's kill, a power cut.
const mostDeaths = 3

// suspicion finds the record that ends the process (by a lack of memory, by a fault in a goroutine of a library), so that no
// barrier within the process can hold it off. The file at path is there while a process works. A start that finds it, since the
// process before did not end well, is careful: it applies its first batch record by record, and writes into the file which one
// is next. A record that is named there by mostDeaths processes in a row is refused.
//
// The obvious design, to name each record before it is applied, would sync a file for each, always.
type suspicion struct {
	path   string
	before func(step string) error
	// careful is true until the first batch after an unclean end is applied.
	careful bool
	last    suspect // as the process before left it
	opened  bool
}

// suspect is the content of the file: the record that is being applied, and how many processes in a row have ended within it.
type suspect struct {
	Topic     string `json:"topic,omitempty"`
	Partition int    `json:"partition,omitempty"`
	Offset    int64  `json:"offset,omitempty"`
	Deaths    int    `json:"deaths,omitempty"`
}

func (s suspect) is(item *consumer.Item) bool {
	return s.Topic == item.Topic && s.Partition == item.Partition && s.Offset == item.Offset
}

// open reads the file, and leaves one.
func (s *suspicion) open() error {
	raw, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.opened = true
		return s.write(suspect{})
	case err != nil:
		return err
	}
	s.opened, s.careful = true, true
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &s.last); err != nil {
		return fmt.Errorf("%s: %w: remove it if nothing else is wrong with the folder", s.path, err)
	}
	return nil
}

// begin says which record is applied next. It refuses one within which mostDeaths processes have ended.
func (s *suspicion) begin(item *consumer.Item) (*profile.Refusal, error) {
	now := suspect{Topic: item.Topic, Partition: item.Partition, Offset: item.Offset, Deaths: 1}
	if s.last.is(item) {
		if s.last.Deaths >= mostDeaths {
			return &profile.Refusal{Reason: profile.ReasonUnprocessable, Field: "record",
				Detail: fmt.Sprintf("%d processes in a row have ended while they applied it", s.last.Deaths)}, nil
		}
		now.Deaths = s.last.Deaths + 1
	}
	return nil, s.write(now)
}

// relax ends the care after the first batch.
func (s *suspicion) relax() error {
	s.careful, s.last = false, suspect{}
	return s.write(suspect{})
}

// close says that the process ends well. One that has applied nothing since an unclean end leaves the file as it was: a start
// that fails, at a port in use say, must not forget what is suspected.
func (s *suspicion) close() error {
	switch {
	case !s.opened:
		return nil
	case s.careful:
		return s.write(s.last)
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *suspicion) write(now suspect) error {
	raw, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return atomicfile.Write(s.path, raw, s.before)
}
