package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func TestHealthz(t *testing.T) {
	if code, body := get(t, routes(), "/healthz"); code != http.StatusOK || !strings.Contains(body, "ok") {
		t.Fatalf("got %d %s", code, body)
	}
}

func TestUnknownPath(t *testing.T) {
	if code, _ := get(t, routes(), "/nothing-here"); code != http.StatusNotFound {
		t.Fatalf("got %d", code)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	m := newMetrics()
	get(t, m.instrument(routes()), "/")
	_, body := get(t, m.handler(), "/metrics")
	for _, want := range []string{`http_requests_total{code="200",method="get"} 1`, "http_request_duration_seconds_bucket"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in:\n%s", want, body)
		}
	}
}

func TestRunStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, slog.New(slog.NewJSONHandler(io.Discard, nil)), "127.0.0.1:0", "127.0.0.1:0")
	}()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still running")
	}
}
