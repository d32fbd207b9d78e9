// Command example-service serves HTTP requests, with health, metrics and traces as the platform expects them.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Longest time requests in flight get to finish; the platform waits 30 seconds before it kills a pod.
const shutdownTimeout = 20 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log, ":"+env("PORT", "8080"), ":"+env("METRICS_PORT", "9090")); err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, then lets requests in flight finish.
func run(ctx context.Context, log *slog.Logger, address, metricsAddress string) error {
	stopTracing, err := startTracing(ctx)
	if err != nil {
		return err
	}
	defer stopTracing()

	metrics := newMetrics()
	servers := []*http.Server{
		newServer(address, traced(metrics.instrument(routes()))),
		newServer(metricsAddress, metrics.handler()),
	}

	group, ctx := errgroup.WithContext(ctx)
	for _, server := range servers {
		listener, err := net.Listen("tcp", server.Addr)
		if err != nil {
			return err
		}
		log.Info("listening", "address", listener.Addr().String())
		group.Go(func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			deadline, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
			defer cancel()
			return server.Shutdown(deadline)
		})
	}
	return group.Wait()
}

func newServer(address string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              address,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
	}
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
