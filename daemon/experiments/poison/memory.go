package main

import (
	"time"

	"kilim/daemon/experiments/daemonproc"
)

// sampleEvery is the time between two looks at a process's memory.
const sampleEvery = 10 * time.Millisecond

// watchMemory looks at a process's own memory until the process ends or stop is called; stop returns the most that was seen.
func watchMemory(p *daemonproc.Process) (stop func() (mostMB float64)) {
	end, ended := make(chan struct{}), make(chan struct{})
	most := 0.0
	go func() {
		defer close(ended)
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			m, err := p.Memory()
			if err != nil {
				return // it has ended, which others tell
			}
			most = max(most, m.Own)
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	return func() float64 {
		close(end)
		<-ended
		return most
	}
}
