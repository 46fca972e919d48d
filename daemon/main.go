package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"kilim/daemon/config"
)

// Exit codes, as description tells them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitTimeout = 3
)

const description = `kilim keeps, for every artifact of an archive, the answer to what it is like, and publishes each answer that changes.

Settings come from flags, then environment variables, then the file, then defaults; "kilim config" shows them all.

Exit codes: 0 done, or stopped on request; 1 failed (check: the state has faults; feed: not every record is acknowledged); 2 wrong usage or configuration; 3 ran out of the time that --timeout gave.`

// grammar is the command line.
type grammar struct {
	File    config.FileFlag  `name:"config" placeholder:"FILE" help:"YAML file with settings ($$KILIM_CONFIG)."`
	Version kong.VersionFlag `help:"Print the version."`

	Serve    serveCommand    `cmd:"" help:"Run the daemon."`
	Feed     feedCommand     `cmd:"" help:"Send artifacts from JSON Lines to the topic."`
	Watch    watchCommand    `cmd:"" help:"Follow the lists that change."`
	Rejected rejectedCommand `cmd:"" help:"Show the records that were refused, and why."`
	Status   statusCommand   `cmd:"" help:"Show where a daemon stands, or wait until it has done everything."`
	Check    checkCommand    `cmd:"" help:"Verify a whole state folder that no daemon has open."`
	Reread   rereadCommand   `cmd:"" help:"Let a state folder that no daemon has open read the topic from its beginning."`
	Eval     evalCommand     `cmd:"" help:"Judge the lists, or the encoders."`
	Judge    judgeCommand    `cmd:"" help:"Say how alike two artifacts are, take it back, or print what was said."`
	Cultures culturesCommand `cmd:"" help:"How near cultures, periods or places are to one another."`
	Plot     plotCommand     `cmd:"" help:"Draw for a paper what a daemon answers."`
	Model    modelCommand    `cmd:"" help:"The models, and which serves."`
	Theme    themeCommand    `cmd:"" help:"The themes: what artifacts are alike in."`
	Query    queryCommand    `cmd:"" help:"Standing queries: records in no archive, whose lists are told each time that they change."`
	Rank     rankCommand     `cmd:"" help:"Whether lists are in an order that was learned from judgments, and why."`
	Train    trainCommand    `cmd:"" help:"Train the model of a state folder that no daemon has open; what is no worse serves."`
	Demo     demoCommand     `cmd:"" help:"Write the demo archive as JSON Lines."`
	Print    configCommand   `cmd:"" name:"config" help:"Print the effective settings as a YAML file, with what each is for."`
	Built    versionCommand  `cmd:"" name:"version" help:"Print the version, and what it was built with and for."`
}

// session is what a command works with.
type session struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	loader         *config.Loader
	parsed         *kong.Context
}

// settle completes and checks the settings that a command uses; used is nil for a command that uses none.
func (s *session) settle(used config.Section) error {
	if err := s.loader.Complete(s.parsed, used); err != nil {
		return &exitError{exitUsage, fmt.Errorf("configuration:\n%w", err)}
	}
	return nil
}

// exitError is an error with its own exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default is back: a second one ends the process.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// run is main for tests: arguments, environment and streams are given, and the exit code is returned.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	s := &session{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, loader: config.NewLoader(env)}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	helped := false
	parser, err := kong.New(&grammar{},
		kong.Name("kilim"), kong.Description(description), kong.Vars{"version": "kilim " + version()},
		kong.Writers(stdout, stderr), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.ValueFormatter(config.Help()), kong.Resolvers(s.loader), kong.Bind(s),
		// kong calls Exit after --help and --version, and would go on to run the command: the panic ends parse instead.
		kong.Exit(func(int) { helped = true; panic(errHelped) }))
	if err != nil {
		panic(fmt.Sprintf("kilim: command line: %v", err)) // a wrong declaration
	}
	s.parsed, err = parse(parser, args)
	if helped {
		return exitOK
	}
	if err != nil {
		err = &exitError{exitUsage, fmt.Errorf("%w; see kilim --help", err)}
	} else {
		err = s.parsed.Run()
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "kilim: %v\n", err)
	var withCode *exitError
	if errors.As(err, &withCode) {
		return withCode.code
	}
	return exitFailed
}

var errHelped = errors.New("help was shown")

// parse ends early when help was shown: kong has no other way than its Exit.
func parse(parser *kong.Kong, args []string) (ctx *kong.Context, err error) {
	defer func() {
		if p := recover(); p != nil && p != any(errHelped) {
			panic(p)
		}
	}()
	return parser.Parse(args)
}
