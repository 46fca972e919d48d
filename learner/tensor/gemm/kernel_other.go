//go:build !amd64

package gemm

// kernels returns those that this processor can run, the fastest first.
func kernels() []kernel { return []kernel{portable()} }
