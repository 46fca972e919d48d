package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretsInAddresses: neither the printed settings nor the faults, nor any print of the settings, shows what an address may hide; and
// the printed file is refused, rather than read as if it were whole.
func TestSecretsInAddresses(t *testing.T) {
	t.Parallel()
	const secret = "S3cret"
	for _, address := range []URL{
		"https://host/?api-key=S3cret", "https://host/x?S3cret", "https://host?a=1&b=S3cret#S3cret", "https://user:S3cret@host/", "https://u:S3/S3cret@host:p/", "user:S3cret@host",
	} {
		c := defaults()
		c.Encoders.Text = served("tei", address)
		var printed strings.Builder
		if err := c.Print(&printed, nil); err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal(c.Encoders)
		if err != nil {
			t.Fatal(err)
		}
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "url", c.Encoders.Text.URL, "all", c.Encoders)
		c.Encoders.Image.URL = address // of an encoder that has none
		for what, text := range map[string]string{
			"config": printed.String(), "faults": fmt.Sprint(c.Verify()), "JSON": string(j), "log": logged.String(),
			"%v": fmt.Sprintf("%v %+v %#v %s %q", c.Encoders, c.Encoders, c.Encoders, address, address),
		} {
			if strings.Contains(text, secret) || strings.Contains(text, "S3/") {
				t.Errorf("%s of %q shows the secret:\n%.300s", what, string(address), text[max(0, strings.Index(text, "S3")-100):])
			}
		}
		if _, _, err := load(t, nil, printed.String()); err == nil || !strings.Contains(err.Error(), "without its secrets") {
			t.Errorf("the settings printed for %q are read back: %v", string(address), err)
		}
		if string(c.Encoders.Text.URL) != c.Encoders.Text.Remote("text").URL {
			t.Error("the address does not arrive as it is")
		}
	}
}
