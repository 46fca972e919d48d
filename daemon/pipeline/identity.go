package pipeline

import (
	"errors"
	"fmt"
	"strconv"

	"kilim/graphstore"
)

// ErrIdentity is wrapped when a state was made by other encoders, or by another model.
var ErrIdentity = errors.New("pipeline: the state was made")

// The rows that say what a state is. Their keys are older than the package's name.
const (
	identityKey = "chain/identity"
	epochKey    = "chain/epoch"
)

// identify writes what stored vectors depend on, and the model's epoch, into a new state, and
// refuses a state made with others: vectors of two models must not be mixed.
func identify(store *graphstore.Store, cfg *Config, identity string) error {
	if cfg.Epoch == 0 {
		return errors.New("pipeline: epoch 0: want 1 or more")
	}
	var have []byte
	var epoch uint32
	err := store.View(func(r *graphstore.Reader) (err error) {
		if have, err = r.Meta(identityKey); err != nil {
			return err
		}
		epoch, err = epochOf(r)
		return err
	})
	if err != nil {
		return fmt.Errorf("pipeline: read identity: %w", err)
	}
	switch {
	case have == nil:
		return claim(store, cfg, identity)
	case string(have) != identity:
		return fmt.Errorf("%w with %q and this program is configured for %q: use the earlier settings or an empty data folder", ErrIdentity, have, identity)
	case epoch != cfg.Epoch:
		return fmt.Errorf("pipeline: the state is of model epoch %d, epoch %d was asked for", epoch, cfg.Epoch)
	}
	return nil
}

// claim says in a new state what it is.
func claim(store *graphstore.Store, cfg *Config, identity string) error {
	tx := store.Begin()
	defer tx.Discard()
	if err := tx.PutMeta(identityKey, []byte(identity)); err != nil {
		return err
	}
	if err := tx.PutMeta(epochKey, strconv.AppendUint(nil, uint64(cfg.Epoch), 10)); err != nil {
		return err
	}
	if err := cfg.Encoders.Record(tx); err != nil {
		return err
	}
	if cfg.Standby {
		if err := tx.PutMeta(backfillKey, []byte{1}); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// epochOf is the epoch of the model that a state was made with. States older than
// epochs don't say it: theirs is 1.
func epochOf(r *graphstore.Reader) (uint32, error) {
	b, err := r.Meta(epochKey)
	if err != nil || b == nil {
		return 1, err
	}
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("epoch %q: %w", b, err)
	}
	return uint32(n), nil
}
