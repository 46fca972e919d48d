// Package fetch brings the bytes of a media item: those that stand in the record, those of a
// file under configured folders, and those at an http address of a configured host.
//
// What a record says is not trusted: a feed may come from anyone, and the daemon sees files and
// networks that its writers must not.
//
//   - file: only below a configured folder, held open from the start (os.Root), so that neither
//     ".." nor a symbolic link leads out of it (links are followed when they are relative);
//     only regular files. The address is as in RFC 8089: file:///path, with percent escapes.
//   - http and https: only of configured hosts and ports, without credentials in the address.
//     Each address that a name resolves to is checked when it is dialed, so that a name which
//     resolves to something else the second time gains nothing: it must be of the public
//     internet, and not private, loopback, link-local, shared (100.64.0.0/10), multicast or
//     otherwise special (RFC 6890). An IPv4 address mapped into IPv6 is held to the rules of
//     IPv4; other wrappings are refused. Redirects, five at most, are held to the same rules. No
//     proxy is used, also if the environment names one: it would do the resolving.
//   - Bytes and time are bounded. What is larger is given up as soon as that is known; it is
//     never held whole.
//
// An image address of the IIIF Image API that asks for the full size is changed to ask for 1024
// pixels at most.
//
// The error is a *feature.Refusal where it is permanent: what configuration forbids, what is
// not there (a missing file; 404 and 410), what is too large, empty or no text where one is
// due. After any other error the item may be fetched again; it is a *feature.Unreachable where the host can't be reached, does not
// answer in time, or answers 429, 502, 503 or 504. Fetcher.Refuses tells what configuration forbids before anything is asked.
//
// Its types are Fetcher, with the settings of Config, and Media, which is an item as a record has it. In comes a Media, out
// goes a feature.Item. Package fetch must not know what is made of the bytes.
package fetch
