package app

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer"
	"kilim/daemon/chain"
	"kilim/daemon/config"
)

// Check verifies a whole state folder that no daemon has open, and tells each
// fault. It returns an error when it could not verify.
func Check(cfg *config.Config, log *slog.Logger, fault func(string)) (err error) {
	if _, err := os.Stat(cfg.Data); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	var down teardown
	down.log = log
	defer func() {
		if e := down.run(); err == nil {
			err = e
		}
	}()
	store, err := OpenStore(cfg, log)
	if err != nil {
		return err
	}
	down.add("store", store.Close)
	reg := prometheus.NewRegistry()
	metrics := chain.NewMetrics(reg, consumer.NewMetrics(reg).Refused)
	cc := chain.FromConfig(cfg)
	cc.Engine = "flat" // the quickest to fill; what the index finds is not looked at
	engine, err := chain.Open(cc, store, metrics, func() {}, log)
	if err != nil {
		return err
	}
	return engine.Check(fault)
}
