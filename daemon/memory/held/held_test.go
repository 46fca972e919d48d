package held

import (
	"runtime"
	"testing"
)

// TestNow: what is allocated and used is in the account, by the runtime and by the kernel.
func TestNow(t *testing.T) {
	const size = 64 << 20
	before := Now()
	b := make([]byte, size)
	for i := range b {
		b[i] = 1
	}
	runtime.GC()
	now := Now()
	if now.Live < size {
		t.Errorf("%d bytes are live beside an array of %d", now.Live, size)
	}
	if grown := now.Live + now.Garbage; grown < size || grown > before.Live+before.Garbage+2*size {
		t.Errorf("objects take %d bytes, %d before an array of %d", grown, before.Live+before.Garbage, size)
	}
	if now.Other == 0 || now.Other > size {
		t.Errorf("stacks and the runtime take %d bytes", now.Other)
	}
	if runtime.GOOS == "linux" {
		if now.Own < size || now.Mapped == 0 {
			t.Errorf("the kernel counts %d bytes of the process's own and %d mapped", now.Own, now.Mapped)
		}
	}
	runtime.KeepAlive(b)
}
