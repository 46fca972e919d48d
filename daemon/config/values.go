package config

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"

	"kilim/internal/redact"
)

// Bytes is a size. It is written as a number of bytes or with a unit: 65536, 64KiB, 8MiB, 1GB.
type Bytes int64

// UnmarshalText reads a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > math.MaxInt64 {
		return fmt.Errorf("%q is not a size such as 65536, 64KiB or 8MiB", text)
	}
	*b = Bytes(n)
	return nil
}

// String is the shortest exact form.
func (b Bytes) String() string {
	for _, u := range []struct {
		size Bytes
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText is String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// List is a few texts. As a flag it may be repeated; in one text its entries are separated by
// commas, and in the file it may be a sequence.
type List []string

// Decode adds the entries of the next value. kong calls it for each flag.
func (l *List) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("list", &text); err != nil {
		return err
	}
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			*l = append(*l, entry)
		}
	}
	return nil
}

// String is the form that Decode reads.
func (l List) String() string { return strings.Join(l, ",") }

// Secret is a text that is not printed by accident.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redact.Hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// URL is an address that may hold secrets. All but a conversion to string shows it without them.
type URL string

// String hides user, password and the values of the query.
func (u URL) String() string { return redact.URL(string(u)) }

// GoString hides the secrets from %#v.
func (u URL) GoString() string { return strconv.Quote(u.String()) }

// LogValue hides the secrets from logs.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText hides the secrets from JSON and YAML.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// shown tells whether u is what String makes of an address with secrets: `kilim config` prints such, and that file must not be taken for
// a whole one.
func (u URL) shown() bool { return strings.Contains(string(u), redact.Hidden) }
