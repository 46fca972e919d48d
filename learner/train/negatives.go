package train

import (
	"fmt"
	"math"

	"kilim/learner/tensor/tape"
)

// Negatives weights the keys in the queue. Keys of the same culture weigh as much as others: the prototypes hold
// cultures together, and with less weight for these keys (0.2) the halves of Walters' records found each other less
// often (MRR 0.094 instead of 0.108), and the neighbours' cultures were no more often right.
type Negatives struct {
	// Hard is the weight of hard negatives, 1 or more: keys of other cultures whose cosine is more than Beyond standard
	// deviations above the mean.
	Hard, Beyond float64
}

func (n Negatives) validate() error {
	if !(n.Hard >= 1 && n.Hard <= 100) {
		return fmt.Errorf("train: negatives: hard %v: must be in 1..100", n.Hard)
	}
	if !(n.Beyond >= 0 && n.Beyond <= 10) {
		return fmt.Errorf("train: negatives: beyond %v standard deviations: must be in 0..10", n.Beyond)
	}
	return nil
}

const unknownCulture = -1

// queueOwners knows which artifact each key in the queue is of. It is the tape.Weigher of the present batch.
type queueOwners struct {
	set      *Set
	weights  Negatives
	artifact []int32 // [slot], below 0: a seeded key
	culture  []int32 // [slot]
	slots    [][]int32
	pairs    []Pair
}

func newOwners(set *Set, weights Negatives, queue int) *queueOwners {
	o := &queueOwners{set: set, weights: weights, artifact: make([]int32, queue), culture: make([]int32, queue), slots: make([][]int32, len(set.artifacts))}
	for i := range o.artifact {
		o.artifact[i], o.culture[i] = -1, unknownCulture
	}
	return o
}

// put sets the artifact of the key in a slot of the queue.
func (o *queueOwners) put(place int, artifact int32) {
	if old := o.artifact[place]; old >= 0 {
		list := o.slots[old]
		for i, p := range list {
			if int(p) == place {
				list[i] = list[len(list)-1]
				o.slots[old] = list[:len(list)-1]
				break
			}
		}
	}
	o.artifact[place], o.culture[place] = artifact, unknownCulture
	if artifact >= 0 {
		o.slots[artifact] = append(o.slots[artifact], int32(place))
		if c := o.set.artifacts[artifact].Culture; c >= 0 {
			o.culture[place] = c
		}
	}
}

// Weigh implements tape.Weigher for the fusion's queue, all of whose places have a key.
func (o *queueOwners) Weigh(i int, cosines, weights []float32) { o.weigh(i, cosines, weights, nil) }

// Among implements moco.Weigher.
func (o *queueOwners) Among(there []bool) tape.Weigher { return &ownersAmong{o, there} }

// ownersAmong is the tape.Weigher of a queue in which only some places have a key.
type ownersAmong struct {
	*queueOwners
	there []bool
}

func (o *ownersAmong) Weigh(i int, cosines, weights []float32) {
	o.weigh(i, cosines, weights, o.there)
}

// weigh weighs the keys that are there, all if there is nil.
func (o *queueOwners) weigh(i int, cosines, weights []float32, there []bool) {
	pair := o.pairs[i]
	own := o.set.artifacts[pair.Query].Culture
	near := float32(math.Inf(1))
	if o.weights.Hard > 1 && own >= 0 {
		near = hardThreshold(cosines, there, o.weights.Beyond)
	}
	hard := float32(o.weights.Hard)
	for j, c := range o.culture {
		weights[j] = 1
		if own >= 0 && c >= 0 && c != own && cosines[j] > near {
			weights[j] = hard
		}
	}
	o.exclude(pair.Query, weights)
	if pair.Key != pair.Query {
		o.exclude(pair.Key, weights)
	}
}

// exclude gives weight 0 to the keys of an artifact and of those related to it.
func (o *queueOwners) exclude(artifact int32, weights []float32) {
	for _, place := range o.slots[artifact] {
		weights[place] = 0
	}
	for _, node := range o.set.artifacts[artifact].Related {
		if a := o.set.artifactOf[node]; a >= 0 {
			for _, place := range o.slots[a] {
				weights[place] = 0
			}
		}
	}
}

// hardThreshold is so many standard deviations above the mean of those of x that are there.
func hardThreshold(x []float32, there []bool, deviations float64) float32 {
	var sum, square float64
	n := 0
	for j, v := range x {
		if there != nil && !there[j] {
			continue
		}
		sum += float64(v)
		square += float64(v) * float64(v)
		n++
	}
	mean := sum / float64(max(n, 1))
	return float32(mean + deviations*math.Sqrt(max(square/float64(max(n, 1))-mean*mean, 0)))
}
