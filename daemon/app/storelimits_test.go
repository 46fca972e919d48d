package app

import (
	"io"
	"log/slog"
	"testing"

	"kilim/daemon/config"
	"kilim/daemon/memory"
	"kilim/graphstore"
	"kilim/learner/encode"
)

// TestStoreTakesWhatTheSettingsAllow: whatever memory.limit the settings allow, to the ends of its range, the store and the encoders take
// their shares.
func TestStoreTakesWhatTheSettingsAllow(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	for _, limit := range []config.Bytes{0, memory.Least, memory.Least + 1, 3<<30 + 12345, 16 << 40} {
		cfg := defaults(t)
		cfg.Memory.Limit = limit
		if err := cfg.Verify(); err != nil {
			t.Fatal(err)
		}
		if _, err := newEncoders(cfg, nil, log); err != nil {
			t.Errorf("%v: %v", limit, err)
		}
		store, err := graphstore.Open(t.TempDir(), instances(cfg, encode.Encoders{}, nil, nil, log).Store)
		if err != nil {
			t.Errorf("%v: %v", limit, err)
			continue
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
