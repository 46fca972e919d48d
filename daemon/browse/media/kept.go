package media

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// keptBytes bounds the pictures in memory, keptItems their number together with the failures that are remembered, for failedFor each.
	keptBytes = 64 << 20
	keptItems = 16 << 10
	failedFor = time.Minute
)

// kept are the pictures made last, and what could not be had. The least recently asked for goes first.
type kept struct {
	now   func() time.Time
	lock  sync.Mutex
	items *simplelru.LRU[string, item]
	bytes int
}

type item struct {
	picture *Medium
	err     error
	until   time.Time // of a failure
}

func newKept(now func() time.Time) (*kept, error) {
	k := &kept{now: now}
	var err error
	k.items, err = simplelru.NewLRU(keptItems, func(_ string, i item) { k.bytes -= i.size() })
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return k, nil
}

func (k *kept) get(key string) (p *Medium, ok bool, err error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	i, ok := k.items.Get(key)
	if ok && i.err != nil && k.now().After(i.until) {
		k.items.Remove(key)
		ok = false
	}
	if !ok {
		return nil, false, nil
	}
	return i.picture, true, i.err
}

func (k *kept) put(key string, p *Medium, err error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.items.Remove(key) // which tells of its bytes, and Add over it would not
	i := item{p, err, k.now().Add(failedFor)}
	k.bytes += i.size()
	k.items.Add(key, i)
	for k.bytes > keptBytes {
		k.items.RemoveOldest()
	}
}

func (i item) size() int {
	if i.picture == nil {
		return 0
	}
	return len(i.picture.Data)
}
