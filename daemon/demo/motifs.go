package demo

// The motif families' patterns, on a grid of 21 x 21 knots. Drawn is the left
// half with the middle column, and of those that are the same upside down only the
// upper half with the middle row; the loom mirrors the rest.
//
//	. ground   d dark   a main   b second   c accent

const motifKnots = 21

func motifPatterns() [][]string {
	return [][]string{
		steppedLozenge: {
			"..........d",
			"........ddd",
			"........daa",
			"......dddaa",
			"......daaab",
			"....dddaabb",
			"....daaabbb",
			"..dddaabbcc",
			"..daaabbccc",
			"dddaabbccdd",
			"daaabbccddd",
		},
		hookedLozenge: {
			".....ddd..d",
			".....d.d..d",
			".......d..d",
			".ddd...d.dd",
			".d.d...dddd",
			"...d..dddaa",
			"...dddddaaa",
			".....ddaabb",
			"dd..ddaabbb",
			".d.ddaabbcc",
			".dddaabbccc",
		},
		eightStar: {
			"..........d",
			".........dd",
			"........dda",
			"..ddddddaaa",
			"..daaaaaaab",
			"..daaaaaabb",
			"..daaabbbbb",
			"..daaabbbcc",
			".ddaaabbccc",
			"ddaaabbcccd",
			"daaabbbccdd",
		},
		runningWater: {
			"ddddddddddd",
			"...........",
			"aaaaa.aaaaa",
			"a...a.a...a",
			"a.a.a.a.a.a",
			"a.aaa.a.aaa",
			"a.....a....",
			"aaaaaaaaaaa",
			"...........",
			"bbbbbbbbbbb",
			"ccccccccccc",
		},
		ramsHorn: {
			"..aaaaaaa..",
			".aaaaaaaaa.",
			".aa.....aaa",
			".aa.aaa..aa",
			".aa.a.a..aa",
			".aa...a..aa",
			".aaaaaa..aa",
			"..aaaa...aa",
			".......aaaa",
			"..bbbbbbaaa",
			".bbccccbbaa",
		},
		comb: {
			"..........d",
			".........dd",
			"........dda",
			".......ddab",
			"......ddabb",
			".....ddabbc",
			"......ddabb",
			".......ddab",
			"........dda",
			"aaaaaaaaaaa",
			"aaaaaaaaaaa",
			"abbbbbbbbbb",
			"aaaaaaaaaaa",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
			"a.a.a.a.a.a",
		},
		treeOfLife: {
			"..........b",
			".........bb",
			"..........a",
			"......bb..a",
			".....bbbb.a",
			"......bba.a",
			".........aa",
			"...bb.....a",
			"..bbbb....a",
			"...bbaaa..a",
			"........aaa",
			".bb.......a",
			"bbbb......a",
			".bbaaaa...a",
			"......aaaaa",
			"....cc....a",
			"...ccca...a",
			"......aaaaa",
			"........aaa",
			"......ddddd",
			"....ddddddd",
		},
		bird: {
			"..........c",
			".......aa.c",
			"......aaaac",
			"......adaa.",
			".......aa..",
			"bb.....aa.d",
			"bbb...aaa.d",
			".bbb.aaaa.d",
			"..bbaaabaad",
			"...baabbbad",
			"...aaabbaad",
			"....aaaaa.d",
			".....aaa..d",
			".....c.c..d",
			".....c.c..d",
			"....cc.cc.d",
			"..........d",
			"ddddddddddd",
			".a.a.a.a.a.",
			"a.a.a.a.a.a",
			"ddddddddddd",
		},
		eye: {
			"...d...d..d",
			"....d..d..d",
			"........ddd",
			"......dddaa",
			"....dddaaaa",
			"...ddaaaabb",
			"..ddaaabbbb",
			".ddaaabbbcc",
			"ddaaabbbcdd",
			"daaaabbccdd",
			"daaaabbcddd",
		},
		dragon: {
			"..aaaaaa...",
			".aaaaaaaa..",
			".aaa...aaa.",
			".aa.....aa.",
			".aa.cc..aa.",
			".aa.c......",
			".aa........",
			".aaa.......",
			".aaaaaa...d",
			"..aaaaaaa.d",
			"bb..aaaaa.d",
			"bb.....aaad",
			"........aad",
			"........aa.",
			".....c..aa.",
			".aa.cc..aa.",
			".aa.....aa.",
			".aaa...aaa.",
			"..aaaaaaa..",
			"...aaaaa...",
			"...........",
		},
		rosette: {
			"..........b",
			"....bb...bb",
			"...bbbb.bbb",
			"..bbabb.baa",
			".bbaaabbbaa",
			".bbbaaabbba",
			"..bbbaaaddd",
			"...bbbaddcc",
			".bbbbbddccc",
			"bbaaabdcccd",
			"bbaaabdccdd",
		},
		handsOnHips: {
			"..........d",
			".........da",
			"........daa",
			".........da",
			"..........d",
			"..aaaaaaaaa",
			".aaaaaaaaaa",
			".aa......aa",
			".aa.aaa..aa",
			".aa...a..aa",
			".aaaaaa.aaa",
			"..aaaa.aaaa",
			"......aaaaa",
			".....aaabbb",
			"....aaabbbb",
			"...aaabbbcc",
			"..aaabbbccc",
			".aaabbbcccc",
			"aaaaaaaaaaa",
			"d.d.d.d.d.d",
			"d.d.d.d.d.d",
		},
	}
}

// motif is a pattern in full: dyes by row and column.
type motif [motifKnots][motifKnots]dye

func unfold(rows []string) *motif {
	var m motif
	for y := range motifKnots {
		row := rows[min(y, len(rows)-1)]
		if len(rows) <= motifKnots/2+1 && y >= len(rows) {
			row = rows[motifKnots-1-y]
		}
		for x := range motifKnots {
			m[y][x] = dyeOf(row[min(x, motifKnots-1-x)])
		}
	}
	return &m
}

func dyeOf(c byte) dye {
	switch c {
	case 'd':
		return dark
	case 'a':
		return mainDye
	case 'b':
		return second
	case 'c':
		return accent
	}
	return ground
}
