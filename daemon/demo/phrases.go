package demo

// phrases are one language's sentences. In them stand
//
//	{o} object  {m} motif  {x} material  {k} craft  {b} belief  {g} occasion
//	{c} culture {p} place  {s} mode      {f} the culture that it is borrowed from
//
// in a form that needs no inflection.
type phrases struct {
	titles   map[Kind][]string
	opening  map[Kind][]string
	motif    []string // names the motif
	unnamed  []string // speaks of a pattern without its name
	mode     []string
	tune     []string // speaks of a melody without its mode's name
	belief   []string
	occasion []string
	borrowed []string
	verses   []string
	dynasty  string
	circa    string // with %s, a year
	century  string // with %s, its number
}

func phraseBook() [languages]phrases {
	return [languages]phrases{
		english: {
			titles: map[Kind][]string{
				Textile:   {"{o} from {p}", "{c} {o}", "{o} for a {g}"},
				Page:      {"{o}, {p}", "leaf on {b}"},
				Codex:     {"{o} of {p}", "the book of {b}"},
				Recording: {"{g} song from {p}", "song of the {c}", "{s}, sung in {p}"},
				Entry:     {"{o}", "{o}, {c}"},
			},
			opening: map[Kind][]string{
				Textile:   {"{o} of {x}, made in {p}.", "{x}, {k}; {c} work from around {p}.", "a {c} {o}, bought in {p}; {x} throughout."},
				Page:      {"{o} on {x}, from {p}, with a painted border.", "a leaf in {k}, written in {p}."},
				Codex:     {"{o} on {x} in its old binding, from {p}.", "bound leaves in {k}; the scribes worked in {p}."},
				Recording: {"{o}, made in {p} on {x}.", "a {c} singer of {p}; {k}.", "{k}, recorded during a {g} in {p}."},
				Entry:     {"{o}; {x}. Not photographed yet.", "{o} from {p}, seen in 1931, whereabouts unknown since."},
			},
			motif:    []string{"The field is filled with the {m}.", "The pattern is the one that weavers call \"{m}\".", "Rows of \"{m}\", turned against each other, between narrow borders."},
			unnamed:  []string{"The pattern repeats in alternating colours.", "The drawing is crisp, the colours have kept well."},
			mode:     []string{"The melody is in {s}.", "Its mode is {s}, with a long last note."},
			tune:     []string{"The melody falls by steps to its last note.", "A short tune, sung twice."},
			belief:   []string{"The owners spoke of {b}.", "It is said to stand for {b}.", "Older people connect it with {b}."},
			occasion: []string{"Used at a {g}.", "Brought out for {g} only."},
			borrowed: []string{"The {c} have this from the {f}.", "In the manner of the {f}."},
			verses: []string{"the river took my shuttle and gave me back a song", "seven knots I tied for you, the eighth is for the road",
				"who weaves at night weaves with the moon's own thread", "red is for the morning, blue is for the way",
				"mother, count the rows again, one of them is mine", "a bird sat on the loom and would not name its price",
				"the sheep know all our secrets, we wear what they have heard", "fold me in the wedding cloth when the water rises"},
			dynasty: "%s dynasty", circa: "c. %s", century: "%sth century",
		},
		turkish: {
			titles: map[Kind][]string{
				Textile:   {"{o}, {p}", "{c} işi {o}", "{g} için {o}"},
				Page:      {"{o}, {p}", "{b} üzerine yaprak"},
				Codex:     {"{o}, {p}", "{b} kitabı"},
				Recording: {"{g} ezgisi, {p}", "{c} ezgisi", "{s} makamında ezgi, {p}"},
				Entry:     {"{o}", "{o}, {c}"},
			},
			opening: map[Kind][]string{
				Textile:   {"{p} yöresinden {o}; malzemesi {x}.", "{k} tekniğiyle yapılmış {c} işi {o}.", "{x} ile dokunmuş {o}; {p} yakınlarında bulundu."},
				Page:      {"{x} üzerine yazılmış {o}; kenarı bezemeli.", "{p} yöresinde yazılmış yaprak; {k}."},
				Codex:     {"{x} üzerine {o}; eski cildi duruyor.", "{p} yöresinden ciltli yapraklar; {k}."},
				Recording: {"{p} yöresinde alınmış {o}; {x}.", "{c} bir okuyucudan {k}.", "{g} sırasında {p} yöresinde kaydedildi; {k}."},
				Entry:     {"{o}; {x}. Henüz fotoğrafı çekilmedi.", "{p} yöresinden {o}; 1931'de görüldü, sonrası bilinmiyor."},
			},
			motif:    []string{"Zemini {m} motifi doldurur.", "Dokuyucuların \"{m}\" dediği motif görülür.", "Dar kenar suları arasında sıra sıra \"{m}\"."},
			unnamed:  []string{"Desen değişen renklerle yinelenir.", "Çizgileri keskin, renkleri canlı kalmış."},
			mode:     []string{"Ezgi {s} makamındadır.", "Makamı {s}; son ses uzun tutulur."},
			tune:     []string{"Ezgi basamak basamak karara iner.", "İki kez okunan kısa bir ezgi."},
			belief:   []string{"Sahipleri bunu {b} ile ilişkilendirir.", "Anlamının {b} olduğu söylenir."},
			occasion: []string{"{g} için kullanılırdı.", "Yalnız {g} günlerinde çıkarılırdı."},
			borrowed: []string{"{c} halkı bunu {f} halkından almıştır.", "{f} tarzında."},
			verses: []string{"ırmak mekiğimi aldı, bana bir türkü verdi", "yedi düğüm attım sana, sekizincisi yola",
				"gece dokuyan ayın ipliğiyle dokur", "kırmızı sabah içindir, mavi yol için",
				"ana, sıraları bir daha say, biri benim", "tezgâha bir kuş kondu, pahasını söylemedi",
				"koyunlar sırrımızı bilir, duyduklarını giyeriz", "su yükselince beni düğün bezine sar"},
			dynasty: "%s hanedanı", circa: "%s dolayları", century: "%s. yüzyıl",
		},
		french: {
			titles: map[Kind][]string{
				Textile:   {"{o}, {p}", "{o} {c}", "{o} ({g})"},
				Page:      {"{o}, {p}", "feuillet : {b}"},
				Codex:     {"{o}, {p}", "livre : {b}"},
				Recording: {"chant ({g}), {p}", "chant {c}", "{s}, chanté à {p}"},
				Entry:     {"{o}", "{o}, {c}"},
			},
			opening: map[Kind][]string{
				Textile:   {"{o} en {x}, provenant de {p}.", "travail {c}, {k} ; {x}.", "{o} acquis à {p}, entièrement en {x}."},
				Page:      {"{o} sur {x}, bordure peinte ; {p}.", "feuillet écrit à {p} ; {k}."},
				Codex:     {"{o} sur {x} dans sa reliure ancienne, {p}.", "feuillets reliés, {k} ; copié à {p}."},
				Recording: {"{o} réalisé à {p} sur {x}.", "voix {c} de {p} ; {k}.", "{k}, enregistré à {p} ({g})."},
				Entry:     {"{o} ; {x}. Pas encore photographié.", "{o} de {p}, vu en 1931, perdu depuis."},
			},
			motif:    []string{"Le champ est couvert du motif « {m} ».", "On y voit le motif que les tisserandes nomment « {m} ».", "Rangs de « {m} » opposés, entre d'étroites bordures."},
			unnamed:  []string{"Le décor se répète en couleurs alternées.", "Le dessin est net, les couleurs sont restées vives."},
			mode:     []string{"La mélodie est en {s}.", "Mode {s}, avec une longue note finale."},
			tune:     []string{"La mélodie descend par degrés vers sa finale.", "Un air bref, chanté deux fois."},
			belief:   []string{"Sens donné par les propriétaires : {b}.", "On y attache l'idée suivante : {b}."},
			occasion: []string{"Usage : {g}.", "Ne sortait que pour une occasion : {g}."},
			borrowed: []string{"Emprunt {c} aux {f}.", "À la manière des {f}."},
			verses: []string{"la rivière a pris ma navette et m'a rendu un chant", "j'ai noué sept nœuds pour toi, le huitième est pour la route",
				"qui tisse la nuit tisse au fil de la lune", "le rouge est pour le matin, le bleu pour le chemin",
				"mère, recompte les rangs, l'un d'eux est à moi", "un oiseau sur le métier n'a pas dit son prix",
				"les brebis savent nos secrets, nous portons ce qu'elles ont entendu", "roule-moi dans le drap de noces quand l'eau montera"},
			dynasty: "dynastie %s", circa: "vers %s", century: "%se siècle",
		},
		german: {
			titles: map[Kind][]string{
				Textile:   {"{o} aus {p}", "{o} der {c}", "{o} ({g})"},
				Page:      {"{o}, {p}", "Blatt: {b}"},
				Codex:     {"{o} aus {p}", "Buch: {b}"},
				Recording: {"Lied aus {p} ({g})", "Lied der {c}", "{s}, gesungen in {p}"},
				Entry:     {"{o}", "{o}, {c}"},
			},
			opening: map[Kind][]string{
				Textile:   {"{o} aus {p}; Material: {x}.", "Arbeit der {c}, {k}; {x}.", "{o}, in {p} erworben; durchgehend {x}."},
				Page:      {"{o} auf {x} mit gemaltem Rand, {p}.", "Blatt aus {p}; {k}."},
				Codex:     {"{o} auf {x} im alten Einband, {p}.", "Gebundene Blätter, {k}; geschrieben in {p}."},
				Recording: {"{o} aus {p}, {x}.", "Stimme der {c} aus {p}; {k}.", "{k}, aufgenommen in {p} ({g})."},
				Entry:     {"{o}; {x}. Noch ohne Aufnahme.", "{o} aus {p}, 1931 gesehen, seither verschollen."},
			},
			motif:    []string{"Das Muster „{m}“ bedeckt das Feld.", "Zu sehen ist, was die Weberinnen „{m}“ nennen.", "Reihen von „{m}“, gegeneinander gestellt, zwischen schmalen Borten."},
			unnamed:  []string{"Das Muster kehrt in wechselnden Farben wieder.", "Die Zeichnung ist klar, die Farben sind frisch."},
			mode:     []string{"Die Melodie steht in {s}.", "Modus {s}, mit langem Schlusston."},
			tune:     []string{"Die Melodie steigt schrittweise zum Schlusston herab.", "Eine kurze Weise, zweimal gesungen."},
			belief:   []string{"Nach den Besitzern bedeutet es: {b}.", "Dahinter steht ein alter Glaube: {b}."},
			occasion: []string{"Anlass: {g}.", "Nur zu einem Anlass hervorgeholt: {g}."},
			borrowed: []string{"Die {c} haben dies von den {f}.", "Nach Art der {f}."},
			verses: []string{"der Fluss nahm mir das Schiffchen und gab mir ein Lied", "sieben Knoten band ich dir, der achte gilt dem Weg",
				"wer bei Nacht webt, webt mit dem Faden des Mondes", "Rot ist für den Morgen, Blau ist für den Weg",
				"Mutter, zähl die Reihen neu, eine davon ist mein", "ein Vogel saß am Webstuhl und nannte keinen Preis",
				"die Schafe kennen jedes Wort, wir tragen, was sie hörten", "hüll mich in das Hochzeitstuch, wenn das Wasser steigt"},
			dynasty: "%s-Dynastie", circa: "um %s", century: "%s. Jahrhundert",
		},
		persian: {
			titles: map[Kind][]string{
				Textile:   {"{o}، {p}", "{o} {c}", "{o} برای {g}"},
				Page:      {"{o}، {p}", "برگی دربارهٔ {b}"},
				Codex:     {"{o}، {p}", "کتاب {b}"},
				Recording: {"ترانهٔ {g}، {p}", "ترانهٔ {c}", "آوازی در مقام {s}، {p}"},
				Entry:     {"{o}", "{o}، {c}"},
			},
			opening: map[Kind][]string{
				Textile:   {"{o} از جنس {x}، بافت {p}.", "کار {c}، {k}؛ {x}.", "{o} که در {p} خریداری شده؛ سراسر {x}."},
				Page:      {"{o} روی {x} با حاشیهٔ رنگین، از {p}.", "برگی که در {p} نوشته شده؛ {k}."},
				Codex:     {"{o} روی {x} با جلد کهنه، از {p}.", "برگ\u200cهای صحافی\u200cشده، {k}؛ نوشتهٔ {p}."},
				Recording: {"{o} در {p} روی {x}.", "خواننده\u200cای {c} از {p}؛ {k}.", "{k}، ضبط\u200cشده هنگام {g} در {p}."},
				Entry:     {"{o}؛ {x}. هنوز عکس ندارد.", "{o} از {p}، در ۱۹۳۱ دیده شده و پس از آن ناپدید."},
			},
			motif:    []string{"نقش «{m}» زمینه را پر کرده است.", "نقشی که بافندگان «{m}» می\u200cنامند.", "ردیف\u200cهای «{m}» روبه\u200cروی هم، میان حاشیه\u200cهای باریک."},
			unnamed:  []string{"نقش با رنگ\u200cهای یک در میان تکرار می\u200cشود.", "خط\u200cها روشن است و رنگ\u200cها خوب مانده."},
			mode:     []string{"آهنگ در مقام {s} است.", "مقام {s} با فرود کشیده."},
			tune:     []string{"آهنگ پله\u200cپله فرود می\u200cآید.", "آهنگی کوتاه که دو بار خوانده می\u200cشود."},
			belief:   []string{"به گفتهٔ صاحبان، نشان {b} است.", "پیران آن را نشانهٔ {b} می\u200cدانند."},
			occasion: []string{"برای {g} به کار می\u200cرفت.", "تنها هنگام {g} بیرون آورده می\u200cشد."},
			borrowed: []string{"{c}ها این را از {f}ها گرفته\u200cاند.", "به شیوهٔ {f}."},
			verses: []string{"رود ماکوی مرا برد و ترانه\u200cای پس داد", "هفت گره برای تو زدم، هشتمی برای راه",
				"آن که شب می\u200cبافد با نخ ماه می\u200cبافد", "سرخ برای بامداد است، آبی برای راه",
				"مادر، ردیف\u200cها را دوباره بشمار، یکی از من است", "پرنده\u200cای بر دار نشست و بهایش را نگفت",
				"گوسفندان رازمان را می\u200cدانند، ما شنیده\u200cهایشان را می\u200cپوشیم", "چون آب برآید مرا در پارچهٔ عروسی بپیچ"},
			dynasty: "دودمان %s", circa: "حدود %s", century: "سدهٔ %s",
		},
	}
}
