// Package page is the page that people look at: what arrives, a search, and each artifact beside what it is like.
//
// Page answers a GET for one of its files. In comes the version of the program, out go an HTML document, a style sheet and a few
// ES modules, each with an ETag, packed once at the start, and with a Content-Security-Policy. There is no build step, and
// nothing is asked of another host: what is in files/ and, of others, in vendored/ is what browsers get. The page's own is less than 60 KB packed, and all of it less than
// 200 KB, which a test holds.
//
// Every text of a record is hostile to the page: a feed may come from anyone. Scripts set it by textContent and attributes of a
// fixed name, never as HTML, and Policy has browsers refuse the rest: scripts and styles come from the files alone, no string
// becomes a script or a document (Trusted Types), and no other page may frame this one.
//
// The package must not know what the API answers, nor where it comes from: that is between the files and package web.
package page
