package themes

import (
	"context"
	"time"

	"kilim/daemon/pace"
)

// rest leaves the machine to others after worked, a fifth of the time while somebody waits for a theme that was declared. It is Run's alone.
func (k *Keeper) rest(ctx context.Context, worked time.Duration) error {
	k.worked += worked
	return pace.Rest(ctx, worked, k.hurried || k.archive.Quiet())
}
