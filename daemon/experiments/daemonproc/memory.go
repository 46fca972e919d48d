package daemonproc

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Memory is what a process has in memory at a moment, in MiB.
type Memory struct {
	Own    float64 // heap, stacks and the like
	Mapped float64 // of files, whose pages the kernel takes back when it needs them
}

// Memory asks the kernel. It fails once the process has ended.
func (p *Process) Memory() (Memory, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return Memory{}, fmt.Errorf("%s: its memory: %w", p.name, err)
	}
	var m Memory
	for _, field := range []struct {
		name string
		into *float64
	}{{"RssAnon", &m.Own}, {"RssFile", &m.Mapped}} {
		if *field.into, err = statusField(raw, field.name); err != nil {
			return Memory{}, fmt.Errorf("%s: its memory: %w", p.name, err)
		}
	}
	return m, nil
}

// statusField reads a field in kB of /proc/PID/status.
func statusField(raw []byte, name string) (mb float64, err error) {
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		value, found := strings.CutPrefix(lines.Text(), name+":")
		if !found {
			continue
		}
		kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
		return kb / 1024, err
	}
	return 0, fmt.Errorf("no %s", name) // a zombie has none
}

// sampleEvery is the time between two looks at a process's memory.
const sampleEvery = 10 * time.Millisecond

// WatchMemory looks at the memory until the process ends or stop is called; stop returns the most of each kind that was seen.
func (p *Process) WatchMemory() (stop func() (most Memory)) {
	end, ended := make(chan struct{}), make(chan struct{})
	var most Memory
	go func() {
		defer close(ended)
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			m, err := p.Memory()
			if err != nil {
				return // it has ended, which others tell
			}
			most.Own, most.Mapped = max(most.Own, m.Own), max(most.Mapped, m.Mapped)
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	return func() Memory {
		close(end)
		<-ended
		return most
	}
}
