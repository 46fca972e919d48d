package ranking

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"kilim/internal/atomicfile"
	"kilim/rerank/rank"
	"kilim/rerank/rank/pair"
)

// fileFormat is the version of the file of a Decision. Raise it when its bytes change, or what a question, a feature or a gate is.
const fileFormat = 1

// Settings are those that a Decision depends on.
type Settings struct {
	Least int         `json:"least"`
	Fit   rank.Config `json:"fit"`
}

// Decision says what was decided on which judgments, and why.
type Decision struct {
	Format   int       `json:"format"`
	At       time.Time `json:"at"`
	State    State     `json:"state"`
	Settings Settings  `json:"settings"`
	// Judgments tells what was asked from all else that could be asked.
	Judgments string `json:"judgments"`
	// Questions are asked by judged artifacts of so many Groups, of which Useful have one that was judged alike among the candidates.
	Questions int `json:"questions"`
	Groups    int `json:"groups"`
	Useful    int `json:"useful"`
	// Artifacts is how many were stored; 0: nothing was fitted, for there were too few Groups.
	Artifacts int `json:"artifacts"`
	Trees     int `json:"trees"`
	// Gate is nil when nothing was fitted.
	Gate *Gate `json:"gate,omitempty"`
	// Serves is the decision, and Reason says what it rests on.
	Serves bool   `json:"serves"`
	Reason string `json:"reason"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// write keeps a Decision: a line of JSON; if it serves, the length of the model, the model and the frequencies; and a CRC-32C of all that. One
// without questions is kept as no file: a daemon that nobody judges for has none.
func write(path string, d *decided) error {
	if d.Questions == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ranking: %w", err)
		}
		return nil
	}
	b, err := d.marshal()
	if err == nil {
		err = atomicfile.Write(path, b, nil)
	}
	if err != nil {
		return fmt.Errorf("ranking: keep what was decided: %w", err)
	}
	return nil
}

func (d *decided) marshal() ([]byte, error) {
	b, err := json.Marshal(&d.Decision)
	if err != nil {
		return nil, err
	}
	b = append(b, '\n')
	if d.learned != nil {
		model, err := d.model.MarshalBinary()
		if err != nil {
			return nil, err
		}
		counts, err := d.counts.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, uint64(len(model)))
		b = append(append(b, model...), counts...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

// read returns what was kept, nil if nothing was.
func read(path string) (*decided, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	d, err := unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("ranking: %s: %w", path, err)
	}
	return d, nil
}

func unmarshal(b []byte) (*decided, error) {
	body := len(b) - crc32.Size
	if body < 0 || crc32.Checksum(b[:body], castagnoli) != binary.LittleEndian.Uint32(b[body:]) {
		return nil, errors.New("its checksum is not that of its content")
	}
	head, rest, ok := bytes.Cut(b[:body], []byte{'\n'})
	if !ok {
		return nil, errors.New("it has no first line")
	}
	d := &decided{}
	if err := json.Unmarshal(head, &d.Decision); err != nil {
		return nil, fmt.Errorf("its first line: %w", err)
	}
	if d.Format != fileFormat {
		return nil, fmt.Errorf("it is of format %d, this program reads %d", d.Format, fileFormat)
	}
	if !d.Serves {
		return d, nil
	}
	length, n := binary.Uvarint(rest)
	if n <= 0 || length > uint64(len(rest)-n) {
		return nil, fmt.Errorf("a model of %d bytes: %w", length, io.ErrUnexpectedEOF)
	}
	model, err := rank.Unmarshal(rest[n : n+int(length)])
	if err != nil {
		return nil, err
	}
	if !slices.Equal(model.Names(), pair.Names()) {
		return nil, errors.New("its model reads other features than this program makes")
	}
	counts, err := pair.UnmarshalFrequencies(rest[n+int(length):])
	if err != nil {
		return nil, err
	}
	if d.learned, err = newLearned(model, counts); err != nil {
		return nil, err
	}
	return d, nil
}
