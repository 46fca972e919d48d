package daemonproc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// asKilim, in the environment, makes this test binary behave as kilim: the children of the tests do.
const asKilim = "KILIM_TEST_AS_KILIM"

func TestMain(m *testing.M) {
	if os.Getenv(asKilim) != "" {
		os.Exit(fakeKilim(os.Args[1], os.Args[2:]))
	}
	if err := os.Setenv(asKilim, "yes"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// fakeKilim does what the tests need of a command. Its behaviour is chosen by flags that kilim does not have.
func fakeKilim(command string, args []string) int {
	value := func(flag string) string {
		if at := slices.Index(args, flag); at >= 0 {
			return args[at+1]
		}
		return ""
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	switch command {
	case "serve":
		return fakeDaemon(value("--http"), value("--on-term"), terminated)
	case "feed": // the file is the URL of one who wants to know that the feed has begun
		if _, err := http.Get(args[0]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if value("--on-term") != "" {
			<-terminated
			fmt.Println("7 records acknowledged, 70 bytes")
			fmt.Fprintln(os.Stderr, "interrupted")
			return 1
		}
		fmt.Printf("12 records acknowledged of %s\n", strings.Join(args[1:], " "))
	case "status":
		fmt.Printf("{%q: %q}\n", "args", strings.Join(args, " "))
	case "check":
		switch value("--folder") {
		case "faulty":
			fmt.Println("an edge leads nowhere")
			fmt.Fprintln(os.Stderr, "1 fault")
			return 1
		case "locked":
			fmt.Fprintln(os.Stderr, "somebody has it open")
			return 1
		case "misspelt":
			return 2
		}
		fmt.Println("no fault")
	}
	return 0
}

// fakeDaemon answers over HTTP until it is told to end.
func fakeDaemon(addr, onTerm string, terminated <-chan os.Signal) int {
	fmt.Fprintln(os.Stderr, "starting")
	exit := make(chan int, 1)
	go func() {
		for range terminated {
			switch onTerm {
			case "":
				exit <- 0
			case "fail":
				fmt.Fprintln(os.Stderr, "the last commit failed")
				exit <- 3
			} // or deaf
		}
	}()
	registry := prometheus.NewRegistry()
	stages := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "stage_seconds", NativeHistogramBucketFactor: 1.1}, []string{"stage"})
	fresh := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "fresh_seconds", NativeHistogramBucketFactor: 1.1})
	idle := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "idle_seconds", NativeHistogramBucketFactor: 1.1})
	done := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "done_total"}, []string{"of"})
	registry.MustRegister(stages, fresh, idle, done)
	stages.WithLabelValues("graph").Observe(2)
	stages.WithLabelValues("index").Observe(3)
	stages.WithLabelValues("index").Observe(4)
	fresh.Observe(0.5)
	done.WithLabelValues("a").Add(2)
	done.WithLabelValues("b").Add(5)

	var looks atomic.Int64
	later := func(w http.ResponseWriter) bool { // the first looks come too early
		if looks.Add(1) < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return false
		}
		return true
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { later(w) })
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		if later(w) {
			json.NewEncoder(w).Encode(map[string]any{"ready": true, "refresh_queue": 4, "artifacts": looks.Load(), "training": map[string]any{"phase": "idle"}}) //nolint:errcheck // the test misses it
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("POST /do", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	mux.HandleFunc("POST /refuse", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such model", http.StatusConflict) })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "it broke", http.StatusInternalServerError)
	})
	mux.HandleFunc("POST /die", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(os.Stderr, "the disk is full")
		exit <- 4
	})
	go func() {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(addr, mux))
		exit <- 5
	}()
	return <-exit
}

// newFake is an Instance whose kilim is this test binary.
func newFake(t *testing.T, flags ...string) *Instance {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewInstance(self, filepath.Join(t.TempDir(), "data"), "", flags...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// serve starts a daemon that is ready, and closes it in the end.
func serve(t *testing.T, i *Instance) *Process {
	t.Helper()
	p, err := i.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() }) //nolint:errcheck // the test has judged its end
	ctx, cancel := p.Alive(t.Context())
	defer cancel()
	if err := i.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}
