"""Reads a topic of lists to its present end and prints the table that it makes: a line of JSON an artifact, sorted by id.

    pip install confluent-kafka
    python3 subscriber.py BROKER TOPIC

A subscriber that stays would go on polling where this one ends.
"""

import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition


def read(broker, topic):
    """The last value of each key that has one."""
    consumer = Consumer({
        "bootstrap.servers": broker,
        # Wanted by the client and used for nothing: partitions are assigned here, and no offset is committed.
        "group.id": "subscriber-example",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        # The last offset may be the end of a transaction, which is no message.
        "enable.partition.eof": True,
    })
    try:
        found = consumer.list_topics(topic, timeout=30).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        left = {}  # partition -> the offset that is its end
        for partition in found.partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
            if end > first:
                left[partition] = end
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in left])
        table = {}
        while left:
            message = consumer.poll(30)
            if message is None:
                raise TimeoutError(f"nothing for 30 s, partitions left: {sorted(left)}")
            if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                left.pop(message.partition(), None)
                continue
            if message.error():
                raise KafkaException(message.error())
            if message.value() is None:
                table.pop(message.key(), None)
            else:
                table[message.key()] = message.value()
            if message.offset() + 1 >= left.get(message.partition(), 0):
                left.pop(message.partition(), None)
        return table
    finally:
        consumer.close()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: subscriber.py BROKER TOPIC")
    table = read(sys.argv[1], sys.argv[2])
    for key in sorted(table):
        sys.stdout.buffer.write(table[key] + b"\n")


if __name__ == "__main__":
    main()
