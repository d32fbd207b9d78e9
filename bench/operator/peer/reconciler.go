package main

import (
	"context"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
)

const fieldOwner = client.FieldOwner("peer")

type reconciler struct{ client.Client }

func (r *reconciler) setUp(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&Application{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Owns(&networkingv1.NetworkPolicy{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 10}).
		Complete(r)
}

// Reconcile applies the children that differ, one after the other, then tells the status.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	app := &Application{}
	if err := r.Get(ctx, request.NamespacedName, app); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !app.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	deployment := &appsv1.Deployment{}
	for _, desired := range children(app) {
		live, err := r.apply(ctx, desired)
		if err != nil {
			return ctrl.Result{}, err
		}
		if found, ok := live.(*appsv1.Deployment); ok {
			deployment = found
		}
	}
	return ctrl.Result{}, r.tell(ctx, app, deployment)
}

// apply writes an object unless the cached one says the same already; it answers what was cached.
func (r *reconciler) apply(ctx context.Context, desired client.Object) (client.Object, error) {
	live := reflect.New(reflect.TypeOf(desired).Elem()).Interface().(client.Object)
	err := r.Get(ctx, client.ObjectKeyFromObject(desired), live)
	if err == nil && saysTheSame(desired, live) {
		return live, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return nil, err
	}
	delete(content, "status")
	object := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content})
	return live, r.Apply(ctx, object, client.ForceOwnership, fieldOwner)
}

// saysTheSame is whether every field that is set in desired is so in live.
func saysTheSame(desired, live client.Object) bool {
	same := equality.Semantic.DeepDerivative
	if !same(desired.GetLabels(), live.GetLabels()) || !same(desired.GetOwnerReferences(), live.GetOwnerReferences()) {
		return false
	}
	switch desired := desired.(type) {
	case *appsv1.Deployment:
		return same(desired.Spec, live.(*appsv1.Deployment).Spec)
	case *corev1.Service:
		return same(desired.Spec, live.(*corev1.Service).Spec)
	case *corev1.ServiceAccount:
		return same(desired.AutomountServiceAccountToken, live.(*corev1.ServiceAccount).AutomountServiceAccountToken)
	case *policyv1.PodDisruptionBudget:
		return same(desired.Spec, live.(*policyv1.PodDisruptionBudget).Spec)
	case *networkingv1.NetworkPolicy:
		return same(desired.Spec, live.(*networkingv1.NetworkPolicy).Spec)
	}
	return false
}

// tell writes the status where it has changed: once as in progress, once as ready.
func (r *reconciler) tell(ctx context.Context, app *Application, deployment *appsv1.Deployment) error {
	told := deployment.Status
	ready := deployment.Generation > 0 && told.ObservedGeneration >= deployment.Generation &&
		told.UpdatedReplicas == app.Spec.Replicas && told.AvailableReplicas == app.Spec.Replicas
	status := app.DeepCopy().Status
	status.ObservedGeneration = app.Generation
	status.Image = app.Spec.Image
	condition := metav1.Condition{
		Type: "Ready", Status: metav1.ConditionFalse, Reason: "Progressing", ObservedGeneration: app.Generation,
	}
	if ready {
		condition.Status, condition.Reason = metav1.ConditionTrue, "Ready"
		status.Replicas, status.ReadyReplicas = told.Replicas, told.ReadyReplicas
	}
	meta.SetStatusCondition(&status.Conditions, condition)
	if equality.Semantic.DeepEqual(status, app.Status) {
		return nil
	}
	changed := app.DeepCopy()
	changed.Status = status
	err := r.Status().Patch(ctx, changed, client.MergeFrom(app))
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
