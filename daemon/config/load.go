package config

import (
	"fmt"
	"os"
	"sync"

	"github.com/alecthomas/kong"
)

// PasswordVariable is the environment variable of the password at the brokers.
const PasswordVariable = EnvPrefix + "KAFKA_SASL_PASSWORD"

// FileFlag is the type of the flag that names the configuration file.
type FileFlag string

// FileVariable is the environment variable that names the configuration file.
const FileVariable = EnvPrefix + "CONFIG"

// Loader resolves what the command line leaves open, from the environment and the file. It is
// a kong.Resolver for one parse.
type Loader struct {
	env     func(name string) (string, bool)
	known   map[string]field
	once    sync.Once
	file    map[string]entry
	path    string
	faults  []*Fault
	sources map[string]string
}

var _ kong.Resolver = (*Loader)(nil)

// NewLoader returns a Loader that asks env (os.LookupEnv) for variables.
func NewLoader(env func(string) (string, bool)) *Loader {
	l := &Loader{env: env, known: map[string]field{}, sources: map[string]string{}}
	for _, f := range fields(new(Config)) {
		l.known[f.Name] = f
	}
	return l
}

// Validate implements kong.Resolver. It has nothing to check: the grammar is package main's.
func (l *Loader) Validate(*kong.Application) error { return nil }

// Resolve gives a flag that the command line left open its value. A value that can't be read
// is noted as a fault and left out, so that Complete can tell all faults at once.
func (l *Loader) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	l.once.Do(func() { l.openFile(ctx) })
	f, ok := l.known[flag.Name]
	if !ok {
		return nil, nil
	}
	name := Env(flag.Name)
	if text, ok := l.env(name); ok {
		source := "environment variable " + name
		if err := f.try(text); err != nil {
			l.fault(flag.Name, source, "%q: want %s", text, f.kind())
			return nil, nil
		}
		l.sources[flag.Name] = source
		return text, nil
	}
	if e, ok := l.file[flag.Name]; ok {
		l.sources[flag.Name] = l.at(e.line)
		return e.text, nil
	}
	return nil, nil
}

func (l *Loader) fault(key, source, format string, args ...any) {
	f := faultf(key, format, args...)
	f.Source = source
	l.faults = append(l.faults, f)
}

func (l *Loader) at(line int) string { return fmt.Sprintf("%s:%d", l.path, line) }

func (l *Loader) openFile(ctx *kong.Context) {
	for _, flag := range ctx.Flags() {
		if path, ok := ctx.FlagValue(flag).(FileFlag); ok {
			l.path = string(path)
		}
	}
	if l.path == "" {
		l.path, _ = l.env(FileVariable)
	}
	if l.path == "" {
		return
	}
	text, err := os.ReadFile(l.path)
	if err != nil {
		l.fault("config", "", "%v", err)
		return
	}
	l.file = l.parseFile(text)
}

// Complete is called after the parse with the part of the configuration that the command uses, nil
// when it uses none: it takes the password from the environment, validates, and returns all faults of
// reading and of validation in one error.
func (l *Loader) Complete(ctx *kong.Context, used Section) error {
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved {
			l.sources[p.Flag.Name] = "flag"
		}
	}
	if used == nil {
		return join(l.faults)
	}
	if c, ok := used.(interface{ client() *Client }); ok {
		password, _ := l.env(PasswordVariable)
		c.client().Kafka.SASL.Password = Secret(password)
	}
	unread := map[string]bool{}
	for _, f := range l.faults {
		unread[f.Key] = true
	}
	faults := l.faults
	for _, f := range validate(used) {
		if unread[f.Key] {
			continue // what was given could not be read, and is told; here stands the default, which nobody asked for
		}
		f.Source = l.sources[f.Key]
		faults = append(faults, f)
	}
	return join(faults)
}

func (c *Client) client() *Client { return c }

// Source tells where a key's value came from: "flag", an environment variable, a line of
// the file, or "default".
func (l *Loader) Source(key string) string {
	if s := l.sources[key]; s != "" {
		return s
	}
	return "default"
}
