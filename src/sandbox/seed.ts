import type { Api, ResourceKey } from "./api.ts";
import { seedDefinitions } from "./seed-definitions.ts";
import type { Store } from "./store.ts";

/** Raise it when the seed changes: stores then get what they lack. */
const version = "3";

const zones = ["a", "b", "c"];

/**
 * Seeds a store unless it has been: what a person has deleted since stays deleted. `refresh` takes in what other
 * processes have committed: several may seed at once.
 */
export function seedOnce(store: Pick<Store, "getState" | "setState">, api: Api, refresh: () => void): void {
  if (store.getState("seed") === version) return;
  seed(api, refresh);
  store.setState("seed", version);
}

/**
 * Fills a cluster with what one finds on a production-grade one: nodes, system namespaces, a default StorageClass,
 * Prometheus, a gateway, and the CRDs of what a service is integrated with. Creates what does not exist and changes
 * nothing that does.
 */
export function seed(api: Api, refresh: () => void = () => {}): void {
  api.transaction(() => {
    for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
      ensure(api, "/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    for (const name of ["monitoring", "gateway", "observability", "istio-system", "external-secrets"]) {
      ensure(api, "/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    seedNodes(api);
    ensure(api, "storage.k8s.io/storageclasses", {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: "standard",
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: "rancher.io/local-path",
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
      allowVolumeExpansion: false,
    });
    ensure(api, "/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "kubernetes",
        namespace: "default",
        labels: { component: "apiserver", provider: "kubernetes" },
      },
      spec: {
        type: "ClusterIP",
        ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }],
      },
    });
    for (const definition of seedDefinitions()) {
      ensure(api, "apiextensions.k8s.io/customresourcedefinitions", definition);
    }
  });
  // Served only once their definitions are committed, here or by another process.
  refresh();
  api.transaction(() => {
    seedMonitoring(api);
    seedGateway(api);
    ensure(api, "snapshot.storage.k8s.io/volumesnapshotclasses", {
      apiVersion: "snapshot.storage.k8s.io/v1",
      kind: "VolumeSnapshotClass",
      metadata: {
        name: "standard",
        annotations: { "snapshot.storage.kubernetes.io/is-default-class": "true" },
      },
      driver: "rancher.io/local-path",
      deletionPolicy: "Delete",
    });
  });
}

function ensure(
  api: Api,
  resource: ResourceKey,
  object: Record<string, unknown> & {
    readonly metadata: {
      readonly name: string;
      readonly namespace?: string;
      readonly [field: string]: unknown;
    };
  },
): void {
  const { namespace, name } = object.metadata;
  if (api.get(resource, namespace, name) === undefined) api.create(resource, object);
}

function seedNodes(api: Api): void {
  zones.forEach((zone, index) => {
    const name = `sandbox-node-${index + 1}`;
    if (api.get("/nodes", undefined, name) !== undefined) return;
    const node = api.create("/nodes", {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name,
        labels: {
          "kubernetes.io/arch": "amd64",
          "kubernetes.io/hostname": name,
          "kubernetes.io/os": "linux",
          "node.kubernetes.io/instance-type": "simulated",
          "topology.kubernetes.io/region": "sandbox",
          "topology.kubernetes.io/zone": `sandbox-${zone}`,
        },
      },
      spec: { podCIDR: `10.244.${index}.0/24`, providerID: `sandbox://${name}` },
    });
    const size = { cpu: "16", memory: "64Gi", "ephemeral-storage": "200Gi", pods: "110" };
    const since = node.metadata.creationTimestamp;
    const condition = (type: string, status: string, reason: string, message: string) => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: since,
      lastTransitionTime: since,
    });
    api.updateStatus("/nodes", {
      ...node,
      status: {
        addresses: [
          { type: "InternalIP", address: `172.18.0.${index + 2}` },
          { type: "Hostname", address: name },
        ],
        allocatable: size,
        capacity: size,
        conditions: [
          condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
          ),
          condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
          condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
          ),
          condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        nodeInfo: {
          architecture: "amd64",
          bootID: "",
          containerRuntimeVersion: "containerd://2.1.0",
          kernelVersion: "simulated",
          kubeProxyVersion: "",
          kubeletVersion: "v1.37.0",
          machineID: "",
          operatingSystem: "linux",
          osImage: "simulated by the sandbox",
          systemUUID: "",
        },
      },
    });
  });
}

function seedMonitoring(api: Api): void {
  ensure(api, "/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "prometheus-operated",
      namespace: "monitoring",
      labels: { "operated-prometheus": "true" },
    },
    spec: { clusterIP: "None", ports: [{ name: "web", port: 9090, protocol: "TCP", targetPort: 9090 }] },
  });
  const chosen = { matchLabels: { release: "prometheus" } };
  ensure(api, "monitoring.coreos.com/prometheuses", {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "Prometheus",
    metadata: { name: "prometheus", namespace: "monitoring" },
    spec: {
      replicas: 1,
      serviceMonitorSelector: chosen,
      serviceMonitorNamespaceSelector: {},
      ruleSelector: chosen,
      ruleNamespaceSelector: {},
    },
  });
}

function seedGateway(api: Api): void {
  ensure(api, "gateway.networking.k8s.io/gateways", {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "public", namespace: "gateway" },
    spec: {
      gatewayClassName: "simulated",
      listeners: [
        {
          name: "https",
          port: 443,
          protocol: "HTTPS",
          hostname: "*.apps.example.internal",
          allowedRoutes: { namespaces: { from: "All" } },
          tls: { mode: "Terminate", certificateRefs: [{ name: "apps" }] },
        },
      ],
    },
  });
}
