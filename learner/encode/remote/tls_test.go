package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func writePEM(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// clientCertificate signs itself.
func clientCertificate(t *testing.T, dir, name string) (cert *x509.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, writePEM(t, dir, name+".pem", "CERTIFICATE", der), writePEM(t, dir, name+".key", "PRIVATE KEY", pkcs8)
}

// Over real connections: TLS with a CA of one's own and a client certificate.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	known, certFile, keyFile := clientCertificate(t, dir, "kilim")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Inputs []string }
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, answer(TEI, req.Inputs))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshakes
	pool := x509.NewCertPool()
	pool.AddCert(known)
	// In 1.3 a client may be writing already when its certificate is refused, and see that fail instead.
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: tls.VersionTLS12}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile := writePEM(t, dir, "ca.pem", "CERTIFICATE", server.Certificate().Raw)
	_, otherCert, otherKey := clientCertificate(t, dir, "stranger")

	for name, c := range map[string]struct {
		tls  TLS
		want string // in the error
	}{
		"known":            {TLS{caFile, certFile, keyFile}, ""},
		"no certificate":   {TLS{CAFile: caFile}, "handshake failure"},
		"a stranger's":     {TLS{caFile, otherCert, otherKey}, "certificate"},
		"unknown server":   {TLS{CertFile: certFile, KeyFile: keyFile}, "unknown authority"},
		"another's own CA": {TLS{otherCert, certFile, keyFile}, "certificate"},
	} {
		cfg := config(TEI)
		cfg.URL, cfg.TLS = server.URL, c.tls
		e, err := New(cfg, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		// One request: no error here passes by itself.
		payload, err := body(&cfg, texts("a"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.once(context.Background(), payload, 1)
		if c.want == "" && (err != nil || r[0].Err != nil || len(r[0].Vector) != dim) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
		e.Close()
	}
	for want, bad := range map[string]TLS{
		"holds no certificate": {CAFile: keyFile},
		"no such file":         {CAFile: "/nowhere/ca.pem"},
		"tls.cert-file":        {CertFile: certFile, KeyFile: otherKey},
	} {
		cfg := config(TEI)
		cfg.URL, cfg.TLS = server.URL, bad
		if _, err := New(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", bad, err, want)
		}
	}
}

// A connection that the peer's system resets, which pipes can't do.
func TestRealReset(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	}()
	cfg := config(TEI)
	cfg.URL = "http://" + listener.Addr().String()
	e, err := New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.once(context.Background(), []byte("{}"), 1)
	f, ok := err.(*failure)
	if !ok || f.outcome != outcomeNetwork || !f.repeat {
		t.Errorf("error %v", err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg)
	text, image := m.For("text"), m.For("image")
	text.Breaker(Closed)
	image.Breaker(Closed)
	image.Breaker(Open)
	text.Request(outcomeOK, time.Second)
	text.Request(outcomeOK, time.Second)
	text.Request(outcomeTimeout, time.Second)
	if ok, late := testutil.ToFloat64(m.requests.WithLabelValues("text", outcomeOK)), testutil.ToFloat64(m.requests.WithLabelValues("text", outcomeTimeout)); ok != 2 || late != 1 {
		t.Errorf("%v ok, %v timeouts", ok, late)
	}
	want := `# HELP kilim_encoder_breaker_state 1 for the state that an encoder server's circuit breaker is in: closed, half_open or open.
# TYPE kilim_encoder_breaker_state gauge
kilim_encoder_breaker_state{modality="image",state="closed"} 0
kilim_encoder_breaker_state{modality="image",state="half_open"} 0
kilim_encoder_breaker_state{modality="image",state="open"} 1
kilim_encoder_breaker_state{modality="text",state="closed"} 1
kilim_encoder_breaker_state{modality="text",state="half_open"} 0
kilim_encoder_breaker_state{modality="text",state="open"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "kilim_encoder_breaker_state"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(reg, "kilim_encoder_requests_total"); err != nil || n != 2*len(outcomes()) {
		t.Errorf("%d series of requests (%v), want %d from the start", n, err, 2*len(outcomes()))
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
