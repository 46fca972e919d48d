package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"kilim/daemon/feed/importer/tree"
)

// headerBytes is how much of the input is looked at for the delimiter.
const headerBytes = 64 << 10

// maxColumns bounds what an empty row costs.
const maxColumns = 10_000

// delimiters are those that are looked for; of two that stand equally often the earlier one is taken.
var delimiters = []rune{',', ';', '\t', '|'}

// Options of New.
type Options struct {
	Encoding  string // a label as HTML knows it (latin1, windows-1252, utf-16le ...); empty is UTF-8
	Delimiter rune   // 0 looks for it
	Bytes     int    // the longest row
}

// Reader reads rows.
type Reader struct {
	csv     *csv.Reader
	bound   *tree.Bounded
	columns []string
	notes   []string
	line    int // where the last row that could be read begins
}

// New reads the header.
func New(in io.Reader, opt Options) (*Reader, error) {
	r := &Reader{}
	text, err := r.decoded(in, opt.Encoding)
	if err != nil {
		return nil, err
	}
	r.bound = tree.NewBounded(text, opt.Bytes)
	head := bufio.NewReaderSize(r.bound, headerBytes)
	delimiter := opt.Delimiter
	if delimiter == 0 {
		if delimiter, err = r.delimiter(head); err != nil {
			return nil, err
		}
	}
	r.csv = csv.NewReader(head)
	r.csv.Comma = delimiter
	r.csv.FieldsPerRecord = -1 // which a row is held against here, with the names of columns
	r.csv.ReuseRecord = true
	header, err := r.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("an empty file: want a first line with the names of the columns")
	case err != nil:
		return nil, fmt.Errorf("the header: %w", err)
	}
	if r.columns, err = Columns(header); err != nil {
		return nil, fmt.Errorf("the header: %w", err)
	}
	return r, nil
}

// Columns are the names of a header, without white space at their ends. One that stands there twice is refused: which of the
// two is meant, nobody can tell.
func Columns(header []string) ([]string, error) {
	if len(header) > maxColumns {
		return nil, fmt.Errorf("%d columns, the limit is %d", len(header), maxColumns)
	}
	columns := make([]string, len(header))
	seen := map[string]bool{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		switch {
		case !utf8.ValidString(name):
			return nil, fmt.Errorf("column %d: its name is not UTF-8: name the file's encoding", i+1)
		case name != "" && seen[name]:
			return nil, fmt.Errorf("column %d: %q stands there twice", i+1, name)
		}
		columns[i], seen[name] = name, true
	}
	return columns, nil
}

// decoded reads the text as UTF-8.
func (r *Reader) decoded(in io.Reader, label string) (io.Reader, error) {
	marked := bufio.NewReader(in)
	head, err := marked.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the input: %w", err)
	}
	name, fallback := "utf-8", transform.Transformer(transform.Nop)
	if label != "" {
		enc, err := htmlindex.Get(label)
		if err != nil {
			return nil, fmt.Errorf("encoding %q is not known: want a label as HTML has them, such as windows-1252, latin1 or utf-16le", label)
		}
		fallback = enc.NewDecoder()
		if name, err = htmlindex.Name(enc); err != nil {
			return nil, fmt.Errorf("encoding %q: %w", label, err)
		}
	}
	for _, mark := range []struct{ bytes, name string }{{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"}} {
		if strings.HasPrefix(string(head), mark.bytes) {
			name = mark.name + " by its byte order mark"
		}
	}
	r.notes = append(r.notes, "encoding "+name)
	return transform.NewReader(marked, unicode.BOMOverride(fallback)), nil
}

// delimiter counts in the first line, outside of quotes.
func (r *Reader) delimiter(head *bufio.Reader) (rune, error) {
	start, err := head.Peek(headerBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("reading the header: %w", err)
	}
	count := map[rune]int{}
	quoted := false
	for _, c := range string(start) {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			count[c]++
		}
	}
	best := delimiters[0]
	for _, d := range delimiters {
		if count[d] > count[best] {
			best = d
		}
	}
	r.notes = append(r.notes, fmt.Sprintf("delimiter %q, %d times in the header", best, count[best]))
	return best, nil
}

// Notes say what was taken for the file's form.
func (r *Reader) Notes() []string { return r.notes }

// Columns are the names in the header.
func (r *Reader) Columns() []string { return r.columns }

// Next gives the next row; io.EOF after the last.
func (r *Reader) Next() (*tree.Node, error) {
	r.bound.Reset()
	cells, err := r.csv.Read()
	var parse *csv.ParseError
	var long *tree.TooLong
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.As(err, &long):
		return nil, fmt.Errorf("behind line %d: %w; is a quote never closed?", r.line, err)
	case errors.As(err, &parse):
		return nil, &tree.Broken{Line: parse.StartLine, Err: parse.Err}
	case err != nil:
		return nil, err
	}
	r.line, _ = r.csv.FieldPos(0)
	return Row(r.line, r.columns, cells)
}

// Row makes a record of the cells of a row. The error is a *tree.Broken.
func Row(line int, columns, cells []string) (*tree.Node, error) {
	for len(cells) > len(columns) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) > len(columns) {
		return nil, &tree.Broken{Line: line, Err: fmt.Errorf("%d cells, and %d columns", len(cells), len(columns))}
	}
	row := &tree.Node{Name: "row", Line: line}
	for i, cell := range cells {
		switch {
		case !utf8.ValidString(cell):
			return nil, &tree.Broken{Line: line, Err: fmt.Errorf("column %q is not UTF-8: name the file's encoding", columns[i])}
		case strings.TrimSpace(cell) == "":
			continue
		}
		name := columns[i]
		if name == "" {
			name = fmt.Sprintf("(column %d)", i+1)
		}
		n := &tree.Node{Name: name}
		n.AddText(cell)
		row.Add(n)
	}
	return row, nil
}
