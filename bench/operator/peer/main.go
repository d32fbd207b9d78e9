// Peer is an operator as one writes it with controller-runtime, for the comparison in bench/operator.ts: it makes the
// same seven children of an Application as the platform does, by server-side apply, with ten workers and without a
// limit on requests. It elects no leader: at a restart it need not wait for a Lease.
package main

import (
	"flag"
	"os"

	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	health := flag.String("health", "127.0.0.1:0", "address of /readyz")
	metrics := flag.String("metrics", "127.0.0.1:0", "address of /metrics")
	flag.Parse() // controller-runtime's own --kubeconfig is among the flags
	ctrl.SetLogger(klog.Background())
	if err := run(*health, *metrics); err != nil {
		ctrl.Log.Error(err, "ended")
		os.Exit(1)
	}
}

func run(health, metrics string) error {
	scheme := clientgoscheme.Scheme
	if err := addToScheme(scheme); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Cache:                  cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		HealthProbeBindAddress: health,
		Metrics:                server.Options{BindAddress: metrics},
	})
	if err != nil {
		return err
	}
	if err := (&reconciler{manager.GetClient()}).setUp(manager); err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("ready", healthz.Ping); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
