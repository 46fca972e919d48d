package daemonproc

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wantError fails the test unless an error says all that is wanted.
func wantError(t *testing.T, err error, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v, want one that says %q", err, w)
		}
	}
}

func TestStopInOrder(t *testing.T) {
	i := newFake(t)
	for range 2 { // the second daemon serves at the addresses of the first
		p := serve(t, i)
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		if u := p.Usage(); u.PeakMB <= 0 || u.CPUSeconds < 0 {
			t.Errorf("%+v", u)
		}
		if err := p.Close(); err != nil {
			t.Errorf("close after stop: %v", err)
		}
	}
}

func TestMemory(t *testing.T) {
	p := serve(t, newFake(t))
	if m, err := p.Memory(); err != nil || m.Own <= 0 || m.Mapped <= 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if m, err := p.Memory(); err == nil {
		t.Errorf("a process that has ended has %+v", m)
	}
}

func TestStopTellsAFault(t *testing.T) {
	wantError(t, serve(t, newFake(t, "--on-term", "fail")).Stop(), "exit status 3", "the last commit failed")
}

func TestCloseDoesNotMindHowItEnds(t *testing.T) {
	if err := serve(t, newFake(t, "--on-term", "fail")).Close(); err != nil {
		t.Error(err)
	}
}

func TestDeafToSIGTERM(t *testing.T) {
	for name, end := range map[string]func(*Process) error{"stop": (*Process).Stop, "close": (*Process).Close} {
		p := serve(t, newFake(t, "--on-term", "nothing"))
		p.grace = 20 * time.Millisecond // it does not end by SIGTERM, however long
		err := end(p)
		if name == "stop" {
			wantError(t, err, "has not ended")
		} else if err != nil {
			t.Errorf("close: %v", err)
		}
		wantError(t, p.Failure(), "killed")
	}
}

func TestKill(t *testing.T) {
	p := serve(t, newFake(t))
	wantError(t, p.Explain(errors.New("too slow")), "too slow; its log", "starting")
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestDeath: what waits for a daemon that has died learns why, from this daemon's part of the log.
func TestDeath(t *testing.T) {
	i := newFake(t)
	p := serve(t, i)
	alive, cancel := p.Alive(t.Context())
	defer cancel()
	if err := i.Post(alive, "/die"); err == nil {
		t.Error("it answered, and should have died")
	}
	err := i.Watch(alive, time.Millisecond, func(Look) bool { return false })
	wantError(t, err, "serve: exit status 4", "starting\nthe disk is full", i.Data+".serve.log")
	if _, err := i.Get(alive, "/api/v1/status", new(Status)); err == nil {
		t.Error("it answers after its death")
	} else {
		wantError(t, err, "the disk is full")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	wantError(t, p.Kill(), "exit status 4")
	wantError(t, p.Stop(), "exit status 4")

	if err := errors.New("no answer"); p.Explain(err) != err {
		t.Error("explained what Failure explains")
	}

	next := serve(t, i)
	if err := next.Kill(); err != nil {
		t.Error(err)
	}
	if err := next.Failure(); strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("told as its own what the daemon before has said: %v", err)
	}
}

func TestEndWithoutAFaultIsAFailureToo(t *testing.T) {
	p, err := Start(Command{Path: "true", Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, p.Failure(), "true: ended by itself")
}

// TestGroup: the children of a child end with it. The output of the child is theirs too, so it is read to its end only
// when all of them have ended.
func TestGroup(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := Start(Command{Path: "sh", Args: []string{"-c", "sleep 600 & echo started >&2; wait"}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	err = Poll(t.Context(), time.Millisecond, func() error {
		b, err := os.ReadFile(log)
		if err == nil && len(b) == 0 {
			err = errors.New("an empty log")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.end(syscall.SIGTERM, grace); err != nil {
		t.Error(err)
	}
}

func TestRun(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	shell := func(ctx context.Context, script string) (Result, error) {
		return Run(ctx, Command{Path: "sh", Args: []string{"-c", script}, Env: []string{"WORD=there"}, Log: log})
	}
	r, err := shell(t.Context(), "echo hello $WORD; echo apart >&2")
	if err != nil || string(r.Stdout) != "hello there\n" {
		t.Errorf("%q, %v", r.Stdout, err)
	}
	r, err = shell(t.Context(), "echo half; echo no more room >&2; exit 7")
	wantError(t, err, "exit status 7", "no more room")
	if string(r.Stdout) != "half\n" {
		t.Errorf("%q", r.Stdout)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = shell(ctx, "exec sleep 600")
	wantError(t, err, "enough")
	if _, err = Run(t.Context(), Command{Path: filepath.Join(t.TempDir(), "none"), Log: log}); err == nil {
		t.Error("started a program that is not there")
	}
}

func TestFreePorts(t *testing.T) {
	first, err := FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", Local(first+1))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	next, err := FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	if next <= first+1 && first+1 < next+3 {
		t.Errorf("ports from %d on, and %d is taken", next, first+1)
	}
}
