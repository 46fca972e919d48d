// Package machine names where the figures of an experiment come from: Describe asks the kernel and git. It knows nothing of what is measured.
package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is where the figures come from.
type Machine struct {
	Processor string  `json:"processor"`
	Cores     int     `json:"cores"`
	MemoryGiB float64 `json:"memory_gib"`
	Load      string  `json:"load_before"` // averages of 1, 5 and 15 minutes before the run
	Go        string  `json:"go"`
	Revision  string  `json:"revision"`
}

func (m *Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %.0f GiB, load %s before; %s, kilim %s", m.Processor, m.Cores, m.MemoryGiB, m.Load, m.Go, m.Revision)
}

// Describe tells what it can find out; of the rest it says that it is unknown.
func Describe(ctx context.Context) Machine {
	m := Machine{Processor: "unknown processor", Cores: runtime.NumCPU(), Go: runtime.Version(), Load: "unknown", Revision: "unknown"}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := field(b, "model name"); name != "" {
			m.Processor = name
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib float64
		if _, err := fmt.Sscan(field(b, "MemTotal"), &kib); err == nil {
			m.MemoryGiB = kib / (1 << 20)
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	if b, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Revision = strings.TrimSpace(string(b))
	}
	return m
}

// field returns the value of the first line "name : value", empty when there is none.
func field(text []byte, name string) string {
	for line := range bytes.Lines(text) {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && string(bytes.TrimSpace(key)) == name {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}
