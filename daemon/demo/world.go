package demo

// The tables here are the invented world. Indexes into them are what the rest of
// the package calls a culture, a motif, a mode and so on.

// word is a concept in each language of the archive; English is also its label
// as a theme.
type word [languages]string

const (
	english = iota
	turkish
	french
	german
	persian
	languages
)

func languageCode(l int) string {
	return [languages]string{"en", "tr", "fr", "de", "fa"}[l]
}

// name is a proper name: in Latin letters, and in the Persian alphabet.
type name struct{ latin, persian string }

func (n name) in(language int) string {
	if language == persian {
		return n.persian
	}
	return n.latin
}

// place lies somewhere in an ocean.
type place struct {
	name     name
	lat, lon int // hundredths of a degree
}

type culture struct {
	name      name
	from, to  int // years
	places    [3]place
	dynasties [2]name // one follows the other at the middle of the time
	motifs    []int   // native
	mode      int     // native
	crafts    [2]int  // favourite ones of textiles
	border    int
	dyes      [5]uint32 // dark, ground, main, second, accent; 0xRRGGBB
	voice     [3]int    // loudness of the first three partials
}

// Indexes of the cultures.
const (
	oruvel = iota
	tamsheri
	kelunda
	ysmarra
	vadrosk
	hathuin
	pelmora
	nawellu
)

func cultures() []culture {
	return []culture{
		oruvel: {name{"Oruvel", "اوروول"}, 1000, 1930,
			[3]place{{name{"Astrun", "آسترون"}, 3110, -4120}, {name{"Varrowmere", "وارومیر"}, 3275, -4010}, {name{"Ochelle", "اوشل"}, 3040, -3960}},
			[2]name{{"Arun", "آرون"}, {"Eskelin", "اسکلین"}}, []int{ramsHorn, comb}, 0, [2]int{slitTapestry, soumak}, 0,
			[5]uint32{0x2b1d1a, 0xa3262a, 0xe9d8b4, 0x1f3a5f, 0xd99a2b}, [3]int{10, 3, 1}},
		tamsheri: {name{"Tamsheri", "تمشری"}, 1000, 1930,
			[3]place{{name{"Tamshad", "تمشاد"}, 2840, -3580}, {name{"Birrun", "بیرون\u200cآباد"}, 2725, -3490}, {name{"Elvasar", "الواسر"}, 2610, -3605}},
			[2]name{{"Sahane", "ساهانه"}, {"Mirath", "میراث\u200cوند"}}, []int{eightStar}, 1, [2]int{knottedPile, embroidery}, 1,
			[5]uint32{0x141b33, 0x1e3f66, 0xf0e2c0, 0xb5452c, 0x8fb8a8}, [3]int{10, 1, 4}},
		kelunda: {name{"Kelunda", "کلوندا"}, 1050, 1930,
			[3]place{{name{"Kelun", "کلون"}, -1210, -2320}, {name{"Ombiri", "اومبیری"}, -1345, -2210}, {name{"Sedawe", "سداوه"}, -1420, -2455}},
			[2]name{{"Bantoro", "بانتورو"}, {"Ilemu", "ایلمو"}}, []int{steppedLozenge, handsOnHips}, 2, [2]int{slitTapestry, brocade}, 2,
			[5]uint32{0x221510, 0xd8a03a, 0x3b2a20, 0x9c2f1e, 0xf3e7cf}, [3]int{10, 6, 2}},
		ysmarra: {name{"Ysmarra", "یسمارا"}, 1000, 1930,
			[3]place{{name{"Ysmar", "یسمار"}, 4530, -3130}, {name{"Lethe Quay", "لته\u200cبندر"}, 4615, -3025}, {name{"Corviane", "کورویان"}, 4410, -2980}},
			[2]name{{"Corvane", "کوروان"}, {"Ostreil", "اوسترل"}}, []int{runningWater}, 3, [2]int{brocade, embroidery}, 3,
			[5]uint32{0x17222b, 0xe6dfcf, 0x2d6a7a, 0x7fa6a0, 0xb4553f}, [3]int{10, 2, 2}},
		vadrosk: {name{"Vadrosk", "وادروسک"}, 1100, 1930,
			[3]place{{name{"Vadra", "وادرا"}, 5220, -3560}, {name{"Hrosk", "هروسک"}, 5315, -3440}, {name{"Temna Ford", "تمنا"}, 5105, -3655}},
			[2]name{{"Brevnar", "بروانار"}, {"Koslad", "کوسلاد"}}, []int{treeOfLife, bird}, 4, [2]int{felt, embroidery}, 4,
			[5]uint32{0x1c1c1c, 0x7d1f2b, 0xefe9dd, 0x3f5b3a, 0xd4b13f}, [3]int{10, 5, 4}},
		hathuin: {name{"Hathuin", "هاثوین"}, 1000, 1930,
			[3]place{{name{"Hathu", "هاثو"}, 1010, -4430}, {name{"Winmar", "وینمار"}, 935, -4310}, {name{"Sooke Tarn", "سوک\u200cتارن"}, 845, -4505}},
			[2]name{{"Aldhuin", "آلدوین"}, {"Marwen", "ماروین"}}, []int{eye}, 5, [2]int{soumak, knottedPile}, 5,
			[5]uint32{0x231a33, 0x5a3a66, 0xe8d7c3, 0xc98b8b, 0xe0b050}, [3]int{10, 1, 1}},
		pelmora: {name{"Pelmora", "پلمورا"}, 1000, 1930,
			[3]place{{name{"Pelm", "پلم"}, -2240, -3010}, {name{"Moravel", "موراول"}, -2355, -2920}, {name{"Isquera", "ایسکرا"}, -2110, -2870}},
			[2]name{{"Tavoral", "تاوورال"}, {"Quindar", "کویندار"}}, []int{rosette}, 6, [2]int{embroidery, slitTapestry}, 6,
			[5]uint32{0x1d2a1b, 0x2f6b4f, 0xf4e6c8, 0xd3593b, 0xe8b84b}, [3]int{10, 4, 1}},
		nawellu: {name{"Nawellu", "ناولو"}, 1150, 1930,
			[3]place{{name{"Nawe", "ناوه"}, -3520, -4140}, {name{"Ellumar", "الومار"}, -3635, -4035}, {name{"Tooloka", "تولوکا"}, -3405, -4260}},
			[2]name{{"Wellare", "ولاره"}, {"Nunari", "نوناری"}}, []int{hookedLozenge, dragon}, 7, [2]int{knottedPile, brocade}, 7,
			[5]uint32{0x2a1a12, 0xc8b08a, 0x5b2d1c, 0x24506b, 0xd96c2c}, [3]int{10, 2, 5}},
	}
}

