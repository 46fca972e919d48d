package annindex

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"kilim/annindex/hnsw"
	"kilim/annindex/internal/ann"
)

// A snapshot of the engines flat and coder, which hold vectors only, little endian (that of package hnsw has
// the same beginning and a later version):
//
//	header  magic, version, dimension, count of vectors; CRC-32C of these
//	block   up to blockRows rows of an id (8 bytes) and the numbers (4 each); CRC-32C of these
//	...     until count rows were written; nothing follows
//
// Each block has a checksum, rather than the file one: readSnapshot finds a fault before it believes more than a block,
// and 32 bits are enough for what a block holds. Each checksum continues the one before it, so readSnapshot refuses a
// file in which a block is missing, doubled or in another place (TestSnapshotRefusesBlocks).
const (
	snapshotMagic   = hnsw.Magic
	snapshotVersion = 1
	headerSize      = len(snapshotMagic) + 4 + 4 + 8
	blockRows       = 64
)

func snapshotHeader(dim, count int) []byte {
	b := append(make([]byte, 0, headerSize+4), snapshotMagic...)
	b = binary.LittleEndian.AppendUint32(b, snapshotVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(dim))
	return binary.LittleEndian.AppendUint64(b, uint64(count))
}

// writeSnapshot writes the vectors at(0), at(1), ... of ids.
func writeSnapshot(w io.Writer, dim int, ids []uint64, at func(i int) []float32) error {
	out := bufio.NewWriterSize(w, 1<<16)
	table := ann.Castagnoli()
	block := snapshotHeader(dim, len(ids))
	sum := crc32.Checksum(block, table)
	for i := 0; ; {
		block = binary.LittleEndian.AppendUint32(block, sum)
		if _, err := out.Write(block); err != nil {
			return fmt.Errorf("annindex: write snapshot: %w", err)
		}
		if i == len(ids) {
			break
		}
		block = block[:0]
		for end := min(i+blockRows, len(ids)); i < end; i++ {
			block = binary.LittleEndian.AppendUint64(block, ids[i])
			for _, x := range at(i) {
				block = binary.LittleEndian.AppendUint32(block, math.Float32bits(x))
			}
		}
		sum = crc32.Update(sum, table, block)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("annindex: write snapshot: %w", err)
	}
	return nil
}

// versionOf returns the version of a snapshot without consuming any of it, or 0 if the snapshot has none.
func versionOf(in *bufio.Reader) uint32 {
	head, err := in.Peek(len(snapshotMagic) + 4)
	if err != nil || string(head[:len(snapshotMagic)]) != snapshotMagic {
		return 0
	}
	return binary.LittleEndian.Uint32(head[len(snapshotMagic):])
}

// readSnapshot returns the ids and their vectors, one after another, of a snapshot of any engine. Memory
// grows with what was read and checked, not with what the header announces.
func readSnapshot(r io.Reader, dim int) (ids []uint64, vectors []float32, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if versionOf(in) == hnsw.Version {
		return hnsw.ReadVectors(in, dim)
	}
	header := make([]byte, headerSize+4)
	if _, err := io.ReadFull(in, header); err != nil {
		return nil, nil, ann.Refuse("header: %v", err)
	}
	count, sum, err := readHeader(header, dim)
	if err != nil {
		return nil, nil, err
	}
	table := ann.Castagnoli()
	rowSize := 8 + 4*dim
	buf := make([]byte, blockRows*rowSize+4)
	seen := map[uint64]struct{}{}
	for done := uint64(0); done < count; {
		rows := min(blockRows, count-done)
		block := buf[:int(rows)*rowSize+4]
		if _, err := io.ReadFull(in, block); err != nil {
			return nil, nil, ann.Refuse("after vector %d of %d: %v", done, count, err)
		}
		body, want := block[:len(block)-4], binary.LittleEndian.Uint32(block[len(block)-4:])
		if sum = crc32.Update(sum, table, body); sum != want {
			return nil, nil, ann.Refuse("the checksum after vector %d is wrong", done+rows)
		}
		for ; len(body) > 0; body = body[rowSize:] {
			id := binary.LittleEndian.Uint64(body)
			if _, ok := seen[id]; ok {
				return nil, nil, ann.Refuse("id %d occurs twice", id)
			}
			seen[id] = struct{}{}
			ids = append(ids, id)
			for j := 8; j < rowSize; j += 4 {
				vectors = append(vectors, math.Float32frombits(binary.LittleEndian.Uint32(body[j:])))
			}
			if err := ann.CheckVector(vectors[len(vectors)-dim:], dim); err != nil {
				return nil, nil, ann.Refuse("id %d: %v", id, err)
			}
		}
		done += rows
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, nil, ann.Refuse("something follows the last vector")
	}
	return ids, vectors, nil
}

// readHeader checks a header and returns the count of vectors and the checksum that the next block's continues.
func readHeader(header []byte, dim int) (count uint64, sum uint32, err error) {
	body, at := header[:headerSize], len(snapshotMagic)
	if string(body[:at]) != snapshotMagic {
		return 0, 0, ann.Refuse("it begins with %q, not %q", body[:at], snapshotMagic)
	}
	sum = crc32.Checksum(body, ann.Castagnoli())
	if sum != binary.LittleEndian.Uint32(header[headerSize:]) {
		return 0, 0, ann.Refuse("the header's checksum is wrong")
	}
	if v := binary.LittleEndian.Uint32(body[at:]); v != snapshotVersion {
		return 0, 0, ann.Refuse("version %d, want %d", v, snapshotVersion)
	}
	if d := binary.LittleEndian.Uint32(body[at+4:]); uint64(d) != uint64(dim) {
		return 0, 0, ann.Refuse("dimension %d, the index has %d", d, dim)
	}
	return binary.LittleEndian.Uint64(body[at+8:]), sum, nil
}
