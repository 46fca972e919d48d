package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kilim/daemon/feed/importer/tree"
)

// sharedTexts are the texts that cells name by their numbers. A workbook may have none. All of them
// are at most so many bytes of XML.
func sharedTexts(archive *zip.Reader, most int) (texts []string, err error) {
	part, err := archive.Open("xl/sharedStrings.xml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, part.Close()) }()
	dec := xml.NewDecoder(tree.NewBounded(part, most))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "si" {
			var t rich
			if err := dec.DecodeElement(&t, &start); err != nil {
				return nil, err
			}
			if len(texts) == maxShared {
				return nil, fmt.Errorf("more than %d", maxShared)
			}
			texts = append(texts, t.text())
		}
	}
}

// quoted is what of a format is text, or a colour or a locale.
var quoted = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\\.`)

// dateStyles are the styles of cells whose numbers are dates: by the formats that Excel has, or by one that shows days,
// months or years.
func dateStyles(archive *zip.Reader) (map[int]bool, error) {
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	err := whole(archive, "xl/styles.xml", &styles)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	own := map[int]bool{}
	for _, f := range styles.Formats {
		own[f.ID] = strings.ContainsAny(strings.ToLower(quoted.ReplaceAllString(f.Code, "")), "dy")
	}
	dates := map[int]bool{}
	for i, c := range styles.Cells {
		dates[i] = c.Format >= 14 && c.Format <= 17 || c.Format == 22 || own[c.Format]
	}
	return dates, nil
}

// from1900 is true when days are counted from 1900, with a 29th of February in that year, and not from 1904.
type from1900 bool

// date is the day that a number is, or the number when it is none.
func (from from1900) date(number string) string {
	days, err := strconv.ParseFloat(number, 64)
	if err != nil || days < 1 || days > 2958465 { // the end of the year 9999
		return number
	}
	start := time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	if from {
		start = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
		if days < 60 {
			days++
		}
	}
	return start.AddDate(0, 0, int(days)).Format(time.DateOnly)
}
