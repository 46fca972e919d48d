package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
)

// Print writes c as a YAML file that gives c again when it is read, with the
// help, the range, the variable and the source of each key as comments. The password is not
// written, and of an address neither user nor the values of its query. A nil source leaves the sources out.
func (c *Config) Print(w io.Writer, source func(key string) string) error {
	out := bufio.NewWriter(w)
	var open []string // the sections that are open
	for _, f := range fields(c) {
		parts := strings.Split(f.Name, ".")
		sections, name := parts[:len(parts)-1], parts[len(parts)-1]
		for i, s := range sections {
			if i < len(open) && open[i] == s {
				continue
			}
			open = append(open[:i:i], s)
			fmt.Fprintf(out, "%s%s:\n", indent(i), s)
		}
		open = open[:len(sections):len(sections)]
		pad := indent(len(sections))
		for _, line := range wrap(f.about(), 98-len(pad)) {
			fmt.Fprintf(out, "%s# %s\n", pad, line)
		}
		fmt.Fprintf(out, "%s# %s", pad, Env(f.Name))
		if source != nil {
			fmt.Fprintf(out, ", now from: %s", source(f.Name))
		}
		fmt.Fprintln(out)
		value, err := f.yaml()
		if err != nil {
			return fmt.Errorf("printing %s: %w", f.Name, err)
		}
		fmt.Fprintf(out, "%s%s: %s\n", pad, name, value)
	}
	return out.Flush()
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

func (f field) yaml() (string, error) {
	value := f.Target.Interface()
	if _, isText := value.(fmt.Stringer); isText {
		value = f.text()
	}
	b, err := yaml.Marshal(value)
	return strings.TrimRight(string(b), "\n"), err
}

// wrap breaks a text into lines of about width bytes.
func wrap(text string, width int) []string {
	var lines []string
	var line string
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
