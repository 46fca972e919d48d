// Command verify shows that the dashboards and the alerts speak of metrics that
// exist: it starts a Prometheus with deploy/prometheus/prometheus.yml, lets it
// scrape a running kilim, and runs every query of the dashboards, their
// variables and annotations, and every metric that an alert names. A query is
// right once it has returned a number; verify asks again until all have, and
// fails naming those that have not within the time given.
//
//	go run ./deploy/verify -kilim http://127.0.0.1:9464 [-for 60s]
//
// The daemon must be at work meanwhile: a rate of nothing is a number, a
// quantile of nothing is not.
//
// What can be checked without a daemon is in this package's tests.
package main
