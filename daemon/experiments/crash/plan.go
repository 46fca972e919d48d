package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"kilim/consumer/profile"
	"kilim/daemon/demo"
)

// op is one record of the feed.
type op struct {
	seq       int // its place in the plan, and its header feed_seq
	partition int
	key       []byte // nil: none
	value     []byte // nil: a tombstone
	id        string // the artifact's; "" of a bad record
	reason    string // why it will be refused; "" of a good one
}

// plan is what is fed, and what must come of it.
type plan struct {
	ops     []op
	live    map[string][]byte // id to the last JSON
	deleted map[string]bool   // ids that are gone at the end
	refused map[int]string    // seq to reason
}

// Shares of the feed, in 100.
const (
	shareReplace = 14
	shareDelete  = 7
	shareReturn  = 3
	shareBad     = 4
)

// newPlan makes a feed that inserts so many artifacts, with everything else mixed
// in, and goes on for a while after the last insert.
func newPlan(artifacts, partitions int, seed uint64) (*plan, error) {
	p := &plan{live: map[string][]byte{}, deleted: map[string]bool{}, refused: map[int]string{}}
	rng := rand.New(rand.NewPCG(seed, 0))
	// The second half of the archive are the other forms of the first.
	var records [][]byte
	err := demo.Each(demo.Options{Artifacts: 2 * artifacts, Seed: seed, Media: true}, func(record []byte, _ string) error {
		records = append(records, record)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var live, gone []string
	add := func(o op) {
		o.seq = len(p.ops)
		o.partition = o.seq % partitions
		if o.key != nil {
			h := fnv.New32a()
			h.Write(o.key)
			o.partition = int(h.Sum32() % uint32(partitions))
		}
		p.ops = append(p.ops, o)
	}
	put := func(id string, value []byte) {
		p.live[id] = value
		delete(p.deleted, id)
		add(op{key: []byte(id), value: value, id: id})
	}
	another := func(id string) []byte {
		for {
			i := artifacts + rng.IntN(artifacts)
			value := bytes.Replace(records[i], quoted(demo.ID(i)), quoted(id), 1)
			if !bytes.Contains(value, append([]byte(`"target":`), quoted(id)...)) { // would be refused
				return value
			}
		}
	}
	next := 0
	for tail := artifacts / 5; next < artifacts || tail > 0; {
		if next == artifacts {
			tail--
		}
		dice := rng.IntN(100)
		switch {
		case dice < shareBad:
			o := badRecord(rng, live)
			p.refused[len(p.ops)] = o.reason
			add(o)
		case dice < shareBad+shareDelete && len(live) > 1:
			i := rng.IntN(len(live))
			id := live[i]
			live = append(live[:i], live[i+1:]...)
			gone = append(gone, id)
			delete(p.live, id)
			p.deleted[id] = true
			add(op{key: []byte(id), id: id})
		case dice < shareBad+shareDelete+shareReturn && len(gone) > 0:
			i := rng.IntN(len(gone))
			id := gone[i]
			gone = append(gone[:i], gone[i+1:]...)
			live = append(live, id)
			put(id, another(id))
		case dice < shareBad+shareDelete+shareReturn+shareReplace && len(live) > 0:
			id := live[rng.IntN(len(live))]
			put(id, another(id))
		case next < artifacts:
			id := demo.ID(next)
			put(id, records[next])
			live = append(live, id)
			next++
		}
	}
	return p, nil
}

func quoted(s string) []byte { return []byte(`"` + s + `"`) }

// badRecord makes one that can't be used. Some have the key of a live artifact, which
// must stay as it is.
func badRecord(rng *rand.Rand, live []string) op {
	id := fmt.Sprintf("bad:%d", rng.IntN(1000))
	if len(live) > 0 && rng.IntN(2) == 0 {
		id = live[rng.IntN(len(live))]
	}
	form := func(reason, json string) op {
		return op{key: []byte(id), value: []byte(strings.ReplaceAll(json, "ID", id)), reason: reason}
	}
	switch rng.IntN(8) {
	case 0:
		return form(profile.ReasonNotJSON, `{"id":"ID","title":`)
	case 1:
		return form(profile.ReasonNotUTF8, "{\"id\":\"ID\",\"title\":\"\xff\xfe\"}")
	case 2:
		return form(profile.ReasonNotObject, `["ID"]`)
	case 3:
		return form(profile.ReasonWrongType, `{"id":"ID","title":17}`)
	case 4:
		return form(profile.ReasonMediaEmpty, `{"id":"ID","media":[{"kind":"image"}]}`)
	case 5:
		return form(profile.ReasonBadBase64, `{"id":"ID","media":[{"kind":"image","data":"?"}]}`)
	case 6:
		return form(profile.ReasonIDMismatch, `{"id":"another-than-ID"}`)
	default:
		return op{value: []byte(`{"title":"nobody's"}`), reason: profile.ReasonNoID}
	}
}
