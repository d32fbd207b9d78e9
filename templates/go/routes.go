package main

import (
	"encoding/json"
	"net/http"
)

// routes is what the service answers: start here.
func routes() http.Handler {
	mux := http.NewServeMux()
	// The platform asks this before it sends requests, and restarts the service when it stops answering.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"service": "example-service"})
	})
	return mux
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
