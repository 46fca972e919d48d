package finetune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kilim/internal/atomicfile"
)

// triggerState is what the Triggers need to know since the last training. It is kept in a file over restarts.
type triggerState struct {
	// At is when the last training ended, or the Scheduler first ran.
	At time.Time `json:"at"`
	// Changed is how much the archive has changed since the last training began, in archives.
	Changed float64 `json:"changed"`
	// Mix is that of the archive when the last training began.
	Mix map[string]map[string]float64 `json:"mix,omitempty"`
	// Last is the outcome of the last training.
	Last *Outcome `json:"last,omitempty"`
}

// Outcome is how a training ended.
type Outcome struct {
	At     time.Time
	Result string // promoted, rejected or failed
	Epoch  uint32 // of the trained model, 0 if none was made
	Reason string
}

// stateName is the name of the triggerState's file, among the models'. It does not end in .json, as the rows of package
// registry do.
const stateName = "training.state"

// readTriggerState returns ok false when there is no file.
func readTriggerState(path string) (s triggerState, ok bool, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return triggerState{}, false, fmt.Errorf("%s: %w", path, err)
	}
	return s, true, nil
}

func (s *triggerState) write(path string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(raw, '\n'), nil)
}
