package bound

// stride is how many slots are passed over at once where no bound is large enough, strides how many a block has.
const (
	stride  = 64
	strides = blockSize / stride
)

// factors are what the rows of a block are multiplied with. The assembly reads them in this order.
type factors struct{ products, rest, length, cosine, words, entities, dated float32 }

// peak are the greatest of a stride's bounds, and of what these are above what an artifact's lists want. The assembly writes them in this order.
type peak struct{ total, general, inTotal, inGeneral float32 }

// boundsGo is bounds, see there, in Go.
func boundsGo(f *factors, numbers, products, words, entities, total, general []float32, peaks []peak) {
	row := func(i int) []float32 { return numbers[i*blockSize : (i+1)*blockSize] }
	for j := range peaks {
		p := &peaks[j]
		for at := j * stride; at < (j+1)*stride; at++ {
			g := f.products*products[at] + f.rest*row(rowRest)[at] + f.length*row(rowLength)[at]
			t := f.cosine*g + f.words*row(rowWords)[at] + f.entities*row(rowEntities)[at] + f.dated*row(rowDated)[at] +
				words[at]*row(rowWordScale)[at] + entities[at]*row(rowEntityScale)[at]
			total[at], general[at] = t, g
			own := peak{t, g, t + row(rowTotal)[at], g + row(rowGeneral)[at]}
			if at == j*stride {
				*p = own
				continue
			}
			*p = peak{max(p.total, own.total), max(p.general, own.general), max(p.inTotal, own.inTotal), max(p.inGeneral, own.inGeneral)}
		}
	}
}
