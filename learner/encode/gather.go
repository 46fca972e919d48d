package encode

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// fetches is the number of a batch's items that are fetched at once.
const fetches = 8

// gather brings the bytes of a batch. When there is no room for all, it takes fewer and puts the others back.
func (l *lane) gather(ctx context.Context, batch []*entry) (jobs []*job, answers []Answer, err error) {
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(fetches)
	reserved := false
	for i, e := range batch {
		source, err := l.w.state.Source(e.Task)
		if errors.Is(err, ErrOutdated) {
			l.w.queue.forget(e)
			continue
		}
		if errors.Is(err, graphstore.ErrDamaged) {
			l.w.log.Error("a medium is not encoded, for the document of its artifact is damaged; the artifact's next record replaces both", "kind", l.Kind, "err", err)
			l.w.queue.forget(e)
			continue
		}
		if err != nil {
			return nil, nil, errors.Join(err, g.Wait())
		}
		j := &job{entry: e, item: source.Item}
		if len(j.item.Data) > 0 || j.item.Text != "" || source.URI == "" {
			mu.Lock()
			jobs = append(jobs, j)
			mu.Unlock()
			continue
		}
		if !l.w.queue.admits(e, hostOf(source.URI), time.Now()) {
			continue
		}
		if !l.reserve(ctx, j, !reserved) {
			for _, e := range batch[i:] {
				l.w.queue.putBack(e)
			}
			break
		}
		reserved = true
		g.Go(func() error {
			answer := l.fetch(ctx, j, source.URI)
			mu.Lock()
			defer mu.Unlock()
			if answer != nil {
				answers = append(answers, *answer)
			} else if len(j.item.Data) > 0 {
				jobs = append(jobs, j)
			}
			return nil
		})
	}
	err = g.Wait()
	for _, j := range jobs {
		if j.item.Text != "" {
			j.content = graphstore.ContentOf([]byte(j.item.Text))
		} else {
			j.content = graphstore.ContentOf(j.item.Data)
		}
	}
	return jobs, answers, err
}

// reserve makes room for the largest item. Only the first of a batch may wait for it: who
// holds something must not wait for others who do.
func (l *lane) reserve(ctx context.Context, j *job, wait bool) bool {
	if !wait {
		if !l.w.bytes.TryAcquire(l.w.cfg.ItemBytes) {
			return false
		}
	} else if l.w.bytes.Acquire(ctx, l.w.cfg.ItemBytes) != nil {
		return false // ctx ended
	}
	j.size = l.w.cfg.ItemBytes
	return true
}

// fetch brings the bytes of a job and gives back the room that they do not need. It returns the answer
// when there are none and never will be; after a failure the task is back in the queue.
func (l *lane) fetch(ctx context.Context, j *job, uri string) *Answer {
	start := time.Now()
	data, err := l.w.fetcher.Fetch(ctx, l.Kind, uri)
	l.w.metrics.took(l.Kind, stepFetch, start)
	keep := min(int64(len(data)), j.size)
	if err != nil {
		keep = 0
	}
	l.w.bytes.Release(j.size - keep)
	j.size = keep
	if ctx.Err() == nil {
		l.hostAnswered(hostOf(uri), start, err)
	}
	if refusal, ok := feature.AsRefusal(err); ok {
		a := l.answer(j, nil, refusal)
		return &a
	}
	if err == nil && len(data) == 0 {
		a := l.answer(j, nil, feature.Refuse(feature.ReasonEmpty, "%s has no bytes", uri))
		return &a
	}
	if err != nil {
		l.fail(ctx, j, stepFetch, err)
		return nil
	}
	j.item.Data = data
	return nil
}

// hostAnswered tells the queue how a host fared that was asked at start.
func (l *lane) hostAnswered(host string, start time.Time, err error) {
	var away *feature.Unreachable
	if !errors.As(err, &away) {
		l.w.queue.hostWorks(host)
		return
	}
	if d := l.w.queue.hostFailed(host, start, time.Now(), l.w.cfg.Retry); d > 0 {
		l.w.log.Warn("a host of media does not answer; what is there waits, but for one at a time", "kind", l.Kind, "host", host, "again_in", d, "err", err)
	}
}
