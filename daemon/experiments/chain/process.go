package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// grace is how long a process may take to end when asked to.
const grace = 30 * time.Second

// process is a child in a process group of its own: an interrupt at the
// terminal is for us, who end the children in order.
type process struct {
	name string
	cmd  *exec.Cmd
	out  bytes.Buffer
	log  string
	done chan struct{} // closed when it has ended; then err is set
	err  error
}

// usage is what an ended process and those that it waited for have used.
type usage struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMB     float64 `json:"peak_mb"` // resident, of the largest one
}

// startProcess starts a command. Its standard error goes to the file log, its
// standard output is kept.
func startProcess(log, path string, args, env []string) (*process, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the child has its own
	p := &process{name: filepath.Base(path), log: log, done: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// wait returns the standard output of a process that ends by itself, and
// ends it when ctx is over.
func (p *process) wait(ctx context.Context) ([]byte, error) {
	select {
	case <-p.done:
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("%s: %w", p.name, ctx.Err()), p.stop())
	}
	if p.err != nil {
		return nil, p.failure()
	}
	return p.out.Bytes(), nil
}

// failure is why a process ended, with the end of its log.
func (p *process) failure() error {
	err := p.err
	if err == nil {
		err = errors.New("ended early, without a fault")
	}
	return fmt.Errorf("%s: %w; its log ends with:\n%s", p.name, err, tail(p.log, 2000))
}

// stop ends the process and all of its group, and waits for it. Ended already is fine.
func (p *process) stop() error {
	var timer *time.Timer
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-p.done:
			return nil
		default:
		}
		if err := syscall.Kill(-p.cmd.Process.Pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end %s: %w", p.name, err)
		}
		timer = time.NewTimer(grace)
		select {
		case <-p.done:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	return fmt.Errorf("%s (process %d) does not end", p.name, p.cmd.Process.Pid)
}

// usage is known once the process has ended.
func (p *process) usage() usage {
	state := p.cmd.ProcessState
	u := usage{CPUSeconds: (state.UserTime() + state.SystemTime()).Seconds()}
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		u.PeakMB = float64(r.Maxrss) / 1024
	}
	return u
}

// run runs a command to its end.
func run(ctx context.Context, log, path string, args, env []string) ([]byte, usage, error) {
	p, err := startProcess(log, path, args, env)
	if err != nil {
		return nil, usage{}, err
	}
	out, err := p.wait(ctx)
	if err != nil {
		return nil, usage{}, err
	}
	return out, p.usage(), nil
}

func tail(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-n):])
}

// freePorts returns the first of n ports in a row that nobody listens on at this moment.
func freePorts(n int) (int, error) {
	const first, last = 20000, 30000 // below those that systems give to outgoing connections
search:
	for from := first + os.Getpid()%5000; from < last; from += n {
		for port := from; port < from+n; port++ {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				continue search
			}
			l.Close()
		}
		return from, nil
	}
	return 0, fmt.Errorf("no %d free ports in a row below %d", n, last)
}
