package profile

import (
	"math"
	"strconv"
	"strings"
)

// The methods here read the general shapes that the profile's fields have.
// Each consumes exactly one value, whatever it returns without an error.

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// shown is the value at the cursor, for a refusal. The cursor stays.
func (p *parser) shown() string {
	c := p.cursor
	v := c.skip()
	return string(v[:min(len(v), 2*valueBytes)])
}

func (p *parser) wrongType(path, want string) error {
	return Refuse(ReasonWrongType, path, p.shown(), "want %s", want)
}

// single has read take the value at the cursor, or the only element of a list; of an empty list there is nothing to read.
func (p *parser) single(path, want string, read func() error) error {
	if p.peek() != '[' {
		return read()
	}
	start := p.i
	return p.array(func(i int) error {
		if i > 0 || p.peek() == '[' {
			p.i = start
			return p.wrongType(path, "one "+want)
		}
		return read()
	})
}

// text reads a string, or a list of at most one. null is "".
func (p *parser) text(path string) (s string, err error) {
	err = p.single(path, "string", func() error {
		switch p.peek() {
		case '"':
			s = p.str()
		case 'n':
			p.null()
		default:
			return p.wrongType(path, "a string")
		}
		return nil
	})
	return s, err
}

// id reads an artifact's id as text does. A whole number is its digits, so that a database's 5, "5" and 5.0 are one.
func (p *parser) id(path string) (s string, err error) {
	err = p.single(path, "string", func() (err error) {
		if !p.atNumber() {
			s, err = p.text(path)
			return err
		}
		shown := p.shown()
		number, ok := whole(string(p.skip()))
		if !ok {
			return Refuse(ReasonWrongType, path, shown, "want a string or a whole number")
		}
		s = number
		return nil
	})
	return s, err
}

// whole is the digits of a JSON number that is whole as it is written: without an exponent, whose digits are those of
// a float64 and no longer the database's.
func whole(number string) (digits string, ok bool) {
	digits, fraction, _ := strings.Cut(number, ".")
	if strings.Trim(fraction, "0") != "" || strings.ContainsAny(digits, "eE") {
		return "", false
	}
	if digits == "-0" {
		digits = "0"
	}
	return digits, true
}

// list calls each for every element that is not null; a value that is no list
// is its own only element. i is the element's place in the JSON.
func (p *parser) list(path string, each func(i int) error) error {
	switch p.peek() {
	case 'n':
		p.null()
		return nil
	case '[':
		return p.array(func(i int) error {
			if i >= p.lim.Items {
				return Refuse(ReasonTooMany, path, "", "more than %d entries", p.lim.Items)
			}
			if p.null() {
				return nil
			}
			return each(i)
		})
	}
	return each(0)
}

func (p *parser) terms(path string) (terms []Term, err error) {
	err = p.list(path, func(i int) error {
		var t Term
		switch p.peek() {
		case '"':
			t.Label = p.str()
		case '{':
			err := p.object(path, func(name string) (err error) {
				switch name {
				case "id":
					t.ID, err = p.text(at(path, i) + ".id")
				case "label":
					t.Label, err = p.text(at(path, i) + ".label")
				default:
					p.skip()
				}
				return err
			})
			if err != nil {
				return err
			}
		default:
			return p.wrongType(at(path, i), `a string or {"id", "label"}`)
		}
		t.ID = strings.TrimSpace(t.ID)
		if strings.TrimSpace(t.Label) == "" {
			t.Label = ""
		}
		if t == (Term{}) {
			return nil
		}
		terms = append(terms, t)
		return nil
	})
	return terms, err
}

func (p *parser) strings(path string) (list []string, err error) {
	err = p.list(path, func(i int) error {
		if p.peek() != '"' {
			return p.wrongType(at(path, i), "a string")
		}
		if s := p.str(); strings.TrimSpace(s) != "" {
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// number reads a finite number. The cursor is at a digit or a minus.
func (p *parser) number(path string) (float64, error) {
	shown := p.shown()
	v, err := strconv.ParseFloat(string(p.skip()), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, Refuse(ReasonOutOfRange, path, shown, "not a number that float64 can hold")
	}
	return v, nil
}

func (p *parser) atNumber() bool {
	c := p.peek()
	return c == '-' || (c >= '0' && c <= '9')
}

// optional reads an object, or a list of at most one; null is not present.
func (p *parser) optional(path string, each func(name string) error) (present bool, err error) {
	err = p.single(path, "object", func() error {
		switch p.peek() {
		case 'n':
			p.null()
			return nil
		case '{':
			present = true
			return p.object(path, each)
		}
		return p.wrongType(path, "an object")
	})
	return present, err
}
