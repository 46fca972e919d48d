package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// field is a setting with its declaration, as kong has read it from the tags: a reading of
// this package's own could differ from the command line.
type field struct{ *kong.Flag }

// fields lists the settings of a Config or a part of it, in the order of their
// declaration. The values are target's own. It panics when the declaration is
// wrong, which any test of this package shows.
func fields(target any) []field {
	k, err := kong.New(target, kong.NoDefaultHelp())
	if err != nil {
		panic(fmt.Sprintf("config: declaration of %T: %v", target, err))
	}
	out := make([]field, len(k.Model.Flags))
	for i, f := range k.Model.Flags {
		out[i] = field{f}
	}
	return out
}

// EnvPrefix begins the name of each environment variable.
const EnvPrefix = "KILIM_"

// Env returns the environment variable of a key: KILIM_KAFKA_TOPICS_DEAD_LETTERS
// for kafka.topics.dead-letters.
func Env(key string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// parse reads a text as the field's value into target.
func (f field) parse(text string, target reflect.Value) error {
	scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})
	return f.Mapper.Decode(&kong.DecodeContext{Value: f.Value, Scan: scan}, target)
}

// try tells whether a text can be the field's value.
func (f field) try(text string) error {
	return f.parse(text, reflect.New(f.Target.Type()).Elem())
}

// text is the value in the form that parse reads.
func (f field) text() string {
	if s, ok := f.Target.Interface().(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprint(f.Target.Interface())
}

// kind describes the values that can be parsed.
func (f field) kind() string {
	switch f.Target.Interface().(type) {
	case Bytes:
		return "a size such as 65536, 64KiB or 8MiB"
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case float64:
		return "a number"
	case time.Duration:
		return "a duration such as 500ms, 30s or 2m"
	}
	return "text"
}
