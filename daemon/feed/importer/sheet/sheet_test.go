package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"testing"

	"kilim/daemon/feed/importer/tree"
)

// workbook are the parts of one that has what museums' sheets have: shared texts in parts of their own formats, texts within cells,
// numbers, dates, gaps, errors and empty rows.
func workbook() map[string]string {
	return map[string]string{
		"xl/workbook.xml":            `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr/><sheets><sheet name="Objects" sheetId="1" r:id="rId7"/><sheet name="Notes" sheetId="2" r:id="rId8"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId8" Target="worksheets/sheet2.xml"/><Relationship Id="rId7" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/sharedStrings.xml":       `<sst uniqueCount="2000000000"><si><t>id</t></si><si><r><t>tit</t></r><r><rPr><b/></rPr><t>le</t></r></si><si><t>Kylix &amp; stand</t></si></sst>`,
		"xl/styles.xml":              `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-409]d\-mmm\-yyyy"/><numFmt numFmtId="165" formatCode="0.0 &quot;days&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": `<worksheet><sheetData><row r="2"/><row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c><c r="D3" t="inlineStr"><is><t>made</t></is></c><c r="E3" t="str"><v>seen</v></c><c t="inlineStr"><is><t>weight</t></is></c></row>
			<row r="4"><c r="A4"><v>17</v></c><c r="B4" t="s"><v>2</v></c><c r="D4" s="1"><v>36526</v></c><c r="E4" s="2"><v>59</v></c><c r="F4" s="3"><v>2.5</v></c></row>
			<row r="5"><c r="A5" t="s"><v>99</v></c></row>
			<row r="6"><c r="ZZZZZZ6"><v>1</v></c></row>
			<row r="8"><c r="A8"><v>18</v></c><c r="B8" t="e"><v>#N/A</v></c><c r="F8" t="b"><v>1</v></c></row></sheetData></worksheet>`,
	}
}

func packed(t *testing.T, parts map[string]string) *bytes.Reader {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range parts {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

// shown are the rows and what is wrong with the broken ones.
func shown(r *Reader) (lines []string, err error) {
	for {
		row, err := r.Next()
		var broken *tree.Broken
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case errors.As(err, &broken):
			lines = append(lines, broken.Error())
			continue
		case err != nil:
			return lines, err
		}
		line := ""
		for _, cell := range row.Children {
			line += cell.Name + "=" + cell.Value() + ";"
		}
		lines = append(lines, line)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	in := packed(t, workbook())
	r, err := Open(in, in.Size(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	got, err := shown(r)
	want := []string{
		"id=17;title=Kylix & stand;made=2000-01-01;seen=1900-02-28;weight=2.5;",
		`line 5: cell A5: text "99" of 3`, `line 6: a cell at "ZZZZZZ6"`, "id=18;weight=true;",
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rows\n%s\nwant\n%s (%v)", strings.Join(got, "\n"), strings.Join(want, "\n"), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestOtherWorkbooks: those that are counted from 1904, without shared texts or formats, and what is none.
func TestOtherWorkbooks(t *testing.T) {
	t.Parallel()
	parts := workbook()
	parts["xl/workbook.xml"] = strings.Replace(parts["xl/workbook.xml"], "<workbookPr/>", `<workbookPr date1904="1"/>`, 1)
	in := packed(t, parts)
	r, err := Open(in, in.Size(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := shown(r); err != nil || !strings.Contains(got[0], "made=2004-01-02;") {
		t.Errorf("counted from 1904: %q, %v", got, err)
	}
	for want, drop := range map[string]string{
		"no xlsx workbook: ": "xl/workbook.xml", "is in no part": "xl/_rels/workbook.xml.rels", `sheet "Objects": `: "xl/worksheets/sheet1.xml",
		"text \"0\" of 0": "xl/sharedStrings.xml",
	} {
		parts := workbook()
		if delete(parts, drop); drop == "xl/_rels/workbook.xml.rels" {
			parts[drop] = "<Relationships/>"
		}
		in := packed(t, parts)
		if _, err := Open(in, in.Size(), 1<<20); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v, want %q", drop, err, want)
		}
	}
	if _, err := Open(bytes.NewReader([]byte("id,title\n")), 9, 1<<20); err == nil || !strings.Contains(err.Error(), "no xlsx workbook") {
		t.Errorf("no archive: %v", err)
	}
}

// TestBombs: parts that unpack to far more than they are long end with an error.
func TestBombs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part, head string
		size       int
		want       string
	}{
		"shared texts": {"xl/sharedStrings.xml", "<sst><si><t>", 3 << 20, ""},
		"formats":      {"xl/styles.xml", "<styleSheet><numFmts>", headBytes + 1<<20, "the formats: "},
		"the workbook": {"xl/workbook.xml", "<workbook>", headBytes + 1<<20, "no xlsx workbook: "},
		"a cell":       {"xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c t="inlineStr"><is><t>id</t></is></c></row><row><c t="inlineStr"><is><t>`, 3 << 20, "row 2: "},
		"a header":     {"xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c t="inlineStr"><is><t>`, 3 << 20, "the header: row 1: "},
	} {
		parts := workbook()
		delete(parts, c.part)
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
		for name, text := range parts {
			w, err := z.Create(name)
			if err == nil {
				_, err = io.WriteString(w, text)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w, err := z.Create(c.part)
		if err == nil {
			_, err = io.WriteString(w, c.head)
		}
		block := bytes.Repeat([]byte("x"), 1<<20)
		for n := 0; err == nil && n < c.size; n += len(block) {
			_, err = w.Write(block)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if out.Len() > 8<<20 {
			t.Fatalf("%s: a bomb of %d bytes is none", name, out.Len())
		}
		in := bytes.NewReader(out.Bytes())
		if name == "shared texts" { // whose bound takes a test long to reach
			archive, failed := zip.NewReader(in, in.Size())
			if failed != nil {
				t.Fatal(failed)
			}
			_, err = sharedTexts(archive, 1<<20)
		} else {
			var r *Reader
			if r, err = Open(in, in.Size(), 1<<20); err == nil {
				_, err = shown(r)
			}
		}
		var long *tree.TooLong
		if !errors.As(err, &long) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
