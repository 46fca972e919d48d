package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// site is where one daemon lives: its folder and addresses stay over its restarts.
type site struct {
	kilim      string // the binary
	data       string
	http       string
	broker     string
	partitions int
	flags      []string // of the computation, given to serve and check alike
}

// newSite makes the folder and finds free ports.
func newSite(kilim, dir string, partitions int) (*site, error) {
	// Pictures are enough to be cut off while they are encoded: a recording takes ten times as long.
	s := &site{kilim: kilim, data: filepath.Join(dir, "data"), partitions: partitions,
		flags: []string{"--index.engine", "flat", "--encoders.audio.kind", "none", "--refresh.epsilon", "0", "--refresh.sweep", "0", "--lists.tolerance", "0"}}
	if err := os.MkdirAll(s.data, 0o755); err != nil {
		return nil, err
	}
	if err := s.addModels(); err != nil {
		return nil, err
	}
	for _, addr := range []*string{&s.http, &s.broker} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a port: %w", err)
		}
		defer ln.Close()
		*addr = ln.Addr().String()
	}
	return s, nil
}

// child is a running daemon.
type child struct {
	cmd  *exec.Cmd
	log  *os.File
	site *site
	exit chan struct{} // closed when it has ended; then err is set
	err  error
}

func (s *site) start() (*child, error) {
	log, err := os.OpenFile(s.data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--data", s.data, "--http", s.http, "--broker", "embedded://" + s.broker,
		"--kafka.partitions", fmt.Sprint(s.partitions)}, s.flags...)
	c := &child{cmd: exec.Command(s.kilim, args...), log: log, site: s, exit: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the daemon: %w", err), log.Close())
	}
	go func() {
		c.err = c.cmd.Wait()
		log.Close()
		close(c.exit)
	}()
	return c, nil
}

// ready waits until the daemon answers queries. It fails when the daemon ends by itself.
func (c *child) ready(ctx context.Context) error {
	for {
		select {
		case <-c.exit:
			return c.ended()
		case <-ctx.Done():
			return fmt.Errorf("the daemon is not ready: %w; see %s", context.Cause(ctx), c.log.Name())
		case <-time.After(10 * time.Millisecond):
		}
		res, err := http.Get("http://" + c.site.http + "/-/ready")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

func (c *child) ended() error {
	return fmt.Errorf("the daemon ended by itself (%v); see %s", c.err, c.log.Name())
}

// kill ends the process with SIGKILL. An end that came before is an error.
func (c *child) kill() error {
	select {
	case <-c.exit:
		return c.ended()
	default:
	}
	err := c.cmd.Process.Signal(syscall.SIGKILL)
	<-c.exit
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil || !ok || !status.Signaled() {
		return c.ended()
	}
	return nil
}

// stop ends it in order, as an operator would.
func (c *child) stop(patience time.Duration) error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return c.ended()
	}
	select {
	case <-c.exit:
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("the daemon did not stop within %v; see %s", patience, c.log.Name()), c.kill())
	}
	if c.err != nil {
		return c.ended()
	}
	return nil
}

// wait returns once the daemon has done everything, and gives its status.
func (s *site) wait(ctx context.Context, patience time.Duration) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.kilim, "status", "--http", "http://"+s.http, "--wait", "--timeout", patience.String(), "--json")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kilim status --wait: %w", err)
	}
	return out, nil
}

// check runs `kilim check`, and returns what it found wrong.
func (s *site) check(ctx context.Context) (string, error) {
	args := append([]string{"check", "--data", s.data, "--log.level", "error"}, s.flags...)
	out, err := exec.CommandContext(ctx, s.kilim, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return string(out), nil
	}
	return "", fmt.Errorf("kilim check: %w\n%s", err, out)
}
