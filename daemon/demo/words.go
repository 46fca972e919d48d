package demo

// Motif families.
const (
	steppedLozenge = iota
	hookedLozenge
	eightStar
	runningWater
	ramsHorn
	comb
	treeOfLife
	bird
	eye
	dragon
	rosette
	handsOnHips
)

func motifWords() []word {
	return []word{
		steppedLozenge: {"stepped lozenge", "basamaklı baklava", "losange à degrés", "Stufenraute", "لوزی پله\u200cای"},
		hookedLozenge:  {"hooked lozenge", "çengelli baklava", "losange à crochets", "Hakenraute", "لوزی قلاب\u200cدار"},
		eightStar:      {"eight-pointed star", "sekiz köşeli yıldız", "étoile à huit branches", "achtstrahliger Stern", "ستارهٔ هشت\u200cپر"},
		runningWater:   {"running water", "akarsu", "eau courante", "fließendes Wasser", "آب روان"},
		ramsHorn:       {"ram's horn", "koçboynuzu", "corne de bélier", "Widderhorn", "شاخ قوچ"},
		comb:           {"comb", "tarak", "peigne", "Kamm", "شانه"},
		treeOfLife:     {"tree of life", "hayat ağacı", "arbre de vie", "Lebensbaum", "درخت زندگی"},
		bird:           {"bird", "kuş", "oiseau", "Vogel", "پرنده"},
		eye:            {"eye", "göz", "œil", "Auge", "چشم"},
		dragon:         {"dragon", "ejder", "dragon", "Drache", "اژدها"},
		rosette:        {"rosette", "rozet", "rosace", "Rosette", "گل گرد"},
		handsOnHips:    {"hands on hips", "elibelinde", "mains sur les hanches", "Hände in den Hüften", "دست به کمر"},
	}
}

// Crafts: of textiles, then of books, then of song.
const (
	slitTapestry = iota
	soumak
	knottedPile
	brocade
	embroidery
	felt
	inkDrawing
	illumination
	soloSong
	responseSong
)

func craftWords() []word {
	return []word{
		slitTapestry: {"slit tapestry", "ilikli dokuma", "tapisserie à fentes", "Schlitzwirkerei", "چاک\u200cبافی"},
		soumak:       {"soumak", "sumak", "soumak", "Sumakh", "سوماک"},
		knottedPile:  {"knotted pile", "düğümlü dokuma", "velours noué", "Knüpfarbeit", "گره\u200cبافی"},
		brocade:      {"brocading", "cicim", "brochage", "Broschieren", "زری\u200cبافی"},
		embroidery:   {"embroidery", "nakış", "broderie", "Stickerei", "سوزن\u200cدوزی"},
		felt:         {"felting", "keçecilik", "feutrage", "Filzen", "نمدمالی"},
		inkDrawing:   {"ink drawing", "mürekkep çizimi", "dessin à l'encre", "Tuschzeichnung", "طراحی با مرکب"},
		illumination: {"illumination", "tezhip", "enluminure", "Buchmalerei", "تذهیب"},
		soloSong:     {"solo singing", "solo söyleyiş", "chant soliste", "Sologesang", "تک\u200cخوانی"},
		responseSong: {"call and response", "karşılıklı söyleyiş", "chant responsorial", "Wechselgesang", "هم\u200cخوانی نوبتی"},
	}
}

func beliefWords() []word {
	return []word{
		{"protection", "korunma", "protection", "Schutz", "حفاظت"},
		{"fertility", "bereket", "fécondité", "Fruchtbarkeit", "باروری"},
		{"journey of the soul", "ruhun yolculuğu", "voyage de l'âme", "Seelenreise", "سفر روح"},
		{"water of life", "yaşam suyu", "eau vive", "Lebenswasser", "آب حیات"},
		{"guardian beasts", "koruyucu hayvanlar", "animaux gardiens", "Wächtertiere", "جانوران نگهبان"},
		{"fire of the sky", "gök ateşi", "feu du ciel", "Himmelsfeuer", "آتش آسمان"},
		{"ancestors", "atalar", "ancêtres", "Ahnen", "نیاکان"},
		{"union", "birlik", "union", "Vereinigung", "پیوند"},
	}
}

