package config

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// Help formats a flag's help text for the help page: settings get their range, their
// default and the name of their environment variable. It is for kong.ValueFormatter.
func Help() kong.HelpValueFormatter {
	keys := map[string]bool{}
	for _, f := range fields(new(Config)) {
		keys[f.Name] = true
	}
	return func(v *kong.Value) string {
		if v.Flag == nil {
			return v.Help
		}
		f := field{v.Flag}
		text := f.about()
		if v.HasDefault && v.Flag.PlaceHolder != "" { // kong shows the default in place of a missing placeholder
			text += " Default " + v.Default + "."
		}
		if keys[v.Name] {
			text += " ($" + Env(v.Name) + ")"
		}
		return text
	}
}

// about is the field's help with its range.
func (f field) about() string {
	low, high := f.Tag.Get("min"), f.Tag.Get("max")
	if low == "" && high == "" {
		return f.Help
	}
	return fmt.Sprintf("%s From %s to %s.", f.Help, low, high)
}
