// Package daemonproc starts `kilim serve` as a child process, watches it, and ends it, for the experiments, which all need
// that and nothing of how the daemon is built.
//
// An Instance is a state folder with the addresses at which it is served. It outlives its daemons: Serve starts one, and
// another may follow when that one has been killed. An Instance also runs the commands that belong to a daemon (Feed,
// Settle, Check), and asks it over HTTP (Get, Post, Ready, Watch, Metrics).
//
// A Process is a child: a daemon, or any other program by Start and Run. Stop ends it as an operator would, Kill as a
// crash would, Close in whichever way works; Memory is what it has in memory, Usage the processor time and the memory that it
// took. A child has a process group of its own, so an interrupt at the terminal reaches the experiment only, which ends its children in order.
//
// What an experiment waits for may never come once the daemon is gone. So it waits with the context that Process.Alive
// returns: that one ends with the process, and its cause is why the process ended, with the last lines of its log.
//
// Daemonproc knows the daemon by its command line, its HTTP interface and its metrics. It imports nothing of kilim.
package daemonproc
