// Package kafkaconn turns kilim's Kafka settings into connections: where the
// brokers are, whether the wire is encrypted, who we say we are.
//
// Everything in kilim that talks to Kafka (the consumer, the publisher, the
// feeding and watching commands) is given a [Conn] and takes from it what its
// part of kafka-go wants: a [Conn.Dialer] (consumer group, partition readers), a
// [Conn.Transport] (writers) or a [Conn.Client] (single requests). None of them
// knows whether a real cluster or the embedded broker answers.
//
// [Conn.EnsureTopics] and [Conn.Ping] retry while the brokers start, for at most
// Config.StartTimeout: in a compose file or on a booting machine kilim is
// often there first. What waiting can't repair (a wrong password, an untrusted
// certificate, a topic name that Kafka refuses) ends the wait at once.
//
// Every error says which setting it is about, in the form of the configuration
// file ("kafka.tls.ca-file"), since the one who reads it has that file before him.
//
// In come a [Config] (with its [TLS] and [SASL]) and the topics that are wanted, each a [TopicSpec]; out goes a [Conn]. The
// package must not know what is in a record, nor what a topic is for.
package kafkaconn