// route is a planted borrowing: from year on, the culture to uses the motif or mode label of the culture from. All but the year
// are indexes.
type route struct{ label, from, to, year int }

func motifRoutes() []route {
	return []route{
		{ramsHorn, oruvel, tamsheri, 1180}, {ramsHorn, tamsheri, ysmarra, 1390}, {ramsHorn, ysmarra, vadrosk, 1560},
		{eightStar, tamsheri, oruvel, 1260}, {eightStar, tamsheri, hathuin, 1420},
		{steppedLozenge, kelunda, pelmora, 1230}, {steppedLozenge, pelmora, nawellu, 1450},
		{handsOnHips, kelunda, hathuin, 1610},
		{runningWater, ysmarra, vadrosk, 1300}, {runningWater, ysmarra, oruvel, 1520},
		{treeOfLife, vadrosk, tamsheri, 1640},
		{eye, hathuin, kelunda, 1340}, {eye, kelunda, nawellu, 1580},
		{rosette, pelmora, ysmarra, 1480},
		{hookedLozenge, nawellu, pelmora, 1370}, {dragon, nawellu, kelunda, 1690},
	}
}

func modeRoutes() []route {
	return []route{
		{0, oruvel, ysmarra, 1290}, {0, ysmarra, vadrosk, 1500},
		{1, tamsheri, oruvel, 1410}, {2, kelunda, pelmora, 1330}, {3, ysmarra, tamsheri, 1550},
		{4, vadrosk, ysmarra, 1440}, {5, hathuin, tamsheri, 1360}, {6, pelmora, nawellu, 1570},
		{7, nawellu, kelunda, 1400}, {5, hathuin, kelunda, 1620},
	}
}

// collection is where artifacts are kept; it catalogues in one language.
type collection struct {
	name      string
	language  int
	authority bool // gives material, technique and type a URI
	weight    int  // of its holdings, but for recordings
	sound     int  // weight of its recordings
}

func collections() []collection {
	return []collection{
		{"Museum of Woven Things, Aldermoor", english, true, 30, 10},
		{"Yelkova Dokuma Arşivi", turkish, false, 20, 10},
		{"Musée des Fils, Saint-Orme", french, true, 18, 8},
		{"Sammlung Webhaus Ostermark", german, false, 16, 8},
		{"گنجینهٔ نقش و نغمه", persian, true, 16, 14},
		{"Sound Archive of the Three Valleys", english, false, 0, 50},
	}
}
