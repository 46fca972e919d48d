//go:build !purego

package dist

func (i instructionSet) String() string {
	return [...]string{"Go", "AVX2", "AVX-512", "AVX-512 VNNI"}[i]
}
