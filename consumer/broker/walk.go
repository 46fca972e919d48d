package broker

import (
	"encoding/binary"
	"fmt"
)

// walk steps over the fields of a request and allocates nothing. Once failed, it stays so.
type walk struct {
	left   []byte
	failed bool
}

func (w *walk) take(n int) []byte {
	if w.failed || n < 0 || n > len(w.left) {
		w.failed, w.left = true, nil
		return nil
	}
	out := w.left[:n]
	w.left = w.left[n:]
	return out
}

func (w *walk) int16() int {
	if b := w.take(2); b != nil {
		return int(int16(binary.BigEndian.Uint16(b)))
	}
	return 0
}

func (w *walk) int32() int {
	if b := w.take(4); b != nil {
		return int(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (w *walk) uvarint() uint64 {
	v, n := binary.Uvarint(w.left)
	if n <= 0 || v > 1<<31 {
		n, v = -1, 0
	}
	w.take(n)
	return v
}

// text and bytes may be null, which is the length -1.
func (w *walk) text()          { w.take(max(w.int16(), 0)) }
func (w *walk) bytes() []byte  { return w.take(max(w.int32(), 0)) }
func (w *walk) compactString() { w.take(max(int(w.uvarint())-1, 0)) }

// entries is the length of an array of entries that have at least so many bytes each.
func (w *walk) entries(n, least int) int {
	if n > len(w.left)/least {
		w.take(-1)
	}
	if w.failed {
		return 0
	}
	return max(n, 0)
}

func (w *walk) tags() {
	for range w.entries(int(w.uvarint()), 2) {
		w.uvarint()
		w.take(int(w.uvarint()))
	}
}

func (w *walk) whole(name string) error {
	if w.failed {
		return fmt.Errorf("%s ends too early", name)
	}
	return nil
}

func (w *walk) apiVersions(version int16) error {
	if version >= 3 {
		w.compactString() // the client's name
		w.compactString() // and version
		if version >= 5 {
			w.compactString() // cluster id
			w.int32()         // node id
		}
		w.tags()
	}
	return w.whole("ApiVersions")
}

func (w *walk) metadata(version int16) error {
	const topicID = 16
	least, flags := 2, 2
	if version >= 10 {
		least += topicID
	}
	if version <= 10 {
		flags++
	}
	for range w.entries(int(w.uvarint())-1, least) {
		w.take(least - 2)
		w.compactString()
		w.tags()
	}
	w.take(flags)
	w.tags()
	return w.whole("Metadata")
}

func (w *walk) initProducerID(version int16) error {
	w.compactString() // id of the transaction
	w.int32()         // time
	if version >= 3 {
		w.take(8 + 2) // id and epoch of the producer
	}
	w.tags()
	return w.whole("InitProducerID")
}

// produce checks a Produce request, whose arrays could otherwise make kmsg allocate a hundred times its size.
func (w *walk) produce(version int16) (unanswered bool, err error) {
	if version >= 3 {
		w.text() // id of the transaction
	}
	acks := w.int16()
	w.int32() // time
	for range w.entries(w.int32(), 2+4) {
		w.text()
		for range w.entries(w.int32(), 4+4) {
			w.int32() // partition
			batch := w.bytes()
			if w.failed {
				break
			}
			if err := checkBatch(batch); err != nil {
				return false, fmt.Errorf("a Produce: %w", err)
			}
		}
	}
	return acks == 0, w.whole("Produce")
}
