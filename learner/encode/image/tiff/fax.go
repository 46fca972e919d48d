package tiff

import (
	"fmt"
	"math/bits"
	"strings"
)

// fax decodes bilevel pages (ITU-T T.4 and T.6): runs of white and black, of a row alone or against the row above.
type fax struct {
	codes [2]faxCodes // of white and of black
	form  int         // the compression
	plane bool        // group 3 whose rows may be coded against the row above

	b   []byte
	at  int  // in bits
	lsb bool // the low bit of a byte comes first
}

func newFax(compression int, options uint64, lsb bool) *fax {
	return &fax{codes: [2]faxCodes{newFaxCodes(whiteRuns), newFaxCodes(blackRuns)}, form: compression, plane: options&1 != 0, lsb: lsb}
}

// decode fills out, rows of w bits in whole bytes, with ones where the codes say black. An end code is not asked for.
func (f *fax) decode(out, b []byte, w, h int) error {
	f.b, f.at = b, 0
	clear(out)
	row := (w + 7) / 8
	var above, changes []int32
	for y := range h {
		two, err := f.begin()
		if err == nil {
			changes, err = f.row(changes[:0], above, w, two)
		}
		if err != nil {
			return FormatError(fmt.Sprintf("row %d of %d of a fax page: %v", y, h, err))
		}
		paint(out[y*row:(y+1)*row], changes, w)
		above, changes = changes, above
	}
	return nil
}

// begin goes to the codes of the next row, and tells whether they refer to the row above.
func (f *fax) begin() (two bool, err error) {
	switch f.form {
	case fax4:
		return true, nil
	case faxWords:
		f.at = (f.at + 15) &^ 15
	case faxBytes:
		f.at = (f.at + 7) &^ 7
	}
	for f.endOfLine() {
		if f.plane {
			tag, err := f.bit()
			if err != nil {
				return false, err
			}
			two = tag == 0
		}
	}
	return two, nil
}

// endOfLine skips 11 zeros or more and a one, if they are next.
func (f *fax) endOfLine() bool {
	start, zeros := f.at, 0
	for {
		v, err := f.bit()
		switch {
		case err != nil, v == 1 && zeros < 11:
			f.at = start
			return false
		case v == 1:
			return true
		}
		zeros++
	}
}

// row appends where the colour changes, white first, of a row of w pixels.
func (f *fax) row(changes, above []int32, w int, two bool) ([]int32, error) {
	black, at, next := 0, -1, 0 // at is the last change; next the first one of above that may lie behind it
	for at < w {
		if len(changes) > 2*w+2 {
			return nil, FormatError("more changes of colour than pixels") // by runs of no pixel
		}
		mode, shift := horizontal, 0
		if two {
			var err error
			if mode, shift, err = f.mode(); err != nil {
				return nil, err
			}
		}
		for next > 0 && int(above[next-1]) > at {
			next--
		}
		for next < len(above) && (int(above[next]) <= at || next&1 != black) {
			next++
		}
		b1, b2 := w, w
		if next < len(above) {
			b1 = int(above[next])
		}
		if next+1 < len(above) {
			b2 = int(above[next+1])
		}
		switch mode {
		case pass:
			at = b2
		case horizontal:
			at = max(at, 0)
			for range 2 {
				run, err := f.run(black)
				if err != nil {
					return nil, err
				}
				if at += run; at > w {
					return nil, FormatError(fmt.Sprintf("runs of %d pixels, the row has %d", at, w))
				}
				changes = append(changes, int32(at))
				black ^= 1
				if at == w && !two {
					break // a last run of white need not be followed by one of black
				}
			}
		case vertical:
			if b1+shift < max(at, 0) || b1+shift > w {
				return nil, FormatError("a change of colour beyond the row")
			}
			at = b1 + shift
			changes = append(changes, int32(at))
			black ^= 1
		}
	}
	return changes, nil
}

// The modes of two-dimensional coding.
const (
	pass = iota
	horizontal
	vertical
)

func (f *fax) mode() (mode, shift int, err error) {
	v := 1
	for range 7 {
		b, err := f.bit()
		if err != nil {
			return 0, 0, err
		}
		switch v = v<<1 | b; v {
		case 0b1_1:
			return vertical, 0, nil
		case 0b1_011:
			return vertical, 1, nil
		case 0b1_010:
			return vertical, -1, nil
		case 0b1_001:
			return horizontal, 0, nil
		case 0b1_0001:
			return pass, 0, nil
		case 0b1_000011:
			return vertical, 2, nil
		case 0b1_000010:
			return vertical, -2, nil
		case 0b1_0000011:
			return vertical, 3, nil
		case 0b1_0000010:
			return vertical, -3, nil
		}
	}
	return 0, 0, FormatError("no code of a mode")
}

// run is the length of a run: codes of multiples of 64, and one of less.
func (f *fax) run(black int) (int, error) {
	length := 0
	for {
		v := 1
		for f.codes[black][v] == 0 {
			b, err := f.bit()
			if err != nil {
				return 0, err
			}
			if v = v<<1 | b; v >= len(f.codes[black]) {
				return 0, FormatError("no code of a run")
			}
		}
		n := int(f.codes[black][v]) - 1
		if length += n; n < 64 || length > mostSide {
			return length, nil
		}
	}
}

func (f *fax) bit() (int, error) {
	if f.at >= 8*len(f.b) {
		return 0, FormatError("cut off")
	}
	v := f.b[f.at/8]
	if f.lsb {
		v = bits.Reverse8(v)
	}
	v = v >> (7 - f.at%8) & 1
	f.at++
	return int(v), nil
}

// paint sets the bits of the black runs.
func paint(row []byte, changes []int32, w int) {
	for i := 0; i < len(changes); i += 2 {
		end := w
		if i+1 < len(changes) {
			end = int(changes[i+1])
		}
		for x := int(changes[i]); x < end; {
			if x&7 == 0 && end-x >= 8 {
				row[x/8] = 0xff
				x += 8
				continue
			}
			row[x/8] |= 0x80 >> (x & 7)
			x++
		}
	}
}

// faxCodes gives, by a code of up to 13 bits behind a 1, the length of its run and 1 more.
type faxCodes [1 << 14]uint16

func newFaxCodes(runs string) (t faxCodes) {
	for i, code := range strings.Fields(runs + longRuns) {
		v := 1
		for _, bit := range code {
			v = v<<1 | int(bit-'0')
		}
		length := i
		if i >= 64 {
			length = 64 * (i - 63)
		}
		t[v] = uint16(length + 1)
	}
	return t
}

// Codes of runs of 0 to 63, and of 64, 128 and so on to 1728 (T.4, tables 2 and 3a), and of those to 2560 (table 3b),
// which both colours have.
const (
	whiteRuns = `00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101
101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010
00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010
00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100
11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 011010100 011010101
011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011
`
	blackRuns = `0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000
0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001
000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111
000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111
0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100
0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101
`
	longRuns = `00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110
000000010111 000000011100 000000011101 000000011110 000000011111`
)
