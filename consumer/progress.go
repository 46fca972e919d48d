package consumer

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// progress knows how far each assigned partition is.
type progress struct {
	gauge *prometheus.GaugeVec

	mu    sync.Mutex
	since time.Time // of the assignment; zero: none
	held  error     // why nothing is read; nil: no reason is known
	parts map[TopicPartition]*mark
}

// mark is a partition's place.
type mark struct {
	next  int64 // durable up to here
	end   int64 // of the log, as last heard
	known bool  // next and end are set: start was called
}

func (m *mark) lag() int64 { return max(0, m.end-m.next) }

func (p *progress) assign(parts []TopicPartition, now time.Time, held error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since, p.held = now, held
	p.parts = make(map[TopicPartition]*mark, len(parts))
	for _, tp := range parts {
		p.parts[tp] = &mark{}
	}
}

func (p *progress) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for tp := range p.parts {
		p.gauge.DeleteLabelValues(tp.Topic, strconv.Itoa(tp.Partition))
	}
	p.since, p.parts, p.held = time.Time{}, nil, nil
}

// hold tells why nothing is read, or that nothing is in the way any more.
func (p *progress) hold(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = reason
}

// ready is nil while the partitions are read.
func (p *progress) ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil && p.since.IsZero() {
		return errUnassigned
	}
	return p.held
}

// start tells where a partition is at its assignment.
func (p *progress) start(tp TopicPartition, next, end int64) {
	p.update(tp, func(m *mark) { m.next, m.end, m.known = next, end, true })
}

// grow tells of the log's end. It never moves back: answers may come late.
func (p *progress) grow(tp TopicPartition, end int64) {
	p.update(tp, func(m *mark) { m.end = max(m.end, end) })
}

func (p *progress) durable(tp TopicPartition, next int64) {
	p.update(tp, func(m *mark) { m.next, m.end = next, max(m.end, next) })
}

func (p *progress) update(tp TopicPartition, fn func(*mark)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.parts[tp]
	if m == nil {
		return // a late answer for a partition that was revoked
	}
	fn(m)
	if m.known {
		p.gauge.WithLabelValues(tp.Topic, strconv.Itoa(tp.Partition)).Set(float64(m.lag()))
	}
}

func (p *progress) end(tp TopicPartition) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.parts[tp]; m != nil {
		return m.end
	}
	return 0
}

func (p *progress) lag() map[TopicPartition]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	lag := make(map[TopicPartition]int64, len(p.parts))
	for tp, m := range p.parts {
		if m.known {
			lag[tp] = m.lag()
		}
	}
	return lag
}

func (p *progress) applied() map[TopicPartition]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make(map[TopicPartition]int64, len(p.parts))
	for tp, m := range p.parts {
		if m.known {
			next[tp] = m.next
		}
	}
	return next
}

func (p *progress) assigned() ([]TopicPartition, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := make([]TopicPartition, 0, len(p.parts))
	for tp := range p.parts {
		parts = append(parts, tp)
	}
	slices.SortFunc(parts, compare)
	return parts, p.since
}

func (p *progress) caughtUp() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.parts {
		if !m.known || m.lag() > 0 {
			return false
		}
	}
	return p.held == nil && !p.since.IsZero()
}

func compare(a, b TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
