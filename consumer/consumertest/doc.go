// Package consumertest holds records for tests: those that a consumer must refuse.
package consumertest
