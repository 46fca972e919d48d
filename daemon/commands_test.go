package main

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"kilim/daemon/config"
)

var (
	// spoken is a span of code in Markdown, and codeLine a line of a block.
	spoken   = regexp.MustCompile("`([^`\n]+)`")
	codeLine = regexp.MustCompile(`(?m)^(?: {4,}|\t)(.+)$`)
	fenced   = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	// target is a target of make.
	target = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
)

// TestCommandsOfDocuments holds every command of kilim, every flag of it and every target of make that a document shows
// against the program and the Makefile.
func TestCommandsOfDocuments(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&grammar{}, kong.Name("kilim"), kong.Vars{"version": "x"}, kong.Writers(io.Discard, io.Discard), kong.ValueFormatter(config.Help()), kong.Bind(&session{}))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, m := range target.FindAllStringSubmatch(read(t, "../Makefile"), -1) {
		targets = append(targets, m[1])
	}
	commands, made := 0, 0
	sources(t, ".md", func(path, text string) {
		if strings.Contains(path, "RESULTS") || strings.Contains(path, "CHANGELOG") {
			return // which tell of programs as they were
		}
		for _, code := range shownCode(text) {
			words := strings.Fields(code)
			for i, word := range words {
				switch {
				case word == "kilim" && i+1 < len(words) && (i == 0 || words[i-1] == "|" || strings.HasSuffix(words[i-1], "=")):
					if wrong := wrongCommand(parser.Model.Node, words[i+1:]); wrong != "" {
						t.Errorf("%s: %q: %s", path, code, wrong)
					}
					commands++
				case word == "make" && i == 0 && i+1 < len(words):
					if !slices.Contains(targets, words[i+1]) {
						t.Errorf("%s: %q: no such target", path, code)
					}
					made++
				}
			}
		}
	})
	if commands < 30 || made < 10 {
		t.Errorf("%d commands and %d targets in the documents: they have not been looked through", commands, made)
	}
}

// shownCode are the lines and spans of code in a document, without comments.
func shownCode(text string) (all []string) {
	add := func(line string) {
		line, _, _ = strings.Cut(line, " # ")
		all = append(all, line)
	}
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(m[1]) {
			add(line)
		}
	}
	text = strings.ReplaceAll(fenced.ReplaceAllString(text, ""), "\\\n", " ")
	for _, m := range codeLine.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "`") {
			add(m[1])
		}
	}
	for _, m := range spoken.FindAllStringSubmatch(text, -1) {
		add(m[1])
	}
	return all
}

// wrongCommand says what of a command the program does not know; "" when it knows all.
func wrongCommand(at *kong.Node, words []string) string {
	for i, word := range words {
		word = strings.Trim(word, ".,;:()[]")
		if strings.ContainsAny(word, "|>&<") {
			return "" // another program's
		}
		if name, ok := strings.CutPrefix(word, "--"); ok {
			name, _, _ = strings.Cut(name, "=")
			known := name == "help"
			for _, group := range at.AllFlags(false) {
				known = known || slices.ContainsFunc(group, func(f *kong.Flag) bool { return f.Name == name || slices.Contains(f.Aliases, name) })
			}
			if !known && at.DefaultCmd != nil {
				return wrongCommand(at.DefaultCmd, words[i:])
			}
			if !known {
				return "no flag --" + name
			}
			continue
		}
		child := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == word })
		switch {
		case child >= 0:
			at = at.Children[child]
		case i == 0:
			return "no command " + word
		}
	}
	return ""
}

// TestWrongCommands: what is wrong is seen.
func TestWrongCommands(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&grammar{}, kong.Name("kilim"), kong.Vars{"version": "x"}, kong.Writers(io.Discard, io.Discard), kong.ValueFormatter(config.Help()), kong.Bind(&session{}))
	if err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"fed x": "no command fed", "feed --form csv x": "no flag --form", "feed --from csv --dry-run x": "", "model promote 2": "", "check --data D --repair": "",
		"demo | kilim feed -": "", "status --wait=true --timeuot=3s": "no flag --timeuot",
	} {
		if got := wrongCommand(parser.Model.Node, strings.Fields(command)); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}
