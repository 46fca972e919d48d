// Init is the first and only process of the emulated machine: it runs the tests in /tests, one after the other, and
// says how they ended. Its arguments, what stands after -- on the kernel's command line, are theirs.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

const tcsbrk = 0x5409 // with an argument of 1: tcdrain

func main() {
	verdict := "passed"
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("init:", err)
		verdict = "failed"
	}
	fmt.Println("init: all", verdict) // run.sh looks for this line
	// What was written is on its way through the terminal still.
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, os.Stdout.Fd(), tcsbrk, 1); errno != 0 {
		fmt.Println("init: drain the terminal:", errno)
	}
	if err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("init: power off:", err)
	}
}

func run(args []string) error {
	for fs, dir := range map[string]string{"proc": "/proc", "devtmpfs": "/dev", "tmpfs": "/tmp"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(fs, dir, fs, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err
	}
	if !bytes.Contains(cpu, []byte(" avx512bw")) {
		return fmt.Errorf("the kernel has turned AVX-512 off:\n%s", cpu)
	}
	tests, err := filepath.Glob("/tests/*")
	if err != nil {
		return err
	}
	if len(tests) == 0 {
		return errors.New("no tests")
	}
	var failed error
	for _, test := range tests {
		fmt.Println("init: running", filepath.Base(test))
		cmd := exec.Command(test, args...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		// Go's own garbage collector has a form in AVX-512, which marks wrongly on Bochs 2.7: what frees nothing does
		// not mark.
		cmd.Env = append(os.Environ(), "GOGC=off")
		if err := cmd.Run(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", filepath.Base(test), err))
		}
	}
	return failed
}
