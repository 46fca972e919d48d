//go:build !amd64

package gemm

// fastest is the best kernel that this processor can run.
func fastest() kernel { return plain{} }
