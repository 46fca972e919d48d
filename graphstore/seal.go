package graphstore

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Every row that is written ends with a checksum of its key and its value, and every row that is read is compared with it.
//
// Badger has checksums of its own, of each block of a table, but reading does not verify them unless told to, and then
// a block that fails is passed over in silence: a Get finds nothing, a scan ends early, and a compaction leaves out the
// rest of the table for good. A row with its own checksum is there and damaged, which can be told from not being there;
// a compaction that copies a damaged row does not make it whole.
const sealSize = crc32.Size

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamagedRow is what reading a row returns that is not as it was written. Of a value that it can't read from its
// value log badger returns nothing, and no error: but no row is empty.
var errDamagedRow = errors.New("the row is damaged: it does not match its checksum, or could not be read from the value log")

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// seal is the value as it is written. The checksum is put behind the value where there is room.
func seal(key, value []byte) []byte {
	return binary.LittleEndian.AppendUint32(value, checksum(key, value))
}

// unseal returns the value that was sealed, or says what is wrong with it.
func unseal(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - sealSize
	if n < 0 || checksum(key, sealed[:n]) != binary.LittleEndian.Uint32(sealed[n:]) {
		return nil, errDamagedRow
	}
	return sealed[:n:n], nil
}
