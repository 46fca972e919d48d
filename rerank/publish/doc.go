// Package publish delivers the outbox.
package publish
