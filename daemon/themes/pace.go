package themes

import (
	"context"
	"time"
)

// rest leaves the machine to others after worked, as the making of another state does: three quarters of the time while batches come,
// else a fifth. It is Run's alone.
func (k *Keeper) rest(ctx context.Context, worked time.Duration) error {
	k.worked += worked
	d := worked / 4
	if !k.archive.Quiet() {
		d = 3 * worked
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
