package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"kilim/daemon/browse"
	"kilim/daemon/queries"
	"kilim/daemon/web"
)

// queryCommand are the commands about standing queries; without a name, their list.
type queryCommand struct {
	List   queryListCommand   `cmd:"" default:"withargs" help:"List the standing queries."`
	Add    queryAddCommand    `cmd:"" help:"Have a query stand: its lists are told each time that they change."`
	Show   queryShowCommand   `cmd:"" help:"Show the lists of a standing query as they were told last, and what changed."`
	Remove queryRemoveCommand `cmd:"" help:"End a standing query."`
}

// queryDaemon is the daemon that a command about standing queries asks.
type queryDaemon struct{ address }

type queryListCommand struct {
	queryDaemon
	JSON bool `name:"json" help:"Print the daemon's answer as it is."`
}

// Run prints the queries.
func (c *queryListCommand) Run(s *session) error {
	raw, err := c.ask(s, http.MethodGet, "", nil)
	if err != nil || c.JSON {
		return printed(s, raw, err)
	}
	all := new(web.StandingQueries)
	if err := json.Unmarshal(raw, all); err != nil {
		return fmt.Errorf("query: %s: not a list of standing queries: %w", c.HTTP, err)
	}
	out := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "QUERY\tBY\tLAST TOLD\tTHEN")
	for i := range all.Queries {
		q := &all.Queries[i]
		when, what := "-", "it is asked soon"
		if q.Told != nil {
			when, what = q.Told.Local().Format(time.DateTime), changesLine(q)
		}
		if q.Failure != "" {
			what = "it can't be asked now: " + q.Failure
		}
		by := q.By
		if by == "" {
			by = "-"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", q.Name, browse.Readable(by, 300), when, browse.Readable(what, 300))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if !all.Complete {
		fmt.Fprintln(s.stderr, "the topic of standing queries is being read: there may be more")
	}
	return nil
}

// changesLine says what an update of a query told.
func changesLine(q *web.StandingQuery) string {
	total := q.Changes["total"]
	return fmt.Sprintf("%d entered total, %d left, %d moved", len(total.Entered), len(total.Left), len(total.Moved))
}

type queryAddCommand struct {
	Name string `arg:"" help:"Name of the query: small letters, digits, dots, underscores and hyphens."`
	File string `arg:"" optional:"" help:"File with the record that is asked about, as kilim feed takes it; - for the standard input."`
	Text string `placeholder:"TEXT" help:"A text that is asked about, instead of a record."`
	By   string `placeholder:"WHO" help:"Who asks."`
	queryDaemon
}

// Help is shown by kilim query add --help.
func (queryAddCommand) Help() string {
	return fmt.Sprintf(`A standing query is a record that is in no archive. Its lists are told as those of an artifact would be, in the topic --kafka.topics.query-lists under its name: kilim watch --query NAME follows them. With the id of an artifact in the record, the lists are without that artifact. Another query of the same name is replaced. At most %d may stand.`, queries.MostQueries)
}

// Run adds the query, and prints its name.
func (c *queryAddCommand) Run(s *session) error {
	if (c.File == "") == (c.Text == "") {
		return &exitError{exitUsage, fmt.Errorf("query add: want either a file with a record or --text")}
	}
	q := queries.Query{Name: c.Name, By: c.By}
	var err error
	switch c.File {
	case "":
		q.Record, err = json.Marshal(map[string]string{"description": c.Text})
	case "-":
		q.Record, err = io.ReadAll(io.LimitReader(s.stdin, queries.MostBody))
	default:
		q.Record, err = readQuery(c.File)
	}
	if err != nil {
		return fmt.Errorf("query add: %w", err)
	}
	if err := q.Check(); err != nil {
		return &exitError{exitUsage, fmt.Errorf("query add: %w", err)}
	}
	body, err := json.Marshal(&q)
	if err != nil {
		return fmt.Errorf("query add: %w", err)
	}
	if _, err := c.ask(s, http.MethodPost, "", body); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "%s stands\n", q.Name)
	return err
}

func readQuery(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, queries.MostBody))
}

type queryShowCommand struct {
	Name string `arg:"" help:"Name of the query."`
	queryDaemon
	JSON bool `name:"json" help:"Print the daemon's answer as it is."`
}

// Run prints the query.
func (c *queryShowCommand) Run(s *session) error {
	raw, err := c.ask(s, http.MethodGet, c.Name, nil)
	if err != nil || c.JSON {
		return printed(s, raw, err)
	}
	q := new(web.StandingQuery)
	if err := json.Unmarshal(raw, q); err != nil {
		return fmt.Errorf("query: %s: not a standing query: %w", c.HTTP, err)
	}
	if q.Failure != "" {
		fmt.Fprintf(s.stdout, "it can't be asked now: %s\n", browse.Readable(q.Failure, 300))
	}
	if q.Told == nil {
		_, err := fmt.Fprintf(s.stdout, "%s: nothing is told yet\n", q.Name)
		return err
	}
	fmt.Fprintf(s.stdout, "%s, told %s: %s", q.Name, q.Told.Local().Format(time.DateTime), changesLine(q))
	if len(q.Cause) > 0 {
		fmt.Fprintf(s.stdout, ", because of %s", browse.Readable(strings.Join(q.Cause, ", "), 300))
	}
	fmt.Fprintln(s.stdout)
	for _, name := range []string{"total", "general"} {
		fmt.Fprintf(s.stdout, "%s\n", name)
		out := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
		for i, e := range q.Lists[name] {
			fmt.Fprintf(out, "  %d\t%s\t%.3f\n", i+1, browse.Readable(e.ID, 300), e.Score)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

type queryRemoveCommand struct {
	Name string `arg:"" help:"Name of the query."`
	queryDaemon
}

// Run ends the query.
func (c *queryRemoveCommand) Run(s *session) error {
	_, err := c.ask(s, http.MethodDelete, c.Name, nil)
	return err
}

// ask returns what a request about the queries, or one of them, is answered with.
func (c *queryDaemon) ask(s *session, method, name string, body []byte) ([]byte, error) {
	if err := s.settle(nil); err != nil {
		return nil, err
	}
	path := "/api/v1/queries"
	if name != "" {
		if err := queries.CheckName(name); err != nil {
			return nil, &exitError{exitUsage, fmt.Errorf("query: %w", err)}
		}
		path += "/" + url.PathEscape(name)
	}
	target, err := c.url(path, nil)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(s.ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	raw, err := ask(&http.Client{Timeout: 2 * requestTimeout}, req)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return raw, nil
}

// printed prints an answer as it is.
func printed(s *session, raw []byte, err error) error {
	if err == nil {
		_, err = s.stdout.Write(append(raw, '\n'))
	}
	return err
}
