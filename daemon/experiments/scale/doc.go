// Command scale measures how the daemon takes a demo archive of some size, all of it at once, and what the size costs.
//
//	go build -o bin/kilim ./daemon
//	go run ./daemon/experiments/scale -records 10000,100000        # make bench-scale
//	go run ./daemon/experiments/scale -burst -records 100000       # make bench-burst
//
// For each size a daemon with an empty folder is fed by its own broker as fast as that takes records, while somebody asks for the lists of
// artifacts that are there. The burst ends when every record is durable and its own update is published. It tells the rate, the most memory that
// was seen (the daemon's own, and with the pages of its files), and the time of the queries. It fails when an artifact is missing from the state or
// from the topic of lists, when a record was refused, when the daemon's own memory was above memory.limit, when kilim check finds a fault, and, with
// -p99 above 0, when queries took longer.
//
// Without -burst the experiment goes on: it waits until the daemon has settled, or for -settle, restarts it after a clean stop and after SIGKILL, and
// measures the time until it is ready, its memory and its files then, and the freshness of more artifacts that come at 50 a second.
//
// Nothing is trained: when a training begins would decide what is measured.
package main
