package annindex

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/annindex/internal/ann"
)

// filled returns an index of n vectors with the ids 0, 1, 4, 9, ... and its snapshot.
func filled(t *testing.T, engine string, dim, n int) (Index, []byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(4, uint64(n)))
	ix, err := New(Config{Engine: engine, Dim: dim})
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint64(n) {
		if err := ix.Put(id*id, unit(rng, dim)); err != nil {
			t.Fatal(err)
		}
	}
	return ix, written(t, ix)
}

func written(t *testing.T, ix Index) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := ix.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// refused fails unless the data is refused and the index is as it was.
func refused(t *testing.T, ix Index, what string, data []byte) {
	t.Helper()
	before := written(t, ix)
	if err := ix.Restore(bytes.NewReader(data)); !errors.Is(err, ErrSnapshot) {
		t.Fatalf("%s: %v, want ErrSnapshot", what, err)
	}
	if !bytes.Equal(before, written(t, ix)) {
		t.Fatalf("%s: refused, but the index changed", what)
	}
}

// TestSnapshotRestores restores each engine's snapshot in each engine.
func TestSnapshotRestores(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		const dim = 5
		for _, n := range []int{0, 1, blockRows - 1, blockRows, 2*blockRows + 1} {
			from, whole := filled(t, engine, dim, n)
			for _, other := range Engines() {
				to, _ := filled(t, other, dim, 7)
				if err := to.Restore(bytes.NewReader(whole)); err != nil {
					t.Fatal(err)
				}
				if to.Len() != n || !bytes.Equal(whole, written(t, to)) && engine == other {
					t.Fatalf("%d vectors of %s came back otherwise in %s", n, engine, other)
				}
				was, is := make([]float32, dim), make([]float32, dim)
				for id := range uint64(n) {
					if !from.Vector(id*id, was) || !to.Vector(id*id, is) || !slices.Equal(was, is) {
						t.Fatalf("id %d of %s came back as %v in %s, was %v", id*id, engine, is, other, was)
					}
				}
				if n == 0 {
					continue
				}
				v := make([]float32, dim)
				from.Vector(0, v)
				hits, err := to.Search(v, 1, nil)
				if err != nil || len(hits) != 1 || hits[0].ID != 0 {
					t.Fatalf("search after restore: %v, %v", hits, err)
				}
			}
		}
	})
}

// TestSnapshotRefusesEveryByte tears a small snapshot at every byte and changes a bit of each.
func TestSnapshotRefusesEveryByte(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		rng := rand.New(rand.NewPCG(5, 1))
		ix, whole := filled(t, engine, 3, 12)
		for n := range whole {
			refused(t, ix, fmt.Sprintf("torn at %d", n), whole[:n])
			flipped := slices.Clone(whole)
			flipped[n] ^= 1 << rng.IntN(8)
			refused(t, ix, fmt.Sprintf("bit of byte %d", n), flipped)
		}
		refused(t, ix, "longer", append(slices.Clone(whole), 0))
	})
}

// TestSnapshotRefusesBlocks tears a snapshot of many blocks at every 4 KiB, changes a bit in each, and exchanges, drops
// and doubles blocks.
func TestSnapshotRefusesBlocks(t *testing.T) {
	t.Parallel()
	const dim, step = 32, 4096
	_, whole := filled(t, "flat", dim, 20*blockRows)
	ix, _ := filled(t, "flat", dim, 3)
	rng := rand.New(rand.NewPCG(5, 2))
	for n := 0; n < len(whole); n += step {
		refused(t, ix, fmt.Sprintf("torn at %d", n), whole[:n])
		flipped := slices.Clone(whole)
		at := n + rng.IntN(min(step, len(whole)-n))
		flipped[at] ^= 1 << rng.IntN(8)
		refused(t, ix, fmt.Sprintf("bit of byte %d", at), flipped)
	}
	const size = blockRows*(8+4*dim) + 4
	block := func(i int) []byte { return whole[headerSize+4+i*size:][:size] }
	join := func(blocks ...int) []byte {
		out := slices.Clone(whole[:headerSize+4])
		for _, b := range blocks {
			out = append(out, block(b)...)
		}
		return append(out, whole[headerSize+4+4*size:]...)
	}
	if !bytes.Equal(join(0, 1, 2, 3), whole) {
		t.Fatal("the test does not know where the blocks are")
	}
	refused(t, ix, "exchanged", join(0, 2, 1, 3))
	refused(t, ix, "dropped", join(0, 1, 3))
	refused(t, ix, "doubled", join(0, 1, 1, 3))
}

// TestSnapshotRefusesForeign has files whose content is wrong though their checksums are right.
func TestSnapshotRefusesForeign(t *testing.T) {
	t.Parallel()
	ix, whole := filled(t, "flat", 2, 1)
	write := func(ids []uint64, vectors ...[]float32) []byte {
		var buf bytes.Buffer
		if err := writeSnapshot(&buf, 2, ids, func(i int) []float32 { return vectors[i] }); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	refused(t, ix, "an id twice", write([]uint64{3, 3}, []float32{1, 0}, []float32{0, 1}))
	refused(t, ix, "a NaN", write([]uint64{3}, []float32{1, float32(math.NaN())}))
	refused(t, ix, "zeros", write([]uint64{3}, []float32{0, 0}))

	wide, _ := New(Config{Engine: "flat", Dim: 3})
	refused(t, wide, "another dimension", whole)
	header := func(magic string, version byte, count uint64) []byte {
		b := snapshotHeader(2, int(count))
		copy(b, magic)
		b[len(snapshotMagic)] = version
		sum := crc32.Checksum(b, ann.Castagnoli())
		return append(b, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	}
	refused(t, ix, "another magic", header("kilimanx", snapshotVersion, 0))
	refused(t, ix, "a later version", header(snapshotMagic, snapshotVersion+1, 0))
	refused(t, ix, "a count beyond memory", header(snapshotMagic, snapshotVersion, 1<<62))
}

// full is a writer that fails after some bytes, as a full disk does.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, io.ErrShortWrite
	}
	f.left -= len(p)
	return len(p), nil
}

func TestSnapshotReportsWriteErrors(t *testing.T) {
	t.Parallel()
	ix, whole := filled(t, "flat", 32, 20*blockRows)
	for left := 0; left < len(whole); left += len(whole)/7 + 1 {
		if err := ix.Snapshot(&full{left}); !errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("room for %d of %d bytes: %v", left, len(whole), err)
		}
	}
}
