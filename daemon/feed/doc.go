// Package feed writes artifacts from JSON Lines into a Kafka topic: Run does so, by its Options, over a
// kafkaconn.Conn, and returns the Summary of what was acknowledged. It must not know what an artifact's fields mean, but
// for the uris of its media: package consumer decodes each line as the daemon will.
//
// Every line that is not blank becomes one record, in the order of the lines: what
// can't be used is for the daemon to refuse, with its reason, in the dead-letter topic,
// so that no line is lost on the way; the Summary counts such lines by reason. A record's key is its artifact's id. A line
// that is refused and has no id has no key.
//
// A line {"id": "x", "__deleted": true} (or "true", as Debezium writes it) becomes a
// tombstone, which deletes the artifact; other fields beside those two are ignored.
//
// A relative uri of a media item becomes a file: URI: the daemon, which may read files of the folders
// in its media.root only, does not know where the lines came from. The rest of the line
// stays as it is, byte by byte, and so do lines without such a uri.
//
// The input may be packed by gzip, zstd or bzip2, begin with a byte order mark, be one JSON array or objects printed over
// several lines; its first bytes tell. The values of the latter two become lines of their own, without white space. Other
// forms (zip, xz, UTF-16, CSV ...) are refused before a record is sent.
//
// The guarantee: when Run returns nil, every record is acknowledged by all
// in-sync replicas. Records of one key are in the order of their lines. After an error
// some of the lines of the last chunk may have been written; to feed an artifact twice
// does no harm.
package feed
