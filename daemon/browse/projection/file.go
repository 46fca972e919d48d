package projection

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"time"

	"kilim/annindex/layout"
	"kilim/internal/atomicfile"
)

// fileFormat is the version of the file. Raise it when head or a point is written otherwise.
const fileFormat = 1

// head is the file's first line. Behind it are the points, of pointBytes each: the id and the place, little-endian.
type head struct {
	Format  int    `json:"format"`
	Made    made   `json:"made"`
	Edition int64  `json:"edition"`
	Frame   frame  `json:"frame"`
	Points  int    `json:"points"`
	Laid    int    `json:"laid"`
	Settled int    `json:"settled"`
	Sum     uint32 `json:"sum"` // CRC-32C of what is behind the line
}

const pointBytes = 16

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// saved is what the file has.
type saved struct {
	edition int64
	version int
	at      time.Time
}

// save writes the file if the map is another and the file is older than every, but for a theme's, which has none. A map that can't be kept is shown all the same: it costs the next start a layout.
func (k *Keeper) save(every time.Duration) {
	now := time.Now()
	if k.cfg.Beside != nil || k.made.At.IsZero() || now.Sub(k.saved.at) < every {
		return
	}
	h, data, version := k.table.encode()
	if k.saved.edition == h.Edition && k.saved.version == version {
		return
	}
	h.Made = k.made
	k.saved = saved{h.Edition, version, now}
	line, err := json.Marshal(h)
	if err == nil {
		err = atomicfile.Write(k.file(), append(append(line, '\n'), data...), nil)
	}
	if err != nil {
		k.cfg.Log.Warn("the map of the archive can't be kept; it is shown until the daemon ends", "err", err)
	}
}

func (t *table) encode() (h head, data []byte, version int) {
	t.lock.RLock()
	defer t.lock.RUnlock()
	h = head{Format: fileFormat, Edition: t.edition, Frame: t.frame, Points: len(t.at), Laid: t.laidThere, Settled: t.settledThere}
	data = make([]byte, 0, pointBytes*len(t.at))
	for _, s := range t.slots {
		if s.gone {
			continue
		}
		data = binary.LittleEndian.AppendUint64(data, s.id)
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(s.point.X))
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(s.point.Y))
	}
	h.Sum = crc32.Checksum(data, castagnoli)
	return h, data, len(t.log)
}

// restore shows the map that was kept, if one was.
func (k *Keeper) restore() error {
	b, err := os.ReadFile(k.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("projection: %w", err)
	}
	h, ids, points, err := decode(b)
	if err != nil {
		return fmt.Errorf("projection: %s: %w", k.file(), err)
	}
	// The points of which the layout was, without those that are gone: a newcomer is still placed among them.
	if k.placer, err = newPlacer(k.pool, ids[:h.Laid], points[:h.Laid]); err != nil {
		return fmt.Errorf("projection: %s: %w", k.file(), err)
	}
	k.table.edition = h.Edition
	k.table.begin(ids, points, h.Laid, h.Settled, h.Frame)
	k.show(h.Made)
	return nil
}

func decode(b []byte) (h head, ids []uint64, points []layout.Point, err error) {
	line, data, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return h, nil, nil, errors.New("it has no first line")
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return h, nil, nil, fmt.Errorf("its first line: %w", err)
	}
	switch {
	case h.Format != fileFormat:
		return h, nil, nil, fmt.Errorf("it is of format %d, this program reads %d", h.Format, fileFormat)
	case len(data) != pointBytes*h.Points, h.Laid < 0, h.Settled < h.Laid, h.Settled > h.Points, crc32.Checksum(data, castagnoli) != h.Sum:
		return h, nil, nil, errors.New("it is damaged")
	}
	for ; len(data) > 0; data = data[pointBytes:] {
		ids = append(ids, binary.LittleEndian.Uint64(data))
		points = append(points, layout.Point{
			X: math.Float32frombits(binary.LittleEndian.Uint32(data[8:])), Y: math.Float32frombits(binary.LittleEndian.Uint32(data[12:])),
		})
	}
	return h, ids, points, nil
}
