package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

// update is a value of kilim.similar as a reader sees it: any number of lists.
type update struct {
	ID       string                    `json:"id"`
	Revision uint64                    `json:"revision"`
	Epoch    uint32                    `json:"epoch"`
	Lists    map[string][]rerank.Entry `json:"lists"`
	Changes  map[string]rerank.Changes `json:"changes"`
	Cause    []string                  `json:"cause"`
}

// JSON writes a message as one line: its value, or {"id": KEY, "deleted": true} for a tombstone.
func JSON(w io.Writer, m kafka.Message) error {
	var buf bytes.Buffer
	if m.Value == nil {
		line, err := json.Marshal(struct {
			ID      string `json:"id"`
			Deleted bool   `json:"deleted"`
		}{string(m.Key), true})
		if err != nil {
			return fmt.Errorf("message %s: %w", place(m), err)
		}
		buf.Write(line)
	} else if err := json.Compact(&buf, m.Value); err != nil {
		return fmt.Errorf("message %s: %w: %w", place(m), ErrNotUpdate, err)
	}
	buf.WriteByte('\n')
	_, err := w.Write(buf.Bytes())
	return err
}

// Titles finds the titles of artifacts; an id that it does not know is missing.
type Titles func(ids []string) map[string]string

// titleRunes is how much of a title is shown.
const titleRunes = 48

// Named is an id with its title, if it has one, for a terminal.
func Named(id, title string) string {
	title = strings.Join(strings.Fields(title), " ")
	if title == "" {
		return printable(id)
	}
	if runes := []rune(title); len(runes) > titleRunes {
		title = string(runes[:titleRunes]) + "…"
	}
	return printable(id) + " “" + strings.Map(shown, title) + "”"
}

// shown keeps of a title what moves no cursor and turns no text round. The non-joiner and the joiner (U+200C, U+200D) are letters' forms.
func shown(r rune) rune {
	if unicode.IsPrint(r) || r == '\u200c' || r == '\u200d' {
		return r
	}
	return -1
}

// Text writes a message as a block of lines for a terminal, with the titles that there are.
func Text(w io.Writer, m kafka.Message, find Titles) error {
	var out strings.Builder
	when := m.Time.Local().Format("15:04:05")
	if m.Value == nil {
		fmt.Fprintf(&out, "%s  %s  deleted\n", when, printable(string(m.Key)))
		_, err := io.WriteString(w, out.String())
		return err
	}
	var u update
	if err := json.Unmarshal(m.Value, &u); err != nil || u.ID == "" {
		return fmt.Errorf("message %s: %w: %s", place(m), ErrNotUpdate, printable(shorten(string(m.Value), 80)))
	}
	titles := find(named(&u))
	name := func(id string) string { return Named(id, titles[id]) }
	fmt.Fprintf(&out, "%s  %s  revision %d\n", when, name(u.ID), u.Revision)
	fmt.Fprintf(&out, "    because of %s\n", cause(u.Cause, name))
	silent := true
	for _, list := range listNames(u.Changes) {
		changes := u.Changes[list]
		scores := make(map[string]float32, len(u.Lists[list]))
		for _, e := range u.Lists[list] {
			scores[e.ID] = e.Score
		}
		if len(changes.Entered)+len(changes.Left)+len(changes.Moved) == 0 {
			continue
		}
		silent = false
		fmt.Fprintf(&out, "    %s\n", printable(list))
		for _, id := range changes.Entered {
			fmt.Fprintf(&out, "      + %6.3f  %s\n", scores[id], name(id))
		}
		for _, id := range changes.Moved {
			fmt.Fprintf(&out, "      ~ %6.3f  %s\n", scores[id], name(id))
		}
		for _, id := range changes.Left {
			fmt.Fprintf(&out, "      -         %s\n", name(id))
		}
	}
	if silent {
		out.WriteString("    only scores changed\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// named are the ids that Text shows.
func named(u *update) []string {
	ids := append([]string{u.ID}, u.Cause[:min(causesShown, len(u.Cause))]...)
	for _, list := range listNames(u.Changes) {
		c := u.Changes[list]
		ids = slices.Concat(ids, c.Entered, c.Moved, c.Left)
	}
	return ids
}

// listNames puts total first, then the others by name.
func listNames(changes map[string]rerank.Changes) []string {
	names := slices.Sorted(maps.Keys(changes))
	if i := slices.Index(names, rerank.ListTotal); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, rerank.ListTotal)
	}
	return names
}

const causesShown = 3

func cause(ids []string, name func(string) string) string {
	if len(ids) == 0 {
		return "changes elsewhere in the archive"
	}
	shown := make([]string, 0, causesShown)
	for _, id := range ids[:min(causesShown, len(ids))] {
		shown = append(shown, name(id))
	}
	text := strings.Join(shown, ", ")
	if more := len(ids) - causesShown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// printable keeps a foreign text from moving the terminal's cursor.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

func place(m kafka.Message) string {
	return fmt.Sprintf("%s/%d at offset %d", m.Topic, m.Partition, m.Offset)
}
