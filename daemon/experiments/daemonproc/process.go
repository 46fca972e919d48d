package daemonproc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	grace     = time.Minute // for a process to end when it is asked to
	killGrace = time.Minute // for a process to be gone when it is killed
)

// tailBytes is how much of a log is shown when its process fails.
const tailBytes = 2000

// Command is a program to be run.
type Command struct {
	Path string
	Args []string
	Env  []string // beside this process's own
	Log  string   // the file to which standard error is appended
}

// Process is a child. It is fit for concurrent use.
type Process struct {
	name  string
	cmd   *exec.Cmd
	out   bytes.Buffer
	log   string
	from  int64         // where this process's part of the log begins
	grace time.Duration // after SIGTERM

	done chan struct{} // closed when the process has ended; err and out are set then
	err  error
}

// Usage is what an ended process, and those that it waited for, have used.
type Usage struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMB     float64 `json:"peak_mb"` // resident, of the largest process
}

// Start starts a command. Its standard output is kept for Run.
func Start(c Command) (*Process, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("daemonproc: %w", err)
	}
	defer log.Close() // the child has its own
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("daemonproc: %w", err)
	}
	p := &Process{name: filepath.Base(c.Path), log: c.Log, from: info.Size(), grace: grace, done: make(chan struct{})}
	if len(c.Args) > 0 {
		p.name += " " + c.Args[0]
	}
	p.cmd = exec.Command(c.Path, c.Args...)
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("daemonproc: start %s: %w", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Result is what Run gives.
type Result struct {
	Stdout []byte
	Usage  Usage
}

// Run runs a command to its end, and ends it when ctx is over. The Result is also set when Run fails: it has what the
// command had printed by then.
func Run(ctx context.Context, c Command) (Result, error) {
	p, err := Start(c)
	if err != nil {
		return Result{}, err
	}
	select {
	case <-p.done:
		if p.err != nil {
			err = p.Failure()
		}
	case <-ctx.Done():
		closed := p.Close() // before the log is read: an interrupted command tells there how far it has come
		err = errors.Join(fmt.Errorf("%s: %w%s", p.name, context.Cause(ctx), p.tail()), closed)
	}
	if !p.ended() {
		return Result{}, err
	}
	return Result{p.out.Bytes(), p.Usage()}, err
}

func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Alive returns a context for what needs the process: it ends with ctx, or when the process has ended, with its Failure
// as the cause.
func (p *Process) Alive(ctx context.Context) (context.Context, context.CancelFunc) {
	alive, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-p.done:
			cancel(p.Failure())
		case <-alive.Done():
		}
	}()
	return alive, func() { cancel(nil) }
}

// Failure says how the process has ended, with the last lines of its log. Failure waits for the end.
func (p *Process) Failure() error {
	<-p.done
	err := p.err
	if err == nil {
		err = errors.New("ended by itself, without a fault")
	}
	return fmt.Errorf("%s: %w%s", p.name, err, p.tail())
}

// Explain adds the last lines of the log to an error of somebody who uses the process. A process that has ended has them in
// its Failure, so Explain leaves the error as it is.
func (p *Process) Explain(err error) error {
	if p.ended() {
		return err
	}
	return fmt.Errorf("%w%s", err, p.tail())
}

// tail is the end of what this process has written to its log.
func (p *Process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("; its log can't be read: %v", err)
	}
	text := strings.TrimSpace(string(b[max(int64(len(b)-tailBytes), min(p.from, int64(len(b)))):]))
	if text == "" {
		return ""
	}
	return fmt.Sprintf("; its log, %s, ends with:\n%s", p.log, text)
}

// Stop ends the process as an operator would, with SIGTERM. Stop fails when the process had ended by itself, when it ends with
// a fault, and when it does not end; then Stop kills it.
func (p *Process) Stop() error {
	if p.ended() {
		return p.Failure()
	}
	if err := p.end(syscall.SIGTERM, p.grace); err != nil {
		return errors.Join(err, p.end(syscall.SIGKILL, killGrace))
	}
	if p.err != nil {
		return p.Failure()
	}
	return nil
}

// Kill ends the process with SIGKILL. Kill fails when the process had ended by itself.
func (p *Process) Kill() error {
	if !p.ended() {
		if err := p.end(syscall.SIGKILL, killGrace); err != nil {
			return err
		}
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return p.Failure()
	}
	return nil
}

// Close makes sure that the process and those of its group are gone: by SIGTERM, and SIGKILL if that does not do. How the
// process ends, or has ended, is no error of Close: Stop and Alive tell that.
func (p *Process) Close() error {
	if p.ended() || p.end(syscall.SIGTERM, p.grace) == nil {
		return nil
	}
	return p.end(syscall.SIGKILL, killGrace)
}

// end sends a signal to the process's group and waits up to patience for the process to end.
func (p *Process) end(signal syscall.Signal, patience time.Duration) error {
	if err := syscall.Kill(-p.cmd.Process.Pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%s: send it %v: %w", p.name, signal, err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("%s (process %d) has not ended %v after %v", p.name, p.cmd.Process.Pid, patience, signal)
	}
}

// Usage waits for the end of the process.
func (p *Process) Usage() Usage {
	<-p.done
	state := p.cmd.ProcessState
	u := Usage{CPUSeconds: (state.UserTime() + state.SystemTime()).Seconds()}
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		u.PeakMB = float64(r.Maxrss) / 1024
	}
	return u
}
