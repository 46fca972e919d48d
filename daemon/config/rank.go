package config

import "kilim/rerank/rank"

// Rank is what is learned from judgments.
type Rank struct {
	Least int `default:"25" min:"0" max:"1000000" help:"Groups of artifacts that people must have judged alike for the order of lists to be learned from judgments, 10 or more; 0 learns nothing. What judgments join is one group. With fewer than 25, what is held out can hardly tell a better order from a worse one."`
}

func (r *Rank) check() (faults []*Fault) {
	if r.Least != 0 && r.Least < rank.LeastQueries {
		faults = append(faults, faultf("rank.least", "%d: want %d or more, or 0 to learn nothing from judgments", r.Least, rank.LeastQueries))
	}
	return faults
}
