package config

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// Help formats a flag's help text for the help page: settings get their range and
// the name of their environment variable. It is for kong.ValueFormatter.
func Help() kong.HelpValueFormatter {
	keys := map[string]bool{}
	for _, f := range fields(new(Config)) {
		keys[f.Name] = true
	}
	return func(v *kong.Value) string {
		text := v.Help
		if v.Flag == nil || !keys[v.Name] {
			return text
		}
		if low, high := v.Tag.Get("min"), v.Tag.Get("max"); low != "" || high != "" {
			text += fmt.Sprintf(" From %s to %s.", low, high)
		}
		return fmt.Sprintf("%s ($%s)", text, Env(v.Name))
	}
}
