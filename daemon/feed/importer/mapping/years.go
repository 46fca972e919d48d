package mapping

import (
	"regexp"
	"strconv"
	"strings"
)

// about are the words before a date that leave its years as they are.
const about = `(?:c\.|ca\.|ca|circa|about|um|vers|omstreeks|probably|dated|\()?`

var (
	// oneYear is 1896, c. 1896, (1896), 550 BC.
	oneYear = regexp.MustCompile(`^` + about + `\s*(\d{1,4})\)?\s*(bce?)?$`)
	// twoYears is 1896-1902, 1896–02, 1896/1902, 550-520 BC.
	twoYears = regexp.MustCompile(`^` + about + `\s*(\d{1,4})\s*(bce?)?\s*[-–—/]\s*(?:c\.|ca\.)?\s*(\d{1,4})\)?\s*(bce?)?$`)
	// twoDays is an interval of ISO 8601 dates, as archives normalize them, or one date.
	twoDays = regexp.MustCompile(`^(-?\d{4})(?:-(?:0[1-9]|1[0-2]))(?:-\d{2})?(?:/(-?\d{4})(?:-\d{2}){0,2})?$`)
	// american is 06/20/1899.
	american = regexp.MustCompile(`^\d{1,2}/\d{1,2}/(\d{4})$`)
)

// years reads the years of a date in one of the forms above; of any other, such as "19th century" or "before 1900", nothing is
// guessed. A second year of two digits is of the century of the first.
func years(text string) (begin, end float64, ok bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if m := american.FindStringSubmatch(text); m != nil {
		begin = number(m[1])
		return begin, begin, true
	}
	if m := oneYear.FindStringSubmatch(text); m != nil {
		begin = number(m[1])
		if m[2] != "" {
			begin = -begin
		}
		return begin, begin, len(m[1]) > 2 || m[2] != ""
	}
	if m := twoYears.FindStringSubmatch(text); m != nil {
		if begin, end, ok := span(m); ok {
			return begin, end, ok
		}
	}
	// 1909-10 was a span; 1909-08 is a month.
	if m := twoDays.FindStringSubmatch(text); m != nil {
		begin, end = number(m[1]), number(m[1])
		if m[2] != "" {
			end = number(m[2])
		}
		return begin, end, begin <= end
	}
	return 0, 0, false
}

// span is what a match of twoYears says.
func span(m []string) (begin, end float64, ok bool) {
	begin, end = number(m[1]), number(m[3])
	switch {
	case m[4] != "" && m[2] == "" && begin < end, len(m[1]) < 3 && m[2]+m[4] == "":
		return 0, 0, false // 20-19 BC is a span, 19-20 BC is nobody knows what
	case m[4] != "":
		begin, end = -begin, -end
	case m[2] != "":
		begin = -begin
	case len(m[3]) < len(m[1]):
		century := number(m[1][:len(m[1])-len(m[3])])
		for range len(m[3]) {
			century *= 10
		}
		end += century
	}
	return begin, end, begin <= end
}

// number is that of a few digits, which the patterns hold.
func number(digits string) float64 {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic("mapping: " + digits + " is no number") // the patterns let nothing else through
	}
	return float64(n)
}
