//go:build !purego

package bound

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func boundsAVX2(f *factors, numbers, products, words, entities, total, general *float32, peaks *peak)

var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// bounds writes upper bounds of the scores with the artifacts of a block, and the greatest of each stride: products are those of codes, words and entities what lookUp
// has found, numbers the block's.
func bounds(f *factors, numbers, products, words, entities, total, general []float32, peaks []peak) {
	if !hasAVX2 {
		boundsGo(f, numbers, products, words, entities, total, general, peaks)
		return
	}
	first := func(x []float32) *float32 { return unsafe.SliceData(x[:blockSize]) }
	boundsAVX2(f, unsafe.SliceData(numbers[:rowCount*blockSize]), first(products), first(words), first(entities), first(total), first(general),
		unsafe.SliceData(peaks[:strides]))
}
