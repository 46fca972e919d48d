// Package held tells what memory this process has, by part: what its objects take, what the collector keeps beside them, and what is mapped of
// files. Package memory divides what it may take; what it does take, and why, is seen here.
package held

import (
	"runtime/metrics"

	"github.com/prometheus/procfs"
)

// Memory is what a process has, in bytes. Live, Garbage, Free and Other are of the Go runtime's own account; Own and Mapped are of the
// kernel's, and 0 where it keeps none. Own falls short of their sum by what was reserved and has not been written yet.
type Memory struct {
	// Live is what the last collection found in use; Garbage has been allocated since, in use or not: by its percentage of Live
	// (GOGC) the collector waits before it begins anew.
	Live, Garbage uint64
	// Free is kept for objects to come: spans without any, and the room in others that their objects leave.
	Free uint64
	// Other are stacks, and what the runtime keeps of all this.
	Other uint64
	// Own is resident and of no file, Mapped resident pages of files, which the kernel takes back when it needs them.
	Own, Mapped uint64
}

// The runtime's account.
const (
	objects  = "/memory/classes/heap/objects:bytes"
	live     = "/gc/heap/live:bytes"
	unused   = "/memory/classes/heap/unused:bytes"
	free     = "/memory/classes/heap/free:bytes"
	released = "/memory/classes/heap/released:bytes"
	total    = "/memory/classes/total:bytes"
)

// Now looks at this process. It stops nothing and takes microseconds.
func Now() Memory {
	names := [...]string{objects, live, unused, free, released, total}
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	of := make(map[string]uint64, len(names))
	for i, name := range names {
		of[name] = samples[i].Value.Uint64()
	}
	// Live is of the last collection, objects of now: what is swept since may make them fewer.
	m := Memory{Live: min(of[live], of[objects]), Free: of[unused] + of[free]}
	m.Garbage = of[objects] - m.Live
	m.Other = of[total] - of[released] - of[objects] - m.Free
	if self, err := procfs.Self(); err == nil {
		if s, err := self.NewStatus(); err == nil {
			m.Own, m.Mapped = s.RssAnon, s.RssFile
		}
	}
	return m
}
