// Package remote encodes items by a server that the user runs, asked over HTTP.
package remote
