// Package web is the daemon's HTTP side: metrics, health, and queries over
// what is stored.
//
// Server answers requests, with the settings of Config. It asks a Service, which the
// package declares and package app implements, for Answer, Models and Status: their
// JSON is the API's. In come requests with artifacts, ids and judgments; out go JSON and
// metrics. The package must not know how an answer comes to be, nor where it is stored.
//
//	GET  /, /page/                                what people look at: package page
//	GET  /metrics                                 Prometheus text or OpenMetrics
//	GET  /-/healthy                               the process answers
//	GET  /-/ready                                 queries are answered (else 503)
//	GET  /api/v1/openapi.yaml                     all of what follows in OpenAPI 3.1
//	GET  /api/v1/status                           Status
//	GET  /api/v1/artifacts/{id}                   a stored artifact
//	GET  /api/v1/artifacts/{id}/similar?list=&k=  Answer
//	POST /api/v1/similar?list=&k=                 the same for the artifact in the body, which is not stored
//	POST /api/v1/ask?k=                           Asked for texts, files and fields in a form (text, file, record), or an artifact in JSON; nothing is stored
//	POST /api/v1/evaluate?list=                   eval.Report of a list, by the judgments in the body
//	GET  /api/v1/themes                           Themes
//	POST /api/v1/themes                           declares a theme: {"name", "weak": [field]}: 202 and Themes
//	GET  /api/v1/ranking                          Ranking: what is learned from judgments, and whether lists are in that order
//	GET  /api/v1/slowest?since=                   the batches of the last hour whose lists came latest (SlowBatch): where their time went
//	GET  /api/v1/cultures?kind=&theme=&k=         how near the k largest cultures, periods or places are to one another, in a theme if one is named
//	GET  /api/v1/models                           Models
//	POST /api/v1/models/{epoch}/promote           has a model serve as soon as its state is made: 202 and Models
//	POST /api/v1/models/{epoch}/rollback          the same for one that has served before
//	GET  /api/v1/judgments?id=                    {"judgments": [Judgment]}, those of an artifact or all
//	POST /api/v1/judgments                        has the Judgment in the body hold (package judgments), and answers with it
//	DELETE /api/v1/judgments?a=&b=&theme=         takes back what was said of a pair: 204
//	GET  /api/v1/queries                          StandingQueries
//	POST /api/v1/queries                          has the queries.Query in the body stand, in the place of another one of its name: StandingQuery
//	GET  /api/v1/queries/{name}                   StandingQuery, with its record and what was told last
//	DELETE /api/v1/queries/{name}                 ends it: 204
//
// What the page asks (Catalogue), with titles, bounded, and paged by after, the last id of the page before:
//
//	GET  /api/v1/lists                            the lists that artifacts have, with the weights of their parts
//	GET  /api/v1/artifacts/{id}/view?k=           browse.View: the record, and total and general with cards
//	GET  /api/v1/artifacts/{id}/list?list=&k=&weights=  browse.List: one list with cards, a theme's too, or total ordered by themes too
//	GET  /api/v1/artifacts/{id}/card              browse.Card: title, culture, period, type, date, kinds of media
//	GET  /api/v1/artifacts/{id}/why?with=ID       browse.Why: what two artifacts share, and the second's ranks and scores in the lists of the first over time
//	GET  /api/v1/artifacts/{id}/history?list=&since=  browse.History: a list as of a date, and what has changed since
//	GET  /api/v1/artifacts/{id}/media/{place}     a picture or recording of the record, 415 for anything else
//	GET  /api/v1/artifacts/{id}/media/{place}/picture?side=  a JPEG of it, of at most 256 (default) or 1024 pixels a side
//	GET  /api/v1/search?q=&culture=&period=&type=&has=&after=&k=  Found; has is picture, sound and text, by commas
//	GET  /api/v1/search/values                    the most frequent cultures, periods and types
//	GET  /api/v1/map?theme=&edition=&after=       Map: where the map of the archive stands, or that of a theme, and what has changed after a version of it
//	GET  /api/v1/map/points                       the points: a head of 16 bytes and 4 bytes a slot, as projection.Keeper.Points has them; with an ETag
//	GET  /api/v1/map/slots?theme=                 where each slot of a theme's map is on that of the archive, as projection.Keeper.Slots has them
//	GET  /api/v1/map/colours?field=               MapColours: a line of JSON, and behind it a byte a slot, as projection.Keeper.Codes has them
//	GET  /api/v1/map/point?id=&list=&k=           MapPoint: an artifact on the map, with its list (general) and how much of it the map keeps; by edition=&slot= too
//	GET  /api/v1/live?id=&others=                 server-sent events: "change" with a live.Event, of one artifact, or with so many a second of those that no record of their own has changed; goes on after Last-Event-ID
//
// An id is one escaped path segment: "/" in an id is %2F, "%" is %25. list is
// general, total (default) or theme:NAME; k is 1 to 200 (default 10). The answer for a theme is a ThemeAnswer. With
// weights=NAME:WEIGHT,... beside list and k, total is ordered by themes too: a WeightedAnswer. While the order
// that was learned from judgments serves (Ranking), total is a LearnedAnswer.
//
// Errors are {"error": text} with 400 (a parameter or an artifact that can't be used), 403 (a page of another
// site asks by POST), 404 (unknown id, list, epoch or path), 405, 409 (a model that can't serve), 413 (body too
// large), 421 (a host that is not the server's), 500 or 503 (not ready, or busy: then with Retry-After); the text names the
// parameter and its value. A stored artifact that can't be used is a 500: it is no fault of who asks.
//
// # What an unauthenticated client can do
//
// On loopback there is no password, and every web page that somebody on the machine looks at can send requests there. So admit
// refuses, before anything else and for all paths, a request that comes in on loopback with a Host that is neither an IP
// address nor localhost nor one of Config.Hosts (DNS rebinding makes a page of one origin with the daemon; only its name tells), and
// a POST that a browser sends for another site's page. With Config.WebConfigFile the Host does not matter unless Config.Hosts
// is given; elsewhere than on loopback it matters only then. Behind a reverse proxy Config.Hosts are the names that the proxy passes on.
//
// Judgments are written by who comes in on loopback; elsewhere only with Config.WebConfigFile, which asks for a password: else 403.
//
// The bounds: 512 connections; a header of 16 KiB within 5 s, a request within 30 s; the artifact in a body has at most a record's
// bytes and 2,048 terms, media and links, and two such searches run at once, others wait 5 s; what is asked with
// files has at most 16 MiB, 8 files and texts, and 30 s to come, two are read at once, and their media are encoded within 20 s by the
// daemon's encoders with their limits, as one of the two searches; one evaluation runs at once, its body
// has at most 256 MiB, must be there within 2 minutes, unpacks to at most 1 GiB and keeps what eval.Read allows, and its answer
// is given up after 10 minutes. 64 look at what changes; one that takes no event for 10 s is cut off. Two searches by words run at
// once, and 8 whole media are sent; what pictures may cost is in package media.
//
// What a record says is hostile to browsers: package page tells how it is shown. Media are given by a type that is taken from their
// bytes, with nosniff and a sandbox, and never SVG or HTML.
//
// TLS and basic authentication come from a file in the format of Prometheus'
// exporter-toolkit.
package web
