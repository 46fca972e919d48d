// Package config is the one place where kilim's settings are declared, read
// and checked.
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
