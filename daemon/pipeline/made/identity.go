package made

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

// identify refuses a state that was made by another identity or epoch: vectors of two models must not be mixed. It tells
// whether the state is new.
func identify(r *graphstore.Reader, by *By) (fresh bool, err error) {
	if by.Epoch == 0 {
		return false, errors.New("pipeline: epoch 0: want 1 or more")
	}
	have, err := r.Meta(identityKey)
	if err != nil || have == nil {
		return have == nil, err
	}
	epoch, err := epochOf(r)
	switch {
	case err != nil:
		return false, err
	case string(have) != by.Identity:
		return false, fmt.Errorf("%w with %q and this program is configured for %q: use the earlier settings or an empty data folder", ErrIdentity, have, by.Identity)
	case epoch != by.Epoch:
		return false, fmt.Errorf("pipeline: the state is of model epoch %d, epoch %d was asked for", epoch, by.Epoch)
	}
	return false, nil
}

func putIdentity(tx *graphstore.Tx, by *By) error {
	if err := tx.PutMeta(identityKey, []byte(by.Identity)); err != nil {
		return err
	}
	return tx.PutMeta(epochKey, strconv.AppendUint(nil, uint64(by.Epoch), 10))
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
