// Command page measures what a person who looks at a large archive waits for, and what many who look cost the feed.
//
//	go build -o bin/kilim ./daemon
//	go run ./daemon/experiments/page -records 200000        # make bench-page
//
// The archive is the first -records of the demo archive, with their texts and fields and without their pictures and recordings. Its state is kept in
// -dir, a folder for each size: another run goes on from there, and first deletes what the run before has fed for its turns. With -rounds 0 -blocks 0 -paints 0
// the state is made, and nothing is measured.
//
// Turns: the records after those are fed at -rate a second, -measure of them a turn, in -rounds rounds of three: alone, with -viewers streams of
// /api/v1/live as the live page asks for them, each read to its end by this program, which also asks for the status every two seconds as the page does, and with -tabs of
// these viewers being tabs of a real Chromium that show the live page, each in a profile of its own. A turn's freshness is that of kilim_freshness_seconds, from a
// record's time to the acknowledgement of its own update. In a tab a MutationObserver notes when the artifact's update is in the DOM. Time zero is
// the commit: the partition is one, so records are committed in their order, and the next artifact is asked for every few milliseconds until it is there; what
// counts is when the last question was asked that did not find it, so that the time told is never too short. Of the streams it is told when
// the update arrived. Chromium's own work is not the daemon's and is on the same processors here: the freshness of the turns with streams alone tells
// what viewers cost whose browsers are elsewhere.
//
// Requests: -askers ask one after the other without a pause for what each view of the page asks for, in blocks of 25 views of one kind and then of the
// next, about artifacts that -seed chooses. It tells of each request how often it was sent and how long the answer took, and of each view the daemon's processor time, with
// whatever the daemon did besides. "network" is what kilim plot network asks for.
//
// Map: the page's map is opened anew by a tab, and from the beginning of the navigation until two frames after points and legend are there is its
// first paint; then it is moved by keys for 120 frames.
//
// The experiment fails when an update is not seen by a viewer that should have, when a bound is not held (issue 22: commit to DOM 250 ms, freshness 1.2
// times, requests 200 ms, all at p99; first paint 1.5 s, 5 bytes a point), or when requests fail. What it has measured it prints all the same, and
// adds to the file -results.
package main
