package text

// sounds gives a letter, after folding, the one or two consonants that are
// heard; none for a vowel.
type sounds [][2]byte

const soundsEnd = 0x1100

// newSounds: each row has the letters that transliterations, scripts and
// centuries write for one another, and the sound that stands for them. It is coarse on
// purpose: Turkish c is Arabic jim, English j and, before the i and e of a
// German or an Italian, ch or k.
func newSounds() sounds {
	t := make(sounds, soundsEnd)
	for _, row := range []struct{ sound, latin, arabic, greek, cyrillic, hebrew, armenian, georgian string }{
		{"b", "bp", "بپ", "βπ", "бп", "בפ", "բպփ", "ბპფ"},
		{"f", "f", "فڤ", "φ", "ф", "", "ֆ", ""},
		{"t", "td", "تطد", "τδ", "тд", "טתד", "դթտ", "თტდ"},
		{"k", "kgqcj", "كقغجچ", "κγχ", "кгч", "גכק", "գկղճչջք", "გქკღყჩჭჯ"},
		{"s", "s", "سشصث", "σθ", "сшщц", "סשצ", "շսծց", "სშც"},
		{"z", "z", "زذظضژ", "ζ", "зж", "ז", "զժձ", "ზჟძ"},
		{"h", "h", "حخه", "", "х", "הח", "հխ", "ხჰ"},
		{"m", "m", "م", "μ", "м", "מ", "մ", "მ"},
		{"n", "n", "ن", "ν", "н", "נ", "ն", "ნ"},
		{"l", "l", "ل", "λ", "л", "ל", "լ", "ლ"},
		{"r", "r", "ر", "ρ", "р", "ר", "րռ", "რ"},
		{"ks", "x", "", "ξ", "", "", "", ""},
		{"bs", "", "", "ψ", "", "", "", ""},
	} {
		for _, r := range row.latin + row.arabic + row.greek + row.cyrillic + row.hebrew + row.armenian + row.georgian {
			copy(t[r][:], row.sound)
		}
	}
	return t
}

// of appends the consonants of a folded word to out, or nothing when it has
// fewer than two, a digit, or a letter of another script. Vowels, doubling and an h
// at the end are not heard; of v, w and y only the first letter, since Arabic
// writes vowels with them.
func (t sounds) of(w []rune, out []byte) []byte {
	if len(w) < 2 {
		return out
	}
	from := len(out)
	if len(w) > 4 && w[0] == 'ا' && w[1] == 'ل' {
		w = w[2:] // the article
	}
	switch r := w[0]; {
	case r == 'و', r == 'ו', r == 'в', r == 'վ', r == 'ვ', (r == 'u' || r == 'w') && isVowel(w[1]):
		out = append(out, 'v')
	case r == 'ي', r == 'י', r == 'յ', r == 'y' && isVowel(w[1]):
		out = append(out, 'j')
	case r == 'i' && isVowel(w[1]):
		out = append(out, 'k') // as if it were written j
	case r < soundsEnd && t[r][0] == 0:
		out = append(out, 'a') // some vowel, or alef or ayn
	}
	for i, r := range w {
		if r >= soundsEnd || '0' <= r && r <= '9' {
			return out[:from]
		}
		if r == 'h' && i > 0 {
			if s, ok := withH(w[i-1]); ok {
				out[len(out)-1] = s
				continue
			}
		}
		s := t[r]
		if s[0] != 0 && (len(out) == from || out[len(out)-1] != s[0]) {
			out = append(out, s[0])
		}
		if s[1] != 0 {
			out = append(out, s[1])
		}
	}
	if n := len(out) - 1; n > from && out[n] == 'h' {
		out = out[:n]
	}
	if n := len(out) - from; n < 2 || n == 2 && out[from] == 'a' {
		return out[:from]
	}
	return out
}

// withH is the sound of a Latin letter and the h that follows it.
func withH(r rune) (sound byte, ok bool) {
	switch r {
	case 'k':
		return 'h', true
	case 't', 's':
		return 's', true
	case 'd', 'z':
		return 'z', true
	case 'p':
		return 'f', true
	case 'c', 'g':
		return 'k', true
	case 'r':
		return 'r', true
	}
	return 0, false
}

func isVowel(r rune) bool {
	switch r {
	case 'a', 'e', 'i', 'o', 'u', 'y':
		return true
	}
	return false
}
