package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// killer makes lives and ends them.
type killer struct {
	instance *instance
	feeder   *feeder
	report   *report
	out      io.Writer
	rng      *rand.Rand
	backups  backups
	model    int           // the one asked for last
	start    time.Duration // the last time from start to ready
	span     time.Duration
	patience time.Duration
}

// Of 100 lives so many end while the daemon starts, after so many the folder is checked, in so many of the others another
// model is asked for.
const (
	shareStart = 30
	shareCheck = 12
	shareModel = 25
)

// What a short test might miss by chance comes in turn: of trainEvery lives the last trains a model; of restoreEvery lives the
// folder is copied after the one of number backupAt, and one of the copies is put back after the last.
const (
	trainEvery   = 10
	restoreEvery = 7
	backupAt     = 3
)

// life starts the daemon, feeds up to so many ops, and kills it at a random moment.
func (k *killer) life(ctx context.Context, number, upto int) error {
	chance := func(share int) bool { return k.rng.IntN(100) < share }
	trains := number%trainEvery == trainEvery-1
	inStart, checked := chance(shareStart) && number > 0 && !trains, chance(shareCheck)
	moment := k.rng.Float64()
	// No training begins while another model is made.
	another := chance(shareModel) && !inStart && !trains
	if another {
		k.model = firstModel + otherModel - k.model
	}
	daemon, err := k.instance.serve(trains)
	if err != nil {
		return err
	}
	began := time.Now()
	alive, release := daemon.Alive(ctx)
	defer release()
	feeding, cut := context.WithCancel(ctx)
	fed := make(chan error, 1)
	go func() { fed <- k.feeder.feed(feeding, upto) }()
	wait := time.Duration(moment * float64(k.start))
	if !inStart {
		limited, cancel := context.WithTimeout(alive, k.patience)
		err = k.instance.Ready(limited)
		cancel()
		k.start = time.Since(began)
		wait = time.Duration(moment * float64(k.span))
		if err == nil && another {
			k.report.Promotions++
			err = k.instance.promote(alive, k.model)
		}
		if err == nil && trains {
			wait, err = k.training(alive, moment)
		}
	}
	if err == nil {
		select {
		case <-time.After(wait):
		case <-alive.Done(): // Kill tells of a daemon that has ended by itself
			err = ctx.Err()
		}
	}
	dead := daemon.Kill()
	cut()
	feedErr := <-fed
	for _, err := range []error{err, dead, feedErr} {
		if err != nil {
			return err
		}
	}
	if checked {
		if err := k.check(ctx, fmt.Sprintf("after kill %d", number+1)); err != nil {
			return err
		}
	}
	return k.backUp(number % restoreEvery)
}

// backUp copies the folder, or puts a copy back, when it is the turn.
func (k *killer) backUp(turn int) error {
	switch turn {
	case backupAt:
		return k.backups.add()
	case restoreEvery - 1:
		k.report.Restores++
		return k.backups.putBack(k.rng)
	}
	return nil
}

// check lets `kilim check` look at the folder.
func (k *killer) check(ctx context.Context, when string) error {
	found, err := k.instance.Check(ctx)
	if err != nil {
		return err
	}
	if found != "" {
		k.report.Faults += strings.Count(found, "\n") + 1
		fmt.Fprintf(k.out, "kilim check %s:\n%.2000s\n", when, found)
	}
	return nil
}
