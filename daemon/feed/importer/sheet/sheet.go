package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"kilim/daemon/feed/importer/table"
	"kilim/daemon/feed/importer/tree"
)

const (
	// sharedBytes bounds the part with the texts that cells share, unpacked; a zip bomb is told by it.
	sharedBytes = 256 << 20
	// headBytes bounds what says which part is the sheet, and the formats.
	headBytes = 16 << 20
	// maxColumns is what Excel has.
	maxColumns = 16_384
	maxShared  = 5_000_000
)

// Reader reads rows.
type Reader struct {
	part    io.ReadCloser
	dec     *xml.Decoder
	bound   *tree.Bounded
	shared  []string
	dates   map[int]bool // styles that are dates
	from    from1900
	columns []string
	row     int // of the last row, as Excel counts
	name    string
}

// Open reads the header of the first sheet. The longest row is of so many bytes of XML.
func Open(in io.ReaderAt, size int64, bytes int) (*Reader, error) {
	archive, err := zip.NewReader(in, size)
	if err != nil {
		return nil, fmt.Errorf("no xlsx workbook: %w", err)
	}
	r := &Reader{}
	target, err := r.first(archive)
	if err != nil {
		return nil, err
	}
	if r.shared, err = sharedTexts(archive, sharedBytes); err != nil {
		return nil, fmt.Errorf("the texts that cells share: %w", err)
	}
	if r.dates, err = dateStyles(archive); err != nil {
		return nil, fmt.Errorf("the formats: %w", err)
	}
	if r.part, err = archive.Open(target); err != nil {
		return nil, fmt.Errorf("sheet %q: %w", r.name, err)
	}
	r.bound = tree.NewBounded(r.part, bytes)
	r.dec = xml.NewDecoder(r.bound)
	header, err := r.cells()
	if errors.Is(err, io.EOF) {
		err = errors.New("an empty sheet: want a first row with the names of the columns")
	}
	if err == nil {
		r.columns, err = table.Columns(header)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sheet %q: the header: %w", r.name, err), r.part.Close())
	}
	return r, nil
}

// first finds the part that is the first sheet.
func (r *Reader) first(archive *zip.Reader) (target string, err error) {
	var book struct {
		Properties struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			// Strict is the same attribute in the strict form of the standard.
			Strict string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var links struct {
		Links []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := whole(archive, "xl/workbook.xml", &book); err != nil {
		return "", fmt.Errorf("no xlsx workbook: %w", err)
	}
	if err := whole(archive, "xl/_rels/workbook.xml.rels", &links); err != nil {
		return "", fmt.Errorf("no xlsx workbook: %w", err)
	}
	if len(book.Sheets) == 0 {
		return "", errors.New("a workbook without a sheet")
	}
	r.from = from1900(book.Properties.From1904 != "1" && book.Properties.From1904 != "true")
	r.name = book.Sheets[0].Name
	for _, l := range links.Links {
		if l.ID == book.Sheets[0].ID+book.Sheets[0].Strict {
			if strings.HasPrefix(l.Target, "/") {
				return strings.TrimPrefix(l.Target, "/"), nil
			}
			return path.Join("xl", l.Target), nil
		}
	}
	return "", fmt.Errorf("sheet %q is in no part of the workbook", r.name)
}

// whole reads a part into a value.
func whole(archive *zip.Reader, name string, into any) error {
	part, err := archive.Open(name)
	if err != nil {
		return err
	}
	err = xml.NewDecoder(tree.NewBounded(part, headBytes)).Decode(into)
	if err := errors.Join(err, part.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Notes say what is read of the workbook.
func (r *Reader) Notes() []string { return []string{fmt.Sprintf("sheet %q, the first", r.name)} }

// Columns are the names in the header.
func (r *Reader) Columns() []string { return r.columns }

// Close closes the sheet.
func (r *Reader) Close() error { return r.part.Close() }

// Next gives the next row, with its number as its line; io.EOF after the last.
func (r *Reader) Next() (*tree.Node, error) {
	cells, err := r.cells()
	if err != nil {
		return nil, err
	}
	return table.Row(r.row, r.columns, cells)
}

// cells are those of the next row that has any.
func (r *Reader) cells() ([]string, error) {
	for {
		r.bound.Reset()
		start, err := r.element("row")
		if err != nil {
			return nil, err
		}
		r.row++
		if n, err := strconv.Atoi(attribute(start, "r")); err == nil {
			r.row = n
		}
		var row xmlRow
		if err := r.dec.DecodeElement(&row, start); err != nil {
			return nil, fmt.Errorf("row %d: %w", r.row, err)
		}
		cells, err := r.values(row)
		if err != nil {
			return nil, &tree.Broken{Line: r.row, Err: err}
		}
		if len(cells) > 0 {
			return cells, nil
		}
	}
}

// element reads on to where the next element of the name begins.
func (r *Reader) element(name string) (*xml.StartElement, error) {
	for {
		token, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("behind row %d: %w", r.row, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			return &start, nil
		}
	}
}

func attribute(e *xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// xmlRow is a row as it is stored.
type xmlRow struct {
	Cells []struct {
		Ref    string `xml:"r,attr"`
		Type   string `xml:"t,attr"`
		Style  int    `xml:"s,attr"`
		Value  string `xml:"v"`
		Inline rich   `xml:"is"`
	} `xml:"c"`
}

// rich is a text, or one in parts of their own formats.
type rich struct {
	Text string   `xml:"t"`
	Runs []string `xml:"r>t"`
}

func (t rich) text() string { return t.Text + strings.Join(t.Runs, "") }

// values are the texts of a row's cells, each in the place of its column.
func (r *Reader) values(row xmlRow) (cells []string, err error) {
	at := 0
	for _, c := range row.Cells {
		if c.Ref != "" {
			if at, err = column(c.Ref); err != nil {
				return nil, err
			}
		}
		if at >= maxColumns {
			return nil, fmt.Errorf("more than %d columns", maxColumns)
		}
		text := c.Value
		switch c.Type {
		case "s":
			n, err := strconv.Atoi(strings.TrimSpace(c.Value))
			if err != nil || n < 0 || n >= len(r.shared) {
				return nil, fmt.Errorf("cell %s: text %.20q of %d", c.Ref, c.Value, len(r.shared))
			}
			text = r.shared[n]
		case "inlineStr":
			text = c.Inline.text()
		case "e":
			text = "" // #N/A and its like
		case "b":
			text = map[string]string{"1": "true", "0": "false"}[text]
		case "", "n":
			if r.dates[c.Style] {
				text = r.from.date(text)
			}
		}
		for len(cells) <= at {
			cells = append(cells, "")
		}
		cells[at] = text
		at++
	}
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	return cells, nil
}

// column is the number of a cell's column, from 0: of B7, 1.
func column(ref string) (int, error) {
	n := 0
	for _, c := range strings.TrimRight(ref, "0123456789") {
		if c < 'A' || c > 'Z' || n > maxColumns {
			return 0, fmt.Errorf("a cell at %.20q", ref)
		}
		n = 26*n + int(c-'A') + 1
	}
	if n == 0 {
		return 0, fmt.Errorf("a cell at %.20q", ref)
	}
	return n - 1, nil
}
