package app

import (
	"errors"
	"fmt"
	"testing"

	"kilim/daemon/web"
	"kilim/graphstore"
)

// TestDamagedIsToldByName wants the page of an artifact whose document is damaged to name it and what to do.
func TestDamagedIsToldByName(t *testing.T) {
	t.Parallel()
	err := webError(fmt.Errorf("pipeline: %w", &graphstore.DamagedError{Artifact: "met:1", Err: errors.New("flipped")}))
	want := `damaged: the stored document of artifact "met:1" can't be read; feed its record again, which replaces it`
	if !errors.Is(err, web.ErrDamaged) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
