package web

import (
	"bytes"
	"html/template"
	"net/http"
)

const indexHTML = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>kilim</title>
<style>body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}code{background:#eee;padding:0 .2em}</style></head>
<body>
<h1>kilim {{.Version}}</h1>
<p>What each artifact of an archive is like, kept up to date.</p>
<ul>
<li><a href="/api/v1/status">/api/v1/status</a>: lag, counts, queues</li>
<li><code>/api/v1/artifacts/{id}</code>: a stored artifact; the id is path-escaped</li>
<li><code>/api/v1/artifacts/{id}/similar?list=total&amp;k=10</code>: what it is like; list is general or total, k is 1 to 200</li>
<li><code>POST /api/v1/similar</code>: the list that the artifact in the body would get; nothing is stored</li>
<li><code>POST /api/v1/evaluate?list=total</code>: how good a list is by the judgments in the body, beside BM25</li>
<li><a href="/api/v1/models">/api/v1/models</a>: the models, and which serves; <code>POST /api/v1/models/{epoch}/promote</code> and <code>/rollback</code> have another serve</li>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/-/healthy">/-/healthy</a>, <a href="/-/ready">/-/ready</a>: for supervisors</li>
</ul>
</body>
</html>
`

func renderIndex(version string) ([]byte, error) {
	t, err := template.New("index").Parse(indexHTML)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = t.Execute(&buf, struct{ Version string }{version})
	return buf.Bytes(), err
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request, _ string) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(s.indexPage)
	return nil
}
