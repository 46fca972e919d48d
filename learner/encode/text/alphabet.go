package text

// same is a row of letters that count as one.
type same struct{ from, to string }

// sameLetters are letters whose difference is one of spelling habits, and
// which Unicode keeps apart.
func sameLetters() []same {
	return []same{
		// One letter until the 17th century.
		{"v", "u"},
		// Turkish and Azeri have two i, with capitals I and İ; catalogues
		// write any for any. With one for all four, no language has to be known
		// to fold TOPKAPI and Topkapı.
		{"ıɩɨᵻ", "i"},
		{"æᴁ", "ae"}, {"œ", "oe"}, {"þ", "th"}, {"ðđɖ", "d"},
		{"əǝɛ", "e"}, {"øɔɵ", "o"}, {"ł", "l"}, {"ħ", "h"}, {"ŧ", "t"}, {"ŋ", "n"},
		{"ƶ", "z"}, {"ƀ", "b"}, {"ȝǥ", "g"}, {"ĸ", "k"}, {"ƿ", "u"},

		// Arabic, Persian, Ottoman, Urdu, Kurdish, Maghribi. The hamza above or
		// below its carrier is a mark and goes with the others.
		{"ٱٲٳ", "ا"},
		{"ىیېۍێےؠ", "ي"},
		{"کڪګڬڭڮگ", "ك"}, // Ottoman writes k, g, y and ñ with one kaf
		{"ةەہھۃ", "ه"},
		{"ۄۅۆۇۈۉۊۋۏ", "و"},
		{"ں", "ن"}, {"ڡڢ", "ف"}, {"ٯڧ", "ق"}, {"ڵ", "ل"}, {"ڕ", "ر"},

		// Hebrew final letters and Yiddish ligatures.
		{"ך", "כ"}, {"ם", "מ"}, {"ן", "נ"}, {"ף", "פ"}, {"ץ", "צ"},
		{"װ", "וו"}, {"ױ", "וי"}, {"ײ", "יי"},

		// Cyrillic before the reforms.
		{"ѣєѥ", "е"}, {"іѵ", "и"}, {"ѳ", "ф"}, {"ѡѻ", "о"}, {"ѕ", "з"}, {"ꙋѹѫ", "у"}, {"ѧꙗ", "я"}, {"ґ", "г"},
	}
}

// dropped are letters, by Unicode, that a spelling may have or lack: the hamza
// by itself and its like, tatweel, small letters of the Quran's text, and the ayn
// and alef of Egyptologists.
const dropped = "ءٴـۥۦꜣꜥ\ua78c"

// apostrophes are what stands for ayn, hamza and the aspirates of Chinese where
// the keyboard lacks them, and for what apostrophes are for.
const apostrophes = "'`´‘’‛′‵᾽᾿῾\u1fef\u1ffd՚׳״"

// parallel is a row of letters that stand for those of another row.
type parallel struct{ from, to, letters rune }

func parallels() []parallel {
	return []parallel{
		// Georgian of manuscripts (nuskhuri, to which its capitals fold) and of today.
		{0x2d00, 0x10d0, 0x26},
		// Cherokee, whose case golang.org/x/text swaps instead of folding it.
		{0x13a0, 0x13a0, 0x56}, {0xab70, 0x13a0, 0x50}, {0x13f8, 0x13f0, 0x06},
	}
}
