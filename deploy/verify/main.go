package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	kilim := flag.String("kilim", "http://127.0.0.1:9464", "where the daemon serves /metrics")
	dir := flag.String("deploy", "deploy", "the folder with prometheus/ and grafana/")
	within := flag.Duration("for", time.Minute, "how long a query may take to have data")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *dir, *kilim, *within); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, kilim string, within time.Duration) error {
	var queries []query
	files, err := filepath.Glob(filepath.Join(dir, "grafana", "dashboards", "*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no dashboards in %s", dir)
	}
	for _, file := range files {
		d, err := readDashboard(file)
		if err != nil {
			return err
		}
		queries = append(queries, d.queries()...)
	}
	rules, err := readRules(filepath.Join(dir, "prometheus", "alerts.yml"))
	if err != nil {
		return err
	}
	queries = append(queries, rules.metrics()...)

	prometheus, err := startPrometheus(ctx, filepath.Join(dir, "prometheus"), kilim)
	if err != nil {
		return err
	}
	defer prometheus.stop()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	missing, err := prometheus.await(ctx, queries)
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Printf("NO DATA  %s\n         %s\n         %s\n", m.query.where, m.query.expr, m.answer)
	}
	fmt.Printf("%d of %d queries returned data\n", len(queries)-len(missing), len(queries))
	if len(missing) > 0 {
		return errors.New("some queries return no data")
	}
	return nil
}
