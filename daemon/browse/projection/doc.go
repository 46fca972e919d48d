// Package projection keeps a map of the archive: a place in the plane for each artifact, so that what is alike is near.
//
//   - Keeper makes it in the background of the Vectors of an Archive, by package layout, and keeps it in a file. Keeper.Changed tells it which
//     artifacts batches have changed, Keeper.Look that somebody looks, Keeper.Run works.
//   - Keeper.Points is the map in 4 bytes a point, which ReadPoints reads, Keeper.Since what has changed of it, Keeper.Codes a byte a point for what the points are
//     coloured by, Keeper.Status where it stands.
//   - Keeper.Collector has metrics of it for whoever scrapes.
//   - Themes are maps of single themes beside it, each a Keeper of its own: Themes.Look gives one, Themes.Run works. Keeper.Slots tell where its artifacts are on the map of
//     the archive.
//   - Keeper.Find and Keeper.Kept tell where an artifact is, and how many of those that are like it are near it on the map.
//
// In come vectors of unit length and the ids of what changed, out go bytes and slots. A slot is the number of a point within an edition of the
// map: it keeps its artifact until the next edition, which a full layout begins, and a start.
//
// # What moves, and when
//
// A newcomer is placed by its nearest on the map (layout.Layout.Place), and nothing else moves. When a tenth of the artifacts has come, gone or
// changed, a round makes the next layout, which starts from the places of the one before; an artifact that has changed keeps its place until then. While
// the archive is less than twice as large as when it was laid out anew, the layout takes 50 steps, and the median point hardly moves; then it is
// laid out anew, with all steps, and still from the places of before, so that what was left stays left. Another state, whose vectors have nothing to do with
// those of the one before, is laid out anew too.
//
// # When it works
//
// While batches come, and until all that they set off is done, newcomers are placed and layouts made only if somebody has looked within ten seconds (Keeper.Look); else they
// wait until somebody looks, or no batch comes for a second and nothing is left to refresh, and a round in whose midst a feed begins waits too. After a flood the background moves
// embeddings for as long as the flood took, and layouts took a sixth of the processor meanwhile, to be made again. A newcomer takes a search in the index and some steps of a descent, at 50 a second
// a twelfth of the daemon's work, and most of the time nobody looks. A point whose artifact is gone is taken away at once all the same, which costs no search.
// Meanwhile the map is that of before, whole, and Status tells of how many more artifacts there are.
//
// # Maps of themes
//
// A theme's map is of the artifacts that have the theme, as their profiles have it (package groups of the themes: the vectors by which cultures are compared in it, too; their inner
// product is what a list of the theme is ordered by but for words and other themes). Its first layout starts from the places of the map of the archive, so that who turns
// from one to the other sees points move; its trust is its own, by the theme's vectors. It has what is guaranteed below, but that one whose profile is another counts as no change before
// the model is another, and that who has come or gone is heard of within some seconds (Keeper.follow).
//
// It is made when somebody looks, worked at only meanwhile, and dropped when nobody has looked for two minutes. At most MostThemes are there: while all are looked at, there is no other
// one. No file has them. One layout is made at a time, of whichever map.
//
// # Bounds
//
// Rounds run on one goroutine with one thread, which rests by package pace, and take a quarter of its time at most. Of Config.Memory half goes to the points that
// are laid out, some 1 KB each, with vectors of 128 numbers, while a round is at work, at most 50,000, and half to all points, those that wait included, some 60 bytes each, at most 300,000. Of a larger archive those
// are laid out whose node ids are the smallest, which are hashes: a sample that neither arrival nor alphabet decides. Others are placed by
// their neighbours in the sample. More than fit are not on the map, and Status says so.
//
// # What is guaranteed
//
// A point whose artifact is gone is on no answer after the Keeper has heard of it. When nothing changes any more, the artifacts on the map are those of the
// state that serves (TestHistories), also after a crash: the file may then be older, and what is missing is placed again.
//
// The package must not know HTTP, what an artifact says, nor how its vector came to be.
package projection
