// Package demo writes the demo archive: artifacts of an invented world, in
// kilim's artifact profile, with a known truth behind every one of them. It is
// what `make run` shows, what load tests feed, and what later evaluations are
// held against. No culture, place, person, mode or institution in it is real.
//
// # Guarantee
//
// An artifact is a pure function of (Seed, ordinal), but for its links to
// artifacts that come later, which are left out where the archive ends before
// their target. So an archive of any size takes constant memory, a smaller one is
// (but for those links) the beginning of a larger one, and two runs give the same
// bytes. Everything is computed in integers: another processor gives the same
// archive too. (Another Go release may compress the PNGs to other bytes; the
// pictures in them stay the same.)
//
// # The planted structure
//
// Eight cultures live from about 1000 to 1930 (recordings are made from 1890 on). Each has places, two dynasties, a
// palette, a preferred border, favourite crafts, and a pool of creators.
//
// Twelve motif families and eight musical modes each begin in one culture. They
// pass on along the Routes: from the year of a route on, the taker uses the giver's
// motif or mode too, and never before. What a culture can use in a year is
// its repertoire then. An artifact takes a borrowed motif (or mode) in 4 of 10 cases
// where its culture has one; the others take a native one.
//
// The picture of a textile or a page is the family's pattern (its form), woven in
// the culture's palette and borders (its colours), in one of several layouts, with
// worn knots. The melody of a recording walks through the mode's scale and
// ends with the mode's own cadence, in the culture's voice. So form tells the motif and
// colour the culture, and a borrowed motif is one culture's form in another's
// colours: what a search across cultures ought to find.
//
// The belief follows the motif in 7 of 10 cases (the mode, where there is no
// motif), else it is anyone's. The craft is one of the culture's two favourites in 8 of 10.
//
// Four kinds: textiles (photographs), manuscript pages and their codices, sung
// recordings, and bare catalogue entries. Every 32 ordinals hold one codex; the
// pages among them are part_of it, and share its culture, time and collection; some
// come before it. One textile in eight is a copy_of an earlier one: of the same motif,
// and, where a route leads on from that one's culture and the time allows, in the taker's
// culture. One artifact in nine is related to an earlier one of the same motif or mode.
//
// Each collection catalogues in its own language (English, Turkish, French, German,
// Persian), and some of them give their terms URIs. Fields are missing at the
// rates of Gaps, terms are misspelt at the rate of Misspelt, and the motif (mode)
// is named in the text only at the rate of Named. `theme` always holds the truth, as
// Describer gives it.
package demo
