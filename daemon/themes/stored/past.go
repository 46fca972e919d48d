package stored

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"kilim/rerank"
)

// past is what the store keeps of how a list came to be: how many entries were told last, a checksum of their ids, and the rerank.History that leads back from
// them. Where list and checksum disagree the list was made by a program that knows no histories: then nothing is known of it.
type past []byte

// of returns the entries of a list that were told last, and their history; ok is false when it leads back from something else.
func (p past) of(l *List) (told []Entry, h rerank.History, ok bool, err error) {
	if p == nil {
		return nil, nil, false, nil
	}
	d := decoder{rest: p}
	n, sum := d.number(), d.fixed()
	if d.err != nil {
		return nil, nil, false, fmt.Errorf("themes: history of a list: %w", d.err)
	}
	if n > uint64(len(l.Entries)) || checksum(l.Entries[:n]) != sum {
		return nil, nil, false, nil
	}
	return l.Entries[:n], rerank.History(d.rest), true, nil
}

func pastOf(told []Entry, h rerank.History) past {
	b := binary.AppendUvarint(make([]byte, 0, 16+len(h)), uint64(len(told)))
	return append(binary.LittleEndian.AppendUint64(b, checksum(told)), h...)
}

func checksum(told []Entry) uint64 {
	h := fnv.New64a()
	for i := range told {
		_, _ = h.Write(appendText(nil, told[i].ID)) // never fails
	}
	return h.Sum64()
}

// ranked is a list in the form in which a History has it.
func ranked(theme string, told []Entry) rerank.Lists {
	list := rerank.List{Name: Name(theme), Entries: make([]rerank.Entry, len(told))}
	for i, e := range told {
		list.Entries[i] = rerank.Entry{ID: e.ID, Score: float32(e.Parts.Score())}
	}
	return rerank.Lists{list}
}

// remember notes in the history of a list that it takes the place of another one, nil: of none. Of either the first size entries are told.
func remember(w Writer, size int, id string, before, now *List, cause []string) error {
	step := rerank.Step{ID: id, After: ranked(now.Theme, now.told(size)), At: w.Recorded(), Cause: cause}
	var kept past
	var h rerank.History
	if before != nil {
		told := before.told(size)
		b, err := w.Past(id, now.Theme)
		if err != nil {
			return err
		}
		kept = b
		switch was, known, ok, err := kept.of(before); {
		case err != nil:
			return fmt.Errorf("%w of theme %q of artifact %q", err, now.Theme, id)
		case ok:
			told, h = was, known
		}
		step.Before = ranked(now.Theme, told)
	}
	h, err := h.Append(&step)
	if err != nil {
		return fmt.Errorf("themes: list of theme %q of artifact %q: %w", now.Theme, id, err)
	}
	if next := pastOf(now.told(size), h); !bytes.Equal(next, kept) {
		return w.PutPast(id, now.Theme, next)
	}
	return nil
}

// Past is what is known of a list as it was published, by an artifact's row and what Writer.PutPast was given; nil: nothing is known of that, or there is no such list.
func (r *Row) Past(theme string, b []byte) (*rerank.Past, error) {
	list := r.List(theme)
	if list == nil {
		return nil, nil
	}
	told, h, ok, err := past(b).of(list)
	if err != nil || !ok {
		return nil, err
	}
	return h.Read(r.ID, ranked(theme, told))
}
