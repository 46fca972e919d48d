// Package redact takes the secrets out of addresses before they are printed.
//
// URL takes an address as somebody has written it, and Error an error of net/http, which names the address that was asked; both
// give back what can be shown. Which address is asked for what, the package must not know.
package redact

import (
	"errors"
	"net/url"
	"strings"
)

// Hidden stands for what is not shown.
const Hidden = "***"

// URL is an address without user, password, the values of its query and its fragment: any of them may be a secret. The address
// need not be a correct one, for it is shown above all when it is not.
func URL(text string) string {
	text, fragment, hasFragment := strings.Cut(text, "#")
	text, query, hasQuery := strings.Cut(text, "?")
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		scheme, _, ok := strings.Cut(text[:at], "://")
		if ok {
			scheme += "://"
		} else {
			scheme = ""
		}
		text = scheme + Hidden + text[at:]
	}
	if hasQuery {
		text += "?" + values(query)
	}
	if hasFragment {
		text += "#" + hide(fragment)
	}
	return text
}

// values hides the values of a query and leaves its names; a name without a value may be the secret itself.
func values(query string) string {
	parts := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, p := range parts {
		if name, value, ok := strings.Cut(p, "="); ok {
			parts[i] = name + "=" + hide(value)
		} else {
			parts[i] = hide(p)
		}
	}
	return strings.Join(parts, "&")
}

func hide(text string) string {
	if text == "" {
		return ""
	}
	return Hidden
}

// Error is err with the address in it as URL shows it, when err is a *url.Error, as those of a http.Client and of url.Parse are. What
// else it says stays, and so does its cause for errors.Is and errors.As.
func Error(err error) error {
	var u *url.Error
	if !errors.As(err, &u) || error(u) != err {
		return err
	}
	shown := *u
	shown.URL, shown.Err = URL(u.URL), Error(u.Err)
	return &shown
}
