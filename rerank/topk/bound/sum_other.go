//go:build purego || !amd64

package bound

// bounds writes upper bounds of the scores with the artifacts of a block, and the greatest of each stride: products are those of codes, words and entities what lookUp
// has found, numbers the block's.
func bounds(f *factors, numbers, products, words, entities, total, general []float32, peaks []peak) {
	boundsGo(f, numbers, products, words, entities, total, general, peaks)
}
