// Package cputime measures work by what it takes of the processors, which, unlike the time on the wall, does not depend on what else the machine does.
package cputime

import (
	"syscall"
	"time"
)

// Spent is what this process has used of all processors so far, its garbage collector included; 0 if the system does not tell.
func Spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
