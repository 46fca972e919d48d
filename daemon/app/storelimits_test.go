package app

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"kilim/graphstore"
	"kilim/learner/encode"
)

// TestStoreTakesWhatTheSettingsAllow: the range that `kilim config` tells is the store's own, to its ends.
func TestStoreTakesWhatTheSettingsAllow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cache, memtable int
		ok              bool
	}{{1, 1, true}, {1024, 1024, true}, {1025, 1, false}, {1, 1025, false}} {
		cfg := defaults(t)
		cfg.Store.CacheMB, cfg.Store.MemtableMB = c.cache, c.memtable
		told := cfg.Verify()
		opts := instances(cfg, encode.Encoders{}, nil, nil, slog.New(slog.NewTextHandler(io.Discard, nil))).Store
		store, err := graphstore.Open(t.TempDir(), opts)
		if err == nil {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
		if (err == nil) != c.ok || (told == nil) != c.ok {
			t.Errorf("cache %d, memtable %d: the store says %v, the settings %v", c.cache, c.memtable, err, told)
		}
		if !c.ok && !strings.Contains(told.Error(), "1 to 1024") {
			t.Errorf("the range is not told: %v", told)
		}
	}
}
