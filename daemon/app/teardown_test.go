package app

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestTeardownRunsAllStepsLastInFirstOut(t *testing.T) {
	t.Parallel()
	var order []string
	td := teardown{log: slog.New(slog.DiscardHandler)}
	for _, name := range []string{"first", "second", "third"} {
		td.add(name, func() error {
			order = append(order, name)
			if name == "second" {
				return errors.New("stuck")
			}
			return nil
		})
	}
	err := td.run()
	if want := []string{"third", "second", "first"}; !slices.Equal(order, want) {
		t.Fatalf("stopped in the order %v, want %v", order, want)
	}
	if err == nil || !strings.Contains(err.Error(), "stop second: stuck") {
		t.Fatalf("error %v does not name the step that failed", err)
	}
	if err := td.run(); err != nil || len(order) != 3 {
		t.Fatalf("a second run did something: %v, %v", order, err)
	}
}
