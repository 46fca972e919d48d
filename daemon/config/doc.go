// Package config is the one place where kilim's settings are declared, read
// and checked.
//
// Config holds all settings, Client those of a command that only talks to Kafka; a
// Loader reads them from the environment and a file, where the command line (package kong)
// leaves them open, and returns what is wrong as Faults. In come flags, variables and a file; out
// goes a valid Config, which Print writes and package app turns into the settings of the parts. The
// package must not know what the parts do, but it has their own checks check their settings.
//
// A setting is a field of Config with its key, default, help text and range in
// the field's tag. From that one declaration follow the command-line flag
// (--lists.size), the key of the YAML file (lists: {size: ...}), the
// environment variable (KILIM_LISTS_SIZE), the help page, the output of
// `kilim config` and the check of the range. Precedence is flag, environment,
// file, default.
//
// Faults are collected: a wrong type, an unknown key of the file, a value out
// of range and two settings that contradict each other are all told at once,
// each with its key, its value, where it came from and what is allowed.
//
// Unknown environment variables are not an error, though a typing mistake in
// one goes unnoticed: Kubernetes sets variables such as KILIM_PORT in every
// container next to a service of the name kilim.
package config
