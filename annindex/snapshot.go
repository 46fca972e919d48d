package annindex

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// A snapshot is a header (magic, version, dimension, count, and the CRC-32C of these), then per
// vector its id and its numbers, little endian, then the CRC-32C of all the vectors.
const (
	snapshotMagic   = "kilimann"
	snapshotVersion = 1
	headerSize      = len(snapshotMagic) + 4 + 4 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func snapshotHeader(dim, count int) []byte {
	b := append(make([]byte, 0, headerSize+4), snapshotMagic...)
	b = binary.LittleEndian.AppendUint32(b, snapshotVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(dim))
	b = binary.LittleEndian.AppendUint64(b, uint64(count))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func writeSnapshot(w io.Writer, dim int, ids []uint64, vectors []float32) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	sum := crc32.New(castagnoli)
	out := io.MultiWriter(buffered, sum)
	if _, err := buffered.Write(snapshotHeader(dim, len(ids))); err != nil {
		return fmt.Errorf("annindex: write snapshot: %w", err)
	}
	row := make([]byte, 0, 8+4*dim)
	for i, id := range ids {
		row = binary.LittleEndian.AppendUint64(row[:0], id)
		for _, x := range vectors[i*dim : (i+1)*dim] {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(x))
		}
		if _, err := out.Write(row); err != nil {
			return fmt.Errorf("annindex: write snapshot: %w", err)
		}
	}
	if err := binary.Write(buffered, binary.LittleEndian, sum.Sum32()); err != nil {
		return fmt.Errorf("annindex: write snapshot: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("annindex: write snapshot: %w", err)
	}
	return nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}

func readSnapshot(r io.Reader, dim int) (ids []uint64, vectors []float32, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	header := make([]byte, headerSize+4)
	if _, err := io.ReadFull(in, header); err != nil {
		return nil, nil, refuse("header: %v", err)
	}
	body, at := header[:headerSize], len(snapshotMagic)
	if string(body[:at]) != snapshotMagic {
		return nil, nil, refuse("it begins with %q, not %q", body[:at], snapshotMagic)
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(header[headerSize:]) {
		return nil, nil, refuse("the header's checksum is wrong")
	}
	if v := binary.LittleEndian.Uint32(body[at:]); v != snapshotVersion {
		return nil, nil, refuse("version %d, want %d", v, snapshotVersion)
	}
	if d := binary.LittleEndian.Uint32(body[at+4:]); int(d) != dim {
		return nil, nil, refuse("dimension %d, the index has %d", d, dim)
	}
	count := binary.LittleEndian.Uint64(body[at+8:])
	sum := crc32.New(castagnoli)
	row := make([]byte, 8+4*dim)
	seen := map[uint64]struct{}{}
	for i := range count {
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, nil, refuse("vector %d of %d: %v", i, count, err)
		}
		sum.Write(row)
		id := binary.LittleEndian.Uint64(row)
		if _, ok := seen[id]; ok {
			return nil, nil, refuse("id %d occurs twice", id)
		}
		seen[id] = struct{}{}
		ids = append(ids, id)
		for j := 8; j < len(row); j += 4 {
			vectors = append(vectors, math.Float32frombits(binary.LittleEndian.Uint32(row[j:])))
		}
	}
	var want uint32
	if err := binary.Read(in, binary.LittleEndian, &want); err != nil {
		return nil, nil, refuse("checksum: %v", err)
	}
	if sum.Sum32() != want {
		return nil, nil, refuse("the checksum of the vectors is wrong")
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, nil, refuse("something follows the last vector")
	}
	return ids, vectors, nil
}
