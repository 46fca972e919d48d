package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBurst: a small burst into the daemon itself, with the least memory that it takes, loses nothing, leaves a state without a fault, and
// stays within that memory. Its times are not looked at.
func TestBurst(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the daemon")
	}
	dir := t.TempDir()
	kilim := filepath.Join(dir, "kilim")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", kilim, "kilim/daemon").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := measure(t.Context(), &options{kilim: kilim, limit: "512MiB", burst: true, tail: 1, dir: dir}, 700)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.faults {
		t.Error(f)
	}
	if r.OwnMB <= 0 || r.DurableSeconds <= 0 {
		t.Errorf("not measured: %+v", r)
	}
}

// TestFaultsAreFound: what judgeBounds and found are for.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	r := &result{OwnMB: 513, QueryP99: 101}
	if err := r.judgeBounds(&options{limit: "512MiB", p99: 100e6}); err != nil || len(r.faults) != 2 {
		t.Errorf("faults %q (%v), want one of the memory and one of the queries", r.faults, err)
	}
	for range 3 * told {
		r.found("again")
	}
	if len(r.faults) != told {
		t.Errorf("%d faults are kept, want %d", len(r.faults), told)
	}
	if err := r.judgeBounds(&options{limit: "much"}); err == nil {
		t.Error("a limit that is no size is taken")
	}
}
