// Package remote encodes items by a server that the user runs, asked over HTTP.
//
// # What is asked
//
// A request is a POST of JSON to Config.URL, or below it when that has no path:
//
//   - openai, /v1/embeddings: {"model", "input": [text, ...], "encoding_format": "float"},
//     answered with {"data": [{"index", "embedding": [number, ...]}, ...]};
//   - tei (text-embeddings-inference), /embed: {"inputs": [text, ...], "truncate": true},
//     answered with [[number, ...], ...];
//   - ollama, /api/embed: {"model", "input": [text, ...], "truncate": true}, answered with
//     {"embeddings": [[number, ...], ...]};
//   - http, /: {"kind": "text", "model", "items": [item, ...]}, answered with {"embeddings":
//     [[number, ...], ...]}. The kind is "text", "image" or "audio". An item of a text is a
//     string; one of the others is {"media_type", "data"}, with the bytes in base64 (RFC 4648,
//     section 4) and what the artifact says of them, such as "image/jpeg", absent when it says
//     nothing.
//
// Vectors are in the order of the items. All must have the configured dimension, finite numbers
// and a length above 0; they are brought to length 1. A request holds Config.Batch items and 8
// MiB of their bytes at most; a larger item goes alone.
//
// # What goes wrong
//
//   - No connection, no answer in time, 408, 429, 502, 503, 504 and other 5xx: the request is
//     repeated, four times in all, after waits that grow from half a second and are random by
//     half. A Retry-After (seconds or a date) takes their place, up to a minute; a longer one
//     ends the request.
//   - 400, 413, 415 and 422 say that the request holds something that the server will not take:
//     it is split until the bad item is alone. That one is refused for good
//     (feature.ReasonRejected), the others are encoded. But a server that has not encoded
//     anything since the start is believed to be set up wrongly rather than to be given bad
//     items: its rejections may be tried again.
//   - 500, and a reply that can't be read or is of another number of vectors, may also be the
//     fault of one item: the request is split in the same way. The bad item's error may be
//     tried again.
//   - Other statuses (401, 403, 404, a redirect) are a matter of the settings. They are not
//     repeated, and the items may be tried again when the settings are right.
//   - A vector of another length is an error which names both; one that is not finite or is
//     zero is an error of its item. Both may be tried again.
//   - After five failed requests in a row the server is left alone for 15 seconds, in which
//     every item is answered with ErrOpen; then one request tries whether it is back.
//
// The proxy that the environment names (HTTPS_PROXY, NO_PROXY ...) is used: the server's
// address is the user's own setting. Redirects are not followed: they would take the headers
// elsewhere.
//
// # Types
//
// Encoder is a feature.Encoder, with the settings of Config and TLS; a Fault names what is wrong with them. An Observer is told
// of each request; Metrics.For gives one. In come items, out go vectors or the errors above. Package remote must not know what
// an item is of, nor who fetched it.
package remote
