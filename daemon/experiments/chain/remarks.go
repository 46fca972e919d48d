package main

import (
	"fmt"
	"maps"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/stats"
)

// remarks say what the figures hold and what they don't, in sentences.
func (r *report) remarks() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if c := r.throughput; c != nil {
		say("What dominates kilim under load, an artifact: %s.", dominant(medianStages(c.ours, workStages), 4))
		for i, v := range c.variants {
			say("What dominates %s: %s.", v.name, dominant(medianStages(c.peers[i], peerStages), 4))
		}
		say("kilim from the start, s: every record durable %.2f, every newcomer's update published %.2f, nothing left to refresh %.2f (%.0f pieces of refresh work were left at the first of these; the peer has no such work and leaves document frequencies and lists of earlier artifacts as they were).",
			stats.MedianOf(c.ours, func(o *ourRun) float64 { return o.DurableSeconds }),
			stats.MedianOf(c.ours, func(o *ourRun) float64 { return o.PublishedSeconds }),
			stats.MedianOf(c.ours, func(o *ourRun) float64 { return o.SettledSeconds }),
			stats.MedianOf(c.ours, func(o *ourRun) float64 { return float64(o.QueueLeft) }))
		say("Messages published for %d artifacts: kilim %.0f until settled, since lists that a newcomer entered are published too; the peer %d.",
			r.artifacts, stats.MedianOf(c.ours, func(o *ourRun) float64 { return float64(o.Updates) }), r.artifacts)
		say("Candidates: kilim's are of its default index, an HNSW whose recall is watched while it serves; the peer's hnswlib found %.3f (%s) and %.3f (%s) of the ten nearest among its 201.",
			stats.MedianOf(c.peers[0], recall), c.variants[0].name, stats.MedianOf(c.peers[1], recall), c.variants[1].name)
	}
	if c := r.latency; c != nil {
		say("What dominates kilim at %g/s, an artifact: %s; %d artifacts in %.0f batches, and %.0f units of background refresh beside them. Second half's p50 %.1f ms: far above the p50, it would say that a queue grows.",
			r.options.rate, dominant(medianStages(c.ours, workStages), 4),
			r.options.measured, stats.MedianOf(c.ours, func(o *ourRun) float64 { return float64(o.Batches) }),
			stats.MedianOf(c.ours, func(o *ourRun) float64 { return o.Units }),
			stats.MedianOf(c.ours, func(o *ourRun) float64 { return o.LateHalfP50 }))
		say("kilim's slowest batches of the last round, ms from the record's time to Kafka's answer (before it could be applied + waiting for the turn + applied + delivered): %s.", daemonproc.Told(c.ours[len(c.ours)-1].Slowest))
	}
	return append(out,
		"Not done by the peer: a change feed to artifacts already there; lists kept and compared; a restart that goes on (its graph is written and never read); updates neither lost nor repeated by a crash (outbox, reconciliation); replacement, deletion, links, placeholders; checks of records and dead letters; collections, techniques and media as nodes; the parts of each score beyond cosines.",
		"Not done by kilim at this point: theme scores (the peer adds four cosines of 32-wide projections). Weights of both are seeded: kilim's training is switched off here (make bench-training measures it).",
		"Both: one synced write a batch, acks=all, top 10 of some 200 candidates, a topic of one partition, batches of what is there up to a bound.")
}

// workStages leaves out the stage that waits for records to come.
func workStages(r *ourRun) map[string]float64 {
	out := maps.Clone(r.Stages)
	delete(out, "fetch")
	return out
}

func recall(p *peerRun) float64 { return p.Recall }
