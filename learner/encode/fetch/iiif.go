package fetch

import (
	"net/url"
	"regexp"
	"strings"
)

// boundedSize is ample for encoders, which look at some hundred pixels.
const boundedSize = "!1024,1024"

// imageRequest is the path of an image request, of which the last four segments are
// {region}/{size}/{rotation}/{quality}.{format} (IIIF Image API 2.1 and 3.0, section 2.1). The forms of each
// are those of sections 4.1 to 4.5, of both versions; the size only as far as it is unbounded:
// "full" (2.1), "max" (both) and "^max" (3.0).
var imageRequest = regexp.MustCompile(`^(.*/[^/]+/(?:full|square|\d+,\d+,\d+,\d+|pct:[\d.]+,[\d.]+,[\d.]+,[\d.]+)/)` +
	`(?:full|max|\^max|%5[Ee]max)` +
	`(/(?:!|%21)?\d+(?:\.\d+)?/(?:default|native|color|gray|grey|bitonal)\.(?:jpg|jpeg|tif|png|gif|jp2|webp))$`)

// bounded is an image request for at most 1024 x 1024 pixels in place of one for the full
// size; nil when u is no such request. By section 4.2 of both versions "!w,h" keeps the proportions
// and fits the image into the box. A server of 2.1 may enlarge a smaller image to it.
func bounded(u *url.URL) *url.URL {
	if u.RawQuery != "" || !strings.Contains(u.Path, "/") {
		return nil
	}
	// The identifier's own slashes are escaped (section 9 of 2.1), so the escaped path is what counts.
	parts := imageRequest.FindStringSubmatch(u.EscapedPath())
	if parts == nil {
		return nil
	}
	escaped := parts[1] + boundedSize + parts[2]
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil
	}
	out := *u
	out.Path, out.RawPath = path, escaped
	return &out
}
