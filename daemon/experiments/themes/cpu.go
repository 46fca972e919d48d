package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpu is the time that processors have spent on this program. Unlike the time on the wall it does not depend on what else
// the machine does.
func cpu() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(unix.TimevalToNsec(u.Utime) + unix.TimevalToNsec(u.Stime))
}
