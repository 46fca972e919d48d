package publish

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

// HeaderDropped is on a message that Kafka would not take whole: the number of
// bytes of the value that is missing.
const HeaderDropped = "kilim_dropped_bytes"

// cutBytes is how much of a key or a header's value a cut dead letter keeps.
const cutBytes = 1024

// LeastTopicBytes is what the topics must take (max.message.bytes) for every message to get through: any message can be
// shortened to that. One that is smaller is not shortened: then it is the topic that is wrong, and it waits for a better one.
const LeastTopicBytes = 16 << 10

// shorten takes from a message that the broker has refused for its size. Of a dead letter it takes the value, most of the key,
// and all headers but those that say why it is one; of an update first the changes and the cause, which can be had from
// the lists before, then the worse half of each list, again and again; of a cell the nearest pairs. refusal is returned when nothing is left to take.
func (p *Publisher) shorten(o *outgoing, refusal error) error {
	was := o.bytes()
	shorter, err := false, error(nil)
	switch o.out.Kind {
	case rerank.KindMessage:
		shorter = o.cutDeadLetter()
	case rerank.KindUpdate, rerank.KindQuery:
		shorter, err = o.cutUpdate()
	case rerank.KindThemed:
		shorter, err = o.cutThemed()
	case rerank.KindCell:
		shorter, err = o.cutCell()
	}
	if err != nil {
		return err
	}
	if !shorter {
		return fmt.Errorf("message %d of %d bytes, key %.64q, and topic %s must take messages of %d bytes (max.message.bytes): %w",
			o.seq, was, o.msg.Key, o.msg.Topic, LeastTopicBytes, refusal)
	}
	if o.cuts++; o.cuts == 1 {
		p.cfg.Metrics.shortened.WithLabelValues(label(o.out.Kind)).Inc()
		p.cfg.Log.Error("a message is too large for its topic and is shortened; its header "+HeaderDropped+" says by how much",
			"topic", o.msg.Topic, "key", fmt.Sprintf("%.64q", o.msg.Key), "seq", o.seq, "bytes", was)
	}
	return nil
}

func (o *outgoing) cutDeadLetter() bool {
	if o.cuts > 0 {
		return false
	}
	var headers []kafka.Header
	for _, h := range o.msg.Headers {
		if strings.HasPrefix(h.Key, "__connect.errors.") || h.Key == HeaderWriter || h.Key == HeaderSeq {
			headers = append(headers, kafka.Header{Key: h.Key, Value: h.Value[:min(len(h.Value), cutBytes)]})
		}
	}
	o.msg.Headers = append(headers, kafka.Header{Key: HeaderDropped, Value: []byte(strconv.Itoa(len(o.msg.Value)))})
	o.msg.Value = nil
	if o.msg.Key != nil {
		o.msg.Key = o.msg.Key[:min(len(o.msg.Key), cutBytes)]
	}
	return true
}

// mostCuts empties lists of any length that a length can be written of.
const mostCuts = 64

func (o *outgoing) cutUpdate() (bool, error) {
	if o.bytes() <= LeastTopicBytes || o.cuts > mostCuts || o.out.Update == nil {
		return false, nil
	}
	u := *o.out.Update
	u.Changes, u.Cause, u.Lists = nil, nil, nil
	for _, l := range o.out.Update.Lists {
		u.Lists = append(u.Lists, rerank.List{Name: l.Name, Entries: l.Entries[:len(l.Entries)>>o.cuts]})
	}
	value, err := JSON(&u)
	if err != nil {
		return false, err
	}
	o.cutTo(value)
	return true, nil
}

// cutThemed does the same to the list of a theme.
func (o *outgoing) cutThemed() (bool, error) {
	if o.bytes() <= LeastTopicBytes || o.cuts > mostCuts || o.out.Value == nil {
		return false, nil
	}
	var u map[string]json.RawMessage
	var lists map[string][]json.RawMessage
	err := json.Unmarshal(o.out.Value, &u)
	if err == nil {
		err = json.Unmarshal(u["lists"], &lists)
	}
	for name, list := range lists {
		lists[name] = list[:len(list)>>o.cuts]
	}
	if err == nil {
		u["lists"], err = json.Marshal(lists)
	}
	u["changes"], u["cause"] = json.RawMessage("{}"), json.RawMessage("[]")
	var value []byte
	if err == nil {
		value, err = json.Marshal(u)
	}
	if err != nil {
		return false, fmt.Errorf("publish: shorten the list of a theme: %w", err)
	}
	o.cutTo(value)
	return true, nil
}

// cutCell takes the nearest pairs of a cell.
func (o *outgoing) cutCell() (bool, error) {
	if o.bytes() <= LeastTopicBytes || o.cuts > 0 || o.out.Value == nil {
		return false, nil
	}
	var cell map[string]json.RawMessage
	err := json.Unmarshal(o.out.Value, &cell)
	var value []byte
	if err == nil {
		cell["nearest"] = json.RawMessage("[]")
		value, err = json.Marshal(cell)
	}
	if err != nil {
		return false, fmt.Errorf("publish: shorten a cell: %w", err)
	}
	o.cutTo(value)
	return true, nil
}

// cutTo puts a shorter value into the message, and says so.
func (o *outgoing) cutTo(value []byte) {
	if o.cuts == 0 {
		o.whole = len(o.msg.Value)
		o.msg.Headers = append(o.msg.Headers, kafka.Header{Key: HeaderDropped})
	}
	o.msg.Headers[len(o.msg.Headers)-1].Value = []byte(strconv.Itoa(o.whole - len(value)))
	o.msg.Value = value
}
