// Command kilim keeps, for every artifact of an archive, the answer to what it
// is like, and publishes each answer that changes. See `kilim --help`.
//
// This package is the command line: grammar declares the commands, each is a struct
// with its flags and a Run method, and session is what Run works with. It reads flags,
// variables and the file (package config) and turns signals into a context that ends.
// Commands over a state folder call package app; those that ask a running daemon
// (status, model, eval --http) know its HTTP answers only (package web's types), and feed
// and watch know only Kafka. Nothing is computed here.
//
// A first SIGINT or SIGTERM stops in order; a second one ends the process at once, which
// the state survives like any crash.
package main
