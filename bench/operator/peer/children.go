package main

import (
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	managedLabel   = "platform.company.com/managed"
	serviceLabel   = "platform.company.com/service"
	componentLabel = "platform.company.com/component"
)

// children are the seven objects that the platform makes for the same Application, field by field.
func children(app *Application) []client.Object {
	name, namespace := app.Name, app.Namespace
	meta := func(name, component string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Name:            name,
			Namespace:       namespace,
			Labels:          labelsOf(app, component),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(app, groupVersion.WithKind("Application"))},
		}
	}
	pods := map[string]string{serviceLabel: name, componentLabel: "workload"}
	selector := metav1.LabelSelector{MatchLabels: pods}
	policy := func(kind string, spec networkingv1.NetworkPolicySpec) *networkingv1.NetworkPolicy {
		spec.PodSelector = selector
		return &networkingv1.NetworkPolicy{
			TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
			ObjectMeta: meta(kind+"."+name, "namespace"),
			Spec:       spec,
		}
	}
	workloads := networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{managedLabel: "true"}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{componentLabel: "workload"}},
	}
	observability := networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{"kubernetes.io/metadata.name": "observability"},
		},
	}
	port := func(number int32) []networkingv1.NetworkPolicyPort {
		return []networkingv1.NetworkPolicyPort{
			{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromInt32(number))},
		}
	}
	egress := func(to networkingv1.NetworkPolicyPeer, number int32) networkingv1.NetworkPolicySpec {
		return networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
			Egress: []networkingv1.NetworkPolicyEgressRule{
				{To: []networkingv1.NetworkPolicyPeer{to}, Ports: port(number)},
			},
		}
	}
	ingress := networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress: []networkingv1.NetworkPolicyIngressRule{
			{From: []networkingv1.NetworkPolicyPeer{workloads}, Ports: port(8080)},
		},
	}
	return []client.Object{
		policy("telemetry", egress(observability, 4317)),
		policy("calls", egress(workloads, 8080)),
		policy("requests", ingress),
		&corev1.ServiceAccount{
			TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
			ObjectMeta:                   meta(name, "namespace"),
			AutomountServiceAccountToken: ptr.To(false),
		},
		&corev1.Service{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			ObjectMeta: meta(name, "workload"),
			Spec: corev1.ServiceSpec{
				Type:     corev1.ServiceTypeClusterIP,
				Selector: pods,
				Ports: []corev1.ServicePort{{
					Name:        "http",
					Port:        80,
					TargetPort:  intstr.FromString("http"),
					Protocol:    corev1.ProtocolTCP,
					AppProtocol: ptr.To("http"),
				}},
			},
		},
		&appsv1.Deployment{
			TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
			ObjectMeta: meta(name, "workload"),
			Spec: appsv1.DeploymentSpec{
				Replicas:                ptr.To(app.Spec.Replicas),
				RevisionHistoryLimit:    ptr.To(int32(10)),
				ProgressDeadlineSeconds: ptr.To(int32(300)),
				Strategy: appsv1.DeploymentStrategy{
					Type: appsv1.RollingUpdateDeploymentStrategyType,
					RollingUpdate: &appsv1.RollingUpdateDeployment{
						MaxSurge:       ptr.To(intstr.FromInt32(1)),
						MaxUnavailable: ptr.To(intstr.FromInt32(0)),
					},
				},
				Selector: &selector,
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labelsOf(app, "workload")},
					Spec:       podSpec(app, &selector),
				},
			},
		},
		&policyv1.PodDisruptionBudget{
			TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
			ObjectMeta: meta(name, "workload"),
			Spec: policyv1.PodDisruptionBudgetSpec{
				MaxUnavailable:             ptr.To(intstr.FromInt32(1)),
				UnhealthyPodEvictionPolicy: ptr.To(policyv1.AlwaysAllow),
				Selector:                   &selector,
			},
		},
	}
}

func labelsOf(app *Application, component string) map[string]string {
	labels := map[string]string{
		"app.kubernetes.io/name":       app.Name,
		"app.kubernetes.io/managed-by": "platform",
		managedLabel:                   "true",
		serviceLabel:                   app.Name,
		"platform.company.com/team":    app.Spec.Team,
	}
	maps.Copy(labels, map[string]string{
		"app.kubernetes.io/component": component,
		componentLabel:                component,
	})
	return labels
}

func podSpec(app *Application, selector *metav1.LabelSelector) corev1.PodSpec {
	probe := func(period, failures int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
				Path: "/healthz", Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTP,
			}},
			TimeoutSeconds:   2,
			PeriodSeconds:    period,
			SuccessThreshold: 1, // as the API server would: without it, no two would be equal
			FailureThreshold: failures,
		}
	}
	spread := func(key string) corev1.TopologySpreadConstraint {
		return corev1.TopologySpreadConstraint{
			TopologyKey:       key,
			MaxSkew:           1,
			WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector:     selector,
		}
	}
	return corev1.PodSpec{
		ServiceAccountName:            app.Name,
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		TerminationGracePeriodSeconds: ptr.To(int64(30)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:        ptr.To(true),
			RunAsUser:           ptr.To(int64(65532)),
			RunAsGroup:          ptr.To(int64(65532)),
			FSGroup:             ptr.To(int64(65532)),
			FSGroupChangePolicy: ptr.To(corev1.FSGroupChangeOnRootMismatch),
			SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{
			spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname"),
		},
		Containers: []corev1.Container{{
			Name:  app.Name,
			Image: app.Spec.Image,
			Ports: []corev1.ContainerPort{
				{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP},
				{Name: "metrics", ContainerPort: 9090, Protocol: corev1.ProtocolTCP},
			},
			Env:       environment(app),
			Resources: app.Spec.Resources,
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: ptr.To(false),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				ReadOnlyRootFilesystem:   ptr.To(true),
			},
			StartupProbe:   probe(2, 60),
			LivenessProbe:  probe(10, 3),
			ReadinessProbe: probe(5, 2),
			Lifecycle: &corev1.Lifecycle{
				PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
		}},
		Volumes: []corev1.Volume{{
			Name: "tmp",
			VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse("64Mi"))},
			},
		}},
	}
}

func environment(app *Application) []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: "PORT", Value: "8080"},
		{Name: "METRICS_PORT", Value: "9090"},
		{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.name"},
		}},
		{Name: "OTEL_SERVICE_NAME", Value: app.Name},
		{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Value: "http://otel-collector.observability.svc:4317"},
		{Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Value: "grpc"},
		{Name: "OTEL_TRACES_EXPORTER", Value: "otlp"},
		{Name: "OTEL_METRICS_EXPORTER", Value: "none"},
		{Name: "OTEL_LOGS_EXPORTER", Value: "none"},
		{Name: "OTEL_PROPAGATORS", Value: "tracecontext,baggage"},
		{Name: "OTEL_RESOURCE_ATTRIBUTES", Value: fmt.Sprintf(
			"service.namespace=%s,k8s.namespace.name=%s,k8s.pod.name=$(POD_NAME)", app.Spec.Team, app.Namespace,
		)},
	}
}
