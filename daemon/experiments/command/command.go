// Package command has how a program of the experiments begins and ends: by flags, until it is done or a signal says so. It knows nothing of
// what is measured.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main parses the command line and runs the program. It exits with 2 when the command line is wrong, with 1 when the program fails, and says
// why behind its name; asked for help, it has printed it.
func Main[Options any](name string, parse func(args []string, stderr io.Writer) (Options, error), run func(context.Context, Options, io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	}
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
