package profile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// feedBuffer is the length of the buffers through which a feed is read.
	feedBuffer = 256 << 10
	// packings bounds how often what is unpacked is packed again.
	packings = 3
	// zstdWindow is the largest that zstd makes with --long and without asking its reader for more.
	zstdWindow = 128 << 20
)

// unread are the forms of files that are told by their first bytes and not read.
var unread = []struct{ magic, name, help string }{
	{"PK\x03\x04", "a zip archive", "unzip -p FILE | kilim feed -"},
	{"PK\x05\x06", "an empty zip archive", "want JSON Lines"},
	{"\xfd7zXZ\x00", "xz", "xz -dc FILE | kilim feed -"},
	{"LZIP", "lzip", "lzip -dc FILE | kilim feed -"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so FILE | kilim feed -"},
	{"Rar!\x1a\x07", "a RAR archive", "unpack it first"},
	{"\x04\x22\x4d\x18", "lz4", "lz4 -dc FILE | kilim feed -"},
	{"\xff\x06\x00\x00sNaPpY", "snappy", "unpack it first"},
	{"\x1f\x9d", "compress (.Z)", "gzip -dc FILE | kilim feed -"},
	{"PAR1", "Parquet", "want JSON Lines"},
	{"Obj\x01", "Avro", "want JSON Lines"},
	{"SQLite format 3\x00", "an SQLite database", "want JSON Lines"},
	{"%PDF", "PDF", "want JSON Lines"},
	{"\xff\xfe\x00\x00", "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE | kilim feed -"},
	{"\x00\x00\xfe\xff", "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE | kilim feed -"},
	{"\xff\xfe", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | kilim feed -"},
	{"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | kilim feed -"},
	{"{\x00", "UTF-16 or UTF-32", "iconv -f UTF-16LE -t UTF-8 FILE | kilim feed -"},
	{"[\x00", "UTF-16 or UTF-32", "iconv -f UTF-16LE -t UTF-8 FILE | kilim feed -"},
	{"\x00{", "UTF-16", "iconv -f UTF-16BE -t UTF-8 FILE | kilim feed -"},
	{"\x00[", "UTF-16", "iconv -f UTF-16BE -t UTF-8 FILE | kilim feed -"},
	{"\x00\x00\x00", "UTF-32", "iconv -f UTF-32BE -t UTF-8 FILE | kilim feed -"},
}

// The place and the name of what tells a tar archive.
const (
	tarMagic = "ustar"
	tarAt    = 257
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// Feed returns the lines of a file of records: UTF-8, plain, or packed by gzip, zstd or bzip2, which is told by its
// first bytes. A byte order mark is left out. What is known to be of another form is refused by its name.
func Feed(r io.Reader) (*bufio.Reader, error) {
	in, err := Unpack(r)
	if err != nil {
		return nil, err
	}
	head, err := start(in)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the input: %w", err)
	case bytes.HasPrefix(head, byteOrderMark):
		_, err := in.Discard(len(byteOrderMark))
		return in, err
	case len(head) > tarAt && bytes.HasPrefix(head[tarAt:], []byte(tarMagic)):
		return nil, errors.New("the input is a tar archive: tar -xOf FILE | kilim feed -")
	}
	for _, form := range unread {
		if bytes.HasPrefix(head, []byte(form.magic)) {
			return nil, fmt.Errorf("the input is %s, which is not read: %s", form.name, form.help)
		}
	}
	return in, nil
}

// Unpack returns what a file holds that is packed by gzip, zstd or bzip2, or not packed. What that is, it does not look at.
func Unpack(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, feedBuffer)
	as := ""
	for range packings {
		head, err := start(in)
		if err != nil {
			return nil, fmt.Errorf("reading the input%s: %w", as, err)
		}
		text, packing, err := unpack(in, head)
		as = " as " + packing
		if err != nil {
			return nil, fmt.Errorf("reading the input%s: %w", as, err)
		}
		if text == nil {
			return in, nil
		}
		in = bufio.NewReaderSize(text, feedBuffer)
	}
	return nil, fmt.Errorf("the input is packed more than %d times", packings-1)
}

// start peeks at the first bytes. Of what may be JSON it waits for two bytes only: more may not come for a while, when
// somebody writes lines by hand.
func start(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(2)
	if len(head) == 2 && !bytes.ContainsRune([]byte("{[ \t\r\n"), rune(head[0])) {
		head, err = in.Peek(tarAt + len(tarMagic))
	}
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, err
	}
	return head, nil
}

// unpack returns nil for what is not packed, or in a way that is not read.
func unpack(in *bufio.Reader, head []byte) (text io.Reader, packing string, err error) {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		return z, "gzip", err
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) > 3 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		// One at a time needs no goroutines, which nobody would end.
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		return z, "zstd", err
	case len(head) > 9 && bytes.HasPrefix(head, []byte("BZh")) && bytes.Equal(head[4:10], []byte{0x31, 0x41, 0x59, 0x26, 0x53, 0x59}):
		return bzip2.NewReader(in), "bzip2", nil
	}
	return nil, "", nil
}
