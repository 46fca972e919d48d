package standby

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/internal/atomicfile"
)

// proof is what is needed against a record before it is refused: each process in a row that ended within it counts one, for it may
// be a coincidence (an operator's kill, a power cut, the kernel's for want of memory that something else took), and byFault
// more when the Go runtime reported what ended it. So three faults are enough, or eight kills.
//
// Three ends of any kind were enough once: of 200 random kills on a machine that was short of processors, three met the same sound record.
const (
	proof   = 8
	byFault = 2
)

// suspicion finds the record that ends the process (by a lack of memory, by a fault in a goroutine of a library), so that no
// barrier within the process can hold it off. The file at path is there while a process works. A start that finds it, since the
// process before did not end well, is careful: it applies its first batch record by record, and writes into the file which one
// is next. A record against which there is proof is refused.
//
// The obvious design, to name each record before it is applied, would sync a file for each, always.
type suspicion struct {
	path string
	// report is where the runtime writes why it ended the process, see CrashReport.
	report string
	before func(step string) error
	// careful is true until the first batch after an unclean end is applied.
	careful bool
	last    suspect // as the process before left it
	opened  bool
}

// suspect is the content of the file: the record that is being applied, how many processes in a row have ended within it, the one that
// writes it counted, and how many of the earlier ones by a fault.
type suspect struct {
	Topic     string `json:"topic,omitempty"`
	Partition int    `json:"partition,omitempty"`
	Offset    int64  `json:"offset,omitempty"`
	Deaths    int    `json:"deaths,omitempty"`
	Faults    int    `json:"faults,omitempty"`
}

// CrashReport is the file of a data folder into which the Go runtime is to write why it ends the process (debug.SetCrashOutput). The
// next start keeps it with ".last" behind its name, for people.
func CrashReport(data string) string { return filepath.Join(data, "CRASH") }

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
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s.last); err != nil {
			return fmt.Errorf("%s: %w: remove it if nothing else is wrong with the folder", s.path, err)
		}
	}
	return s.takeReport()
}

// takeReport counts a fault against the record that the process before was at. A crash between its two writes counts it twice.
func (s *suspicion) takeReport() error {
	info, err := os.Stat(s.report)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if s.last.Deaths > 0 {
		s.last.Faults++
		if err := s.write(s.last); err != nil {
			return err
		}
	}
	return os.Rename(s.report, s.report+".last")
}

// begin says which record is applied next. It refuses one against which there is proof.
func (s *suspicion) begin(item *consumer.Item) (*profile.Refusal, error) {
	now := suspect{Topic: item.Topic, Partition: item.Partition, Offset: item.Offset, Deaths: 1}
	if l := s.last; l.is(item) {
		if l.Deaths+byFault*l.Faults >= proof {
			return &profile.Refusal{Reason: profile.ReasonUnprocessable, Field: "record",
				Detail: fmt.Sprintf("%d processes in a row have ended while they applied it, %d of them by a fault", l.Deaths, l.Faults)}, nil
		}
		now.Deaths, now.Faults = l.Deaths+1, l.Faults
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
