package profile

import (
	"math"
	"strconv"
	"strings"
)

// yearOf is the year that a string holds: a number, or the first part of an ISO 8601 date (1899-06-20, 1899-06,
// 18990620, with or without a time of day; -0043-03-15 is the year -43). A month and a day of 00, which databases write
// for those that are not known, are taken; 0000-00-00 is no date at all.
func yearOf(s string) (float64, bool) {
	if len(s) == 8 && allDigits(s) && isMonth(s[4:6]) && isDay(s[6:]) {
		s = s[:4]
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
		return n, true
	}
	sign := 1.0
	rest := strings.TrimPrefix(s, "+")
	if rest == s {
		if rest = strings.TrimPrefix(s, "-"); rest != s {
			sign = -1
		}
	}
	year, rest, _ := strings.Cut(rest, "-")
	month, rest, hasDay := strings.Cut(rest, "-")
	if len(year) < 4 || !allDigits(year) || month != "00" && !isMonth(month) {
		return 0, false
	}
	if hasDay {
		day, clock := rest[:min(len(rest), 2)], rest[min(len(rest), 2):]
		if day != "00" && !isDay(day) || clock != "" && !isClock(clock) {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(year, 64)
	if err != nil || n == 0 && month == "00" {
		return 0, false
	}
	return sign * n, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isMonth(s string) bool { return len(s) == 2 && allDigits(s) && s >= "01" && s <= "12" }

func isDay(s string) bool { return len(s) == 2 && allDigits(s) && s >= "01" && s <= "31" }

// isClock is true for what may follow a date: T or a space, then a time of day; or only its zone, as XML Schema has it.
func isClock(s string) bool {
	switch s[0] {
	case 'Z', '+', '-':
		return strings.Trim(s[1:], "0123456789:") == ""
	case 'T', 't', ' ':
		return len(s) > 1 && strings.Trim(s[1:], "0123456789:.,+-Zz") == ""
	}
	return false
}
