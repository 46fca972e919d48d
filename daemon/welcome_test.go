package main

import (
	"bytes"
	"strings"
	"testing"

	"kilim/daemon/config"
)

// TestRollKeepsWhatIsAbove: a screen that is full does not scroll.
func TestRollKeepsWhatIsAbove(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &roll{w: &out, rows: 2, columns: 8}
	for _, text := range []string{"one", "two", "öäü the third", "four"} {
		r.line(text)
	}
	r.end()
	r.end()
	want := "one\ntwo\n\x1b[Köäü the\r\x1b[Kfour\r\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRollOfAPipe prints every line in full.
func TestRollOfAPipe(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := newRoll(&out)
	for range 100 {
		r.line(strings.Repeat("x", 300))
	}
	r.end()
	if got, want := out.String(), strings.Repeat(strings.Repeat("x", 300)+"\n", 100); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

func TestArriving(t *testing.T) {
	t.Parallel()
	d := config.Demo{Artifacts: 500, Rate: 5}
	for left, want := range map[int]string{
		500: "a demo archive of 500 artifacts arrives, 5 a second",
		20:  "the other 20 of a demo archive of 500 artifacts arrive, 5 a second",
		0:   "has all of its demo archive of 500 artifacts",
	} {
		if got := arriving(left, d); !strings.Contains(got, want) {
			t.Errorf("%d left: %q does not say %q", left, got, want)
		}
	}
}
