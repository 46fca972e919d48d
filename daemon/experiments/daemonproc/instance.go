package daemonproc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// requestTimeout bounds one request over HTTP.
const requestTimeout = 30 * time.Second

// Instance is a state folder with the addresses at which it is served. It is fit for concurrent use.
type Instance struct {
	Kilim string // the binary
	Data  string // the state's folder; the logs of the daemon and of the commands are beside it, Data.serve.log and so on
	HTTP  string // where the daemon answers, host:port
	Kafka string // where the records come from, host:port
	// Flags are given to all commands that take the configuration: serve, feed and check.
	Flags []string

	embedded bool // the daemon brings its own broker
	client   http.Client
}

// NewInstance finds free ports for a state folder, which need not exist; that in which it is must. Kafka is host:port of a
// broker that runs, or empty: then the daemon embeds one.
func NewInstance(kilim, data, kafka string, flags ...string) (*Instance, error) {
	port, err := FreePorts(2)
	if err != nil {
		return nil, err
	}
	i := &Instance{Kilim: kilim, Data: data, HTTP: Local(port), Kafka: kafka, Flags: flags, client: http.Client{Timeout: requestTimeout}}
	if kafka == "" {
		i.Kafka, i.embedded = Local(port+1), true
	}
	return i, nil
}

// Serve starts a daemon.
func (i *Instance) Serve(flags ...string) (*Process, error) {
	where := []string{"--data", i.Data, "--http", i.HTTP, "--broker", i.broker()}
	return Start(i.command("serve", slices.Concat(where, flags, i.Flags)...))
}

// Feed feeds a file of records until it is at its end or ctx ends; both times it returns how many records the broker
// acknowledged. A rate of 0 has no bound.
func (i *Instance) Feed(ctx context.Context, file string, rate float64) (acknowledged int, err error) {
	args := append([]string{file, "--broker", i.broker()}, i.Flags...)
	if rate > 0 {
		args = append(args, "--rate", strconv.FormatFloat(rate, 'f', -1, 64))
	}
	r, err := Run(ctx, i.command("feed", args...))
	if err != nil && ctx.Err() == nil {
		return 0, err
	}
	if _, bad := fmt.Sscanf(string(r.Stdout), "%d records acknowledged", &acknowledged); bad != nil {
		return 0, errors.Join(err, fmt.Errorf("daemonproc: kilim feed printed %q: %w", r.Stdout, bad))
	}
	return acknowledged, err
}

// Settle waits until the daemon has done everything, and returns its status as JSON.
func (i *Instance) Settle(ctx context.Context) ([]byte, error) {
	r, err := Run(ctx, i.command("status", "--wait", "--json", "--http", i.HTTP))
	return r.Stdout, err
}

// Check runs `kilim check` over the folder, which no daemon may have open, and returns what is wrong with it; empty: nothing.
func (i *Instance) Check(ctx context.Context) (faults string, err error) {
	r, err := Run(ctx, i.command("check", append([]string{"--data", i.Data, "--log.level", "error"}, i.Flags...)...))
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &exit) || exit.ExitCode() != 1:
		return "", err
	}
	if faults = strings.TrimSpace(string(r.Stdout)); faults == "" {
		faults = err.Error() // a folder that can't be opened is a fault too
	}
	return faults, nil
}

func (i *Instance) command(name string, args ...string) Command {
	return Command{Path: i.Kilim, Args: append([]string{name}, args...), Log: i.Data + "." + name + ".log"}
}

// broker is the value of --broker.
func (i *Instance) broker() string {
	if i.embedded {
		return "embedded://" + i.Kafka
	}
	return i.Kafka
}