// motifBelief is the belief that a motif stands for; modes have the belief of
// their own number.
func motifBelief(motif int) int {
	return [...]int{
		steppedLozenge: 1, hookedLozenge: 0, eightStar: 5, runningWater: 3, ramsHorn: 4, comb: 7,
		treeOfLife: 6, bird: 2, eye: 0, dragon: 4, rosette: 5, handsOnHips: 1,
	}[motif]
}

// Materials: of textiles, of books, of recordings.
const (
	wool = iota
	goatHair
	silk
	cotton
	camelHair
	parchment
	paper
	waxCylinder
	shellac
)

func materialWords() []word {
	return []word{
		wool:        {"wool", "yün", "laine", "Wolle", "پشم"},
		goatHair:    {"goat hair", "keçi kılı", "poil de chèvre", "Ziegenhaar", "موی بز"},
		silk:        {"silk", "ipek", "soie", "Seide", "ابریشم"},
		cotton:      {"cotton", "pamuk", "coton", "Baumwolle", "پنبه"},
		camelHair:   {"camel hair", "deve yünü", "poil de chameau", "Kamelhaar", "پشم شتر"},
		parchment:   {"parchment", "parşömen", "parchemin", "Pergament", "پوست"},
		paper:       {"paper", "kâğıt", "papier", "Papier", "کاغذ"},
		waxCylinder: {"wax cylinder", "balmumu silindir", "cylindre de cire", "Wachszylinder", "استوانهٔ مومی"},
		shellac:     {"shellac disc", "taş plak", "disque de gomme-laque", "Schellackplatte", "صفحهٔ گرامافون"},
	}
}

// Objects: the first five are textiles.
const (
	kilim = iota
	carpet
	saddleBag
	cradleCloth
	garment
	page
	codex
	song
)

func objectWords() []word {
	return []word{
		kilim:       {"kilim", "kilim", "kilim", "Kelim", "گلیم"},
		carpet:      {"carpet", "halı", "tapis", "Teppich", "قالی"},
		saddleBag:   {"saddle bag", "heybe", "bissac", "Satteltasche", "خورجین"},
		cradleCloth: {"cradle cloth", "beşik örtüsü", "couverture de berceau", "Wiegendecke", "روانداز گهواره"},
		garment:     {"garment", "giysi", "vêtement", "Gewand", "جامه"},
		page:        {"manuscript page", "el yazması yaprağı", "feuillet manuscrit", "Handschriftenblatt", "برگ نسخهٔ خطی"},
		codex:       {"codex", "el yazması kitap", "codex", "Handschrift", "نسخهٔ خطی"},
		song:        {"song recording", "ezgi kaydı", "enregistrement de chant", "Liedaufnahme", "ضبط آواز"},
	}
}

func occasionWords() []word {
	return []word{
		{"wedding", "düğün", "mariage", "Hochzeit", "عروسی"},
		{"harvest", "hasat", "moisson", "Ernte", "درو"},
		{"mourning", "yas", "deuil", "Trauer", "سوگواری"},
		{"birth", "doğum", "naissance", "Geburt", "تولد"},
		{"migration", "göç", "migration", "Wanderung", "کوچ"},
		{"winter nights", "kış geceleri", "nuits d'hiver", "Winternächte", "شب\u200cهای زمستان"},
	}
}

// period is an age of the whole world.
type period struct {
	until int // its last year
	name  word
}

func periods() []period {
	return []period{
		{1199, word{"Age of Reeds", "Sazlar Çağı", "âge des Roseaux", "Schilfzeit", "عصر نی\u200cها"}},
		{1399, word{"Age of Salt", "Tuz Çağı", "âge du Sel", "Salzzeit", "عصر نمک"}},
		{1599, word{"Age of Looms", "Tezgâhlar Çağı", "âge des Métiers", "Webstuhlzeit", "عصر دارها"}},
		{1749, word{"Age of Rivers", "Irmaklar Çağı", "âge des Fleuves", "Flusszeit", "عصر رودها"}},
		{9999, word{"Age of Roads", "Yollar Çağı", "âge des Routes", "Straßenzeit", "عصر راه\u200cها"}},
	}
}
