// Package consumertest holds records for tests: Hostile returns one Bad record for each reason for which a consumer must
// refuse a record. Tests of the daemon feed the same ones.
package consumertest
