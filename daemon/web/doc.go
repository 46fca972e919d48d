// Package web is the daemon's HTTP side: metrics, health, and queries over
// what is stored.
//
// Server answers requests, with the settings of Config. It asks a Service, which the
// package declares and package app implements, for Answer, Models and Status: their
// JSON is the API's. In come requests with artifacts, ids and judgments; out go JSON and
// metrics. The package must not know how an answer comes to be, nor where it is stored.
//
//	GET  /                                        where to look
//	GET  /metrics                                 Prometheus text or OpenMetrics
//	GET  /-/healthy                               the process answers
//	GET  /-/ready                                 queries are answered (else 503)
//	GET  /api/v1/status                           Status
//	GET  /api/v1/artifacts/{id}                   a stored artifact
//	GET  /api/v1/artifacts/{id}/similar?list=&k=  Answer
//	POST /api/v1/similar?list=&k=                 Answer for the artifact in the body, which is not stored
//	POST /api/v1/evaluate?list=                   eval.Report of a list, by the judgments in the body
//	GET  /api/v1/models                           Models
//	POST /api/v1/models/{epoch}/promote           has a model serve as soon as its state is made: 202 and Models
//	POST /api/v1/models/{epoch}/rollback          the same for one that has served before
//
// An id is one escaped path segment: "/" in an id is %2F, "%" is %25. list is
// general, total (default) or theme:NAME; k is 1 to 200 (default 10).
//
// Errors are {"error": text} with 400 (a parameter or an artifact that can't be used), 403 (a page of another
// site asked for a change), 404 (unknown id, list, epoch or path), 405, 409 (a model that can't serve), 413 (body too
// large), 500 or 503 (not ready); the text names the parameter and its value.
//
// TLS and basic authentication come from a file in the format of Prometheus'
// exporter-toolkit.
package web
