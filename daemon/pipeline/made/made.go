package made

import (
	"encoding/json"
	"fmt"

	"kilim/graphstore"
	"kilim/rerank"
)

const settingsKey = "pipeline/settings"

// By is what an engine works with.
type By struct {
	Identity string
	Epoch    uint32
	Settings Settings
	// Keep takes the state's own Settings, for who reads a state and must not change what it is made by.
	Keep bool
}

// Settings are those that stored rows depend on and that may change.
type Settings struct {
	// ListSize is the length of each list.
	ListSize int `json:"list_size"`
	// Candidates is the number of nearest artifacts that stage 2 looks at, and
	// the most that shared rare entities may add.
	Candidates int `json:"candidates"`
	// RareMembers is the most artifacts that share a rare entity.
	RareMembers int `json:"rare_members"`
	// Tolerance is the change of a score below which a list is not published again.
	Tolerance float32 `json:"tolerance"`
	// Epsilon is the RMS change of a node's vector below which its dependants are not told.
	Epsilon float32 `json:"epsilon"`
	// Score weighs the parts of a score; the zero value stands for those of rerank.DefaultScoreWeights, which made the lists of
	// states whose row names none.
	Score rerank.ScoreWeights `json:"score"`
}

// whole has the default in the place of the zero value of Score.
func (s Settings) whole() Settings {
	if s.Score == (rerank.ScoreWeights{}) {
		s.Score = rerank.DefaultScoreWeights()
	}
	return s
}

// Kept is what a state says of the settings that it is made by.
type Kept struct {
	Settings
	// Lists numbers the settings of lists, from 1: each list's row says by which it was made (topk.Config.Settings). A number,
	// and not the settings themselves, since lists are not kept up for the settings of earlier times: who goes back to
	// such settings must not find lists that look as if they were current.
	Lists uint32 `json:"lists"`
	// Within is the RMS change of a vector that its dependants may not have been told: Epsilon, or more, as long as not all
	// vectors have been looked at since Epsilon was lowered.
	Within float32 `json:"within"`
}

// Loose tells whether vectors have moved by more than Epsilon, and nobody was told, for Epsilon has been lowered since.
func (k Kept) Loose() bool { return k.Within > k.Epsilon }

// next is what a state that says k says once other settings are taken up.
func (k Kept) next(s Settings) Kept {
	n := Kept{Settings: s, Lists: k.Lists, Within: max(k.Within, s.Epsilon)}
	// What a finer tolerance told apart serves a coarser one, too.
	if s.ListSize != k.ListSize || s.Candidates != k.Candidates || s.RareMembers != k.RareMembers || s.Tolerance < k.Tolerance || s.Score != k.Score {
		n.Lists++
	}
	return n
}

// Open makes a state one of by, and returns what it says of its settings. In a new state, begin may write what else it is
// made by, in the same commit. changed tells whether the settings are others than those that the state had.
func Open(store *graphstore.Store, by By, begin func(*graphstore.Tx) error) (now Kept, changed bool, err error) {
	by.Settings = by.Settings.whole()
	var fresh bool
	var had Kept
	err = store.View(func(r *graphstore.Reader) (err error) {
		if fresh, err = identify(r, &by); err != nil || fresh {
			return err
		}
		had, err = read(r)
		return err
	})
	if err != nil {
		return Kept{}, false, err
	}
	if fresh {
		now = Kept{Settings: by.Settings, Lists: 1, Within: by.Settings.Epsilon}
		return now, false, write(store, func(tx *graphstore.Tx) error {
			if err := putIdentity(tx, &by); err != nil {
				return err
			}
			if err := now.Put(tx); err != nil {
				return err
			}
			return begin(tx)
		})
	}
	if now = had.next(by.Settings); by.Keep || now == had {
		return had, false, nil
	}
	return now, true, write(store, now.Put)
}

func write(store *graphstore.Store, put func(*graphstore.Tx) error) error {
	tx := store.Begin()
	defer tx.Discard()
	if err := put(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Put writes the row.
func (k Kept) Put(tx *graphstore.Tx) error {
	b, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("pipeline: settings of the state: %w", err)
	}
	return tx.PutMeta(settingsKey, b)
}

func read(r *graphstore.Reader) (k Kept, err error) {
	b, err := r.Meta(settingsKey)
	if err != nil {
		return k, err
	}
	if b == nil {
		return k, fmt.Errorf("pipeline: the state does not say by which settings its lists were made: an earlier version made it, or it is damaged; make a new data folder from the topic")
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return k, fmt.Errorf("pipeline: settings of the state %q: %w", b, err)
	}
	k.Settings = k.Settings.whole()
	return k, nil
}
