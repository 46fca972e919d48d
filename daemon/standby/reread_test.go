package standby

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"kilim/graphstore"
)

// TestForgetOffsetsOfNothing: a folder without a state stays without one.
func TestForgetOffsetsOfNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := ForgetOffsets(dir, graphstore.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("made %v (%v)", left, err)
	}
}
