package importer

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/daemon/feed"
	"kilim/daemon/feed/importer/jsontree"
	"kilim/daemon/feed/importer/mapping"
	"kilim/daemon/feed/importer/sheet"
	"kilim/daemon/feed/importer/table"
	"kilim/daemon/feed/importer/tree"
	"kilim/daemon/feed/importer/xmltree"
)

// rowBytes is the longest row of a workbook: its texts stand elsewhere, and a cell takes more memory than its XML is long.
const rowBytes = 8 << 20

// form is what the records of a Format are read by.
type form struct {
	name   string
	format string // of its map
	known  string // the map it is read by when none is named
}

var forms = []form{
	{"csv", mapping.Table, "columns"},
	{"xlsx", mapping.Table, "columns"},
	{"oai-dc", mapping.XML, "oai-dc"},
	{"lido", mapping.XML, "lido"},
	{"ead", mapping.XML, "ead"},
	{"linked-art", mapping.JSON, "linked-art"},
	{"iiif", mapping.JSON, "iiif"},
}

// Formats are the names of what is read.
func Formats() (names []string) {
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// Options of Open.
type Options struct {
	Format   string // one of Formats
	Map      string // the name of a map that comes with kilim, or a file; empty is the format's own
	Encoding string // of a CSV file that is not UTF-8
	longest  int    // of a record of XML or CSV; 0 is feed.MaxLine, and tests have less
}

// source gives the records of an input; io.EOF after the last. A *tree.Broken is a record that can't be read.
type source interface {
	Next() (*tree.Node, error)
}

// Importer gives the artifacts of an input.
type Importer struct {
	source source
	by     *mapping.Map
	report *mapping.Report
	notes  []string
	read   func() int64
	close  func() error
}

var _ feed.Lines = (*Importer)(nil)

// Open begins to read in. A workbook must be a file: its parts do not stand in order.
func Open(in io.Reader, opt Options) (*Importer, error) {
	at := slices.IndexFunc(forms, func(f form) bool { return f.name == opt.Format })
	if at < 0 {
		return nil, fmt.Errorf("format %q: want one of %s", opt.Format, strings.Join(Formats(), ", "))
	}
	f := forms[at]
	by, err := readMap(f, opt.Map)
	if err != nil {
		return nil, err
	}
	if opt.Encoding != "" && f.name != "csv" {
		return nil, fmt.Errorf("an encoding is for csv: %s says its own", f.name)
	}
	im := &Importer{by: by, report: mapping.NewReport(), close: func() error { return nil }}
	if err := im.open(f, in, opt); err != nil {
		return nil, err
	}
	return im, nil
}

func readMap(f form, name string) (*mapping.Map, error) {
	if name == "" {
		name = f.known
	}
	by, known := mapping.Named(name)
	if !known {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("map %q: no such file, and those that come with kilim are %s", name, strings.Join(mapping.Names(), ", "))
		}
		if err != nil {
			return nil, fmt.Errorf("map: %w", err)
		}
		if by, err = mapping.Parse(text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if by.Format != f.format {
		return nil, fmt.Errorf("map %q is of format %s, and %s wants one of %s", name, by.Format, f.name, f.format)
	}
	return by, nil
}

func (im *Importer) open(f form, in io.Reader, opt Options) error {
	if f.name == "xlsx" {
		return im.openSheet(in)
	}
	if f.format == mapping.JSON {
		lines := feed.JSON(in)
		im.source, im.read = &values{lines}, lines.Read
		return nil
	}
	counted := &feed.Counter{Reader: in}
	im.read = counted.Bytes
	text, err := profile.Unpack(counted)
	if err != nil {
		return err
	}
	longest := cmp.Or(opt.longest, feed.MaxLine)
	if f.format == mapping.XML {
		im.source = xmltree.New(text, im.by.Record, im.by.Nested, longest)
		return nil
	}
	rows, err := table.New(text, table.Options{Encoding: opt.Encoding, Delimiter: im.by.Delimiter, Bytes: longest})
	if err != nil {
		return err
	}
	im.source, im.notes = rows, rows.Notes()
	return im.compare(rows.Columns())
}

func (im *Importer) openSheet(in io.Reader) error {
	file, ok := in.(*os.File)
	if !ok {
		return errors.New("xlsx must be a file: its parts do not stand in order")
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("xlsx must be a file, not a pipe: its parts do not stand in order")
	}
	rows, err := sheet.Open(file, info.Size(), rowBytes)
	if err != nil {
		return err
	}
	im.source, im.notes, im.close = rows, rows.Notes(), rows.Close
	im.read = func() int64 { return 0 }
	return im.compare(rows.Columns())
}

// compare refuses a table that has no column that the map takes an id from, and notes which are missing.
func (im *Importer) compare(columns []string) error {
	var missing []string
	id, want := im.by.Columns()
	for _, name := range want {
		if !slices.Contains(columns, name) {
			missing = append(missing, name)
		}
	}
	if !slices.ContainsFunc(id, func(name string) bool { return slices.Contains(columns, name) }) {
		return fmt.Errorf("no column for the id: the map wants %s, and there are %s", listed(id), listed(columns))
	}
	if len(missing) > 0 {
		im.notes = append(im.notes, "columns of the map that are not there: "+listed(missing))
	}
	return nil
}

// listed are names, not more than one can read.
func listed(names []string) string {
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("%q and %d more", names[:most], len(names)-most)
	}
	return fmt.Sprintf("%q", names)
}

// Next returns the next artifact and the line, row or value of its record; io.EOF after the last.
func (im *Importer) Next() (line []byte, no int, err error) {
	for {
		record, err := im.source.Next()
		no := 0
		if err == nil {
			no = record.Line
			line, err = im.by.Apply(record, im.report)
		}
		var broken *tree.Broken
		switch {
		case errors.As(err, &broken):
			im.report.Break(broken)
			continue
		case errors.Is(err, io.EOF):
			return nil, 0, io.EOF
		case err != nil:
			return nil, 0, fmt.Errorf("after %d records: %w", im.report.Records+im.report.Broken, err)
		}
		im.report.Records++
		return line, no, nil
	}
}

// Read counts the bytes read of the input; 0 of a workbook.
func (im *Importer) Read() int64 { return im.read() }

// Notes say what was taken for the input's form.
func (im *Importer) Notes() []string { return im.notes }

// Report is of the records that Next has read.
func (im *Importer) Report() *mapping.Report { return im.report }

// Close closes what Open opened; the input is the caller's.
func (im *Importer) Close() error { return im.close() }

// values are the records of lines of JSON.
type values struct{ lines feed.Lines }

func (v *values) Next() (*tree.Node, error) {
	for {
		line, no, err := v.lines.Next()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		record, err := jsontree.Parse(line)
		if err != nil {
			return nil, &tree.Broken{Line: no, Err: err}
		}
		record.Line = no
		return record, nil
	}
}
