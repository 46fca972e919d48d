package watch

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// cell is a value of kilim.cultures as a reader sees it.
type cell struct {
	Field    string    `json:"field"`
	Theme    string    `json:"theme"`
	A        group     `json:"a"`
	B        group     `json:"b"`
	Mean     float64   `json:"mean"`
	Low      float64   `json:"low"`
	High     float64   `json:"high"`
	Contrast float64   `json:"contrast"`
	Pairs    int       `json:"pairs"`
	Since    time.Time `json:"since"`
	Nearest  []struct {
		A      string  `json:"a"`
		B      string  `json:"b"`
		Cosine float64 `json:"cosine"`
	} `json:"nearest"`
}

type group struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// Cell writes a message of kilim.cultures as a line for a terminal.
func Cell(w io.Writer, m kafka.Message) error {
	when := m.Time.Local().Format("15:04:05")
	if m.Value == nil {
		_, err := fmt.Fprintf(w, "%s  %s  gone\n", when, printable(string(m.Key)))
		return err
	}
	var c cell
	if err := json.Unmarshal(m.Value, &c); err != nil || c.Field == "" || c.A.Key == "" || c.B.Key == "" {
		return fmt.Errorf("message %s: %w", place(m), ErrNotUpdate)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s  %s", when, printable(c.Field))
	if c.Theme != "" {
		fmt.Fprintf(&out, " in %s", printable(c.Theme))
	}
	fmt.Fprintf(&out, ": %s, %s  contrast %+.2f, mean %.3f (%.3f to %.3f), %d pairs, since %s", strings.Map(shown, c.A.Label), strings.Map(shown, c.B.Label),
		c.Contrast, c.Mean, c.Low, c.High, c.Pairs, c.Since.Local().Format(time.DateTime))
	if len(c.Nearest) > 0 {
		n := c.Nearest[0]
		fmt.Fprintf(&out, "; %s, %s (%.2f)", printable(n.A), printable(n.B), n.Cosine)
	}
	out.WriteByte('\n')
	_, err := io.WriteString(w, out.String())
	return err
}
