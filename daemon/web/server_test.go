package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"golang.org/x/crypto/bcrypt"
)

// start serves until the test ends, and tells an error of Serve.
func start(t *testing.T, cfg Config, f *fake) (*Server, context.CancelFunc, <-chan error) {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	s, err := New(cfg, f, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(cancel)
	return s, cancel, done
}

func TestServeAndStop(t *testing.T) {
	t.Parallel()
	s, cancel, done := start(t, Config{}, &fake{})
	res, err := http.Get("http://" + s.Addr().String() + "/-/healthy")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	_ = res.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stop: %v", err)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("still listening")
	}
}

func TestStopBeforeStart(t *testing.T) {
	t.Parallel()
	s := newServer(t, &fake{})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Serve(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("still listening")
	}
}

// A request in progress when the stop begins is answered.
func TestStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	f := &fake{fail: func(string) error { close(entered); <-leave; return nil }}
	s, cancel, done := start(t, Config{}, f)
	got := make(chan error, 1)
	go func() {
		res, err := http.Get("http://" + s.Addr().String() + "/api/v1/status")
		if err == nil && res.StatusCode != 200 {
			err = errors.New(res.Status)
		}
		got <- err
	}()
	<-entered
	cancel()
	select { // a stop that does not wait is quick; one that does can't fail here
	case err := <-done:
		t.Fatalf("stopped while a request was in progress: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := errors.Join(<-got, <-done); err != nil {
		t.Error(err)
	}
}

func TestTakenAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := New(Config{Addr: l.Addr().String()}, &fake{}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "taken") {
		t.Errorf("error %v", err)
	}
}

func TestMetricsRegisteredTwice(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	if _, err := New(Config{}, &fake{}, reg, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{}, &fake{}, reg, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}

// certificate writes a self-signed pair and returns its pool.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kilim"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

func TestTLSAndBasicAuth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := certificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "web.yaml")
	text := fmt.Sprintf("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {ali: %q}\n", hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, cancel, done := start(t, Config{WebConfigFile: file}, &fake{})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	get := func(scheme, user, password, path string) (int, error) {
		req, err := http.NewRequest("GET", scheme+"://"+s.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, password)
		}
		res, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode, res.Body.Close()
	}
	for _, path := range []string{"/", "/metrics", "/-/healthy", "/api/v1/status", "/api/v1/artifacts/a%2Fb", "/nothing"} {
		for _, c := range []struct {
			user, password string
			denied         bool
		}{{"", "", true}, {"ali", "wrong", true}, {"baba", "open sesame", true}, {"ali", "open sesame", false}} {
			code, err := get("https", c.user, c.password, path)
			if err != nil {
				t.Fatal(err)
			}
			if (code == 401) != c.denied {
				t.Errorf("%s as %q with %q: status %d", path, c.user, c.password, code)
			}
		}
	}
	if code, err := get("http", "ali", "open sesame", "/-/healthy"); err == nil && code == 200 {
		t.Error("answered without TLS")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestBadWebConfigFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(file, []byte("tls_server_config: {cert_file: nowhere.pem, key_file: nowhere.pem}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, done := start(t, Config{WebConfigFile: file}, &fake{})
	if err := <-done; err == nil || !strings.Contains(err.Error(), "nowhere.pem") {
		t.Errorf("error %v", err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	s, err := New(Config{}, &fake{}, reg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, "GET", "/api/v1/artifacts/missing", "")
	ask(t, s, "GET", "/api/v1/artifacts/x/similar", "")
	ask(t, s, "GET", "/api/v1/artifacts/y/similar", "")
	ask(t, s, "GET", "/nowhere", "")
	w := ask(t, s, "GET", "/metrics", "")
	for _, want := range []string{
		`kilim_http_requests_total{code="404",handler="artifact"} 1`,
		`kilim_http_requests_total{code="200",handler="similar"} 2`,
		`kilim_http_requests_total{code="404",handler="unknown"} 1`,
		`kilim_http_request_duration_seconds_count{handler="similar"} 2`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestLimitsOfTheHeader(t *testing.T) {
	t.Parallel()
	s, _, _ := start(t, Config{}, &fake{})
	req, err := http.NewRequest("GET", "http://"+s.Addr().String()+"/-/healthy", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}
