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

// ledger is what is kept, from one start to the next, of the time since the last training.
type triggerState struct {
	// At is when the last training ended, or the first start.
	At time.Time `json:"at"`
	// Changed is how much the archive has changed since that began, in archives.
	Changed float64 `json:"changed"`
	// Mix is that of the archive at its beginning.
	Mix map[string]map[string]float64 `json:"mix,omitempty"`
	// Last is how the last training ended.
	Last *Outcome `json:"last,omitempty"`
}

// Last is how a training has ended.
type Outcome struct {
	At     time.Time
	Result string // promoted, rejected or failed
	Epoch  uint32 // of the model, 0 if none was made
	Reason string
}

// ledgerName is the name of the file, among the models'.
const stateName = "training.ledger"

// readLedger returns false when there is none.
func readTriggerState(path string) (l triggerState, ok bool, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, false, nil
	}
	if err != nil {
		return l, false, err
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return triggerState{}, false, fmt.Errorf("%s: %w", path, err)
	}
	return l, true, nil
}

func (l *triggerState) write(path string) error {
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(raw, '\n'), nil)
}
