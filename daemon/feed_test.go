package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMediaBase(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for input, want := range map[string]string{
		"-": here, "x.jsonl": here, "a/x.jsonl.gz": filepath.Join(here, "a"), "../x.jsonl": filepath.Dir(here), "/b c/x": "/b c",
	} {
		if got, err := mediaBase(input); err != nil || got != want {
			t.Errorf("%s: %q (%v), want %q", input, got, err, want)
		}
	}
}
