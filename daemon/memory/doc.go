// Package memory divides the memory that the daemon may take, the setting memory.limit, among those who keep much of it.
//
// Check refuses a limit that is too small, Default is that of who has set none, and Split gives each part its bytes, a Budget, which package
// app hands over with the part's settings. No part is known here, and none knows of the others: what a cache keeps is
// counted and bounded by the cache.
//
// What a Budget bounds is the process's own memory. Pages of the store's files are mapped besides: the kernel takes them back when it needs
// them, and ends no process of a control group for them. Nor is the archive itself bounded, of which every artifact has its vector in the
// index and its place in the queues. What remains of the limit has to do for it; README tells the bytes an artifact.
package memory
