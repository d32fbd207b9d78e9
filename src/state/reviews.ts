import { serviceNameSchema } from "../application/names.ts";
import type { PlanWithManifests } from "../provisioning/provisioner.ts";
import type { Effect } from "../provisioning/runs/effect.ts";
import type { RollbackPreview } from "../provisioning/runs/run.ts";
import { serviceOfKey } from "../services/service.ts";
import { draftOfForm, takesDataStore } from "./change.ts";
import type { Beginning } from "./executions.ts";
import type { UseCases } from "./feeds/feed.ts";
import { tell } from "./problem.ts";
import { noPlan, type PlanPreview, type Stores } from "./stores.ts";
import { placeOf, type Ui } from "./ui.ts";
import { requestOf, type WizardFacts } from "./wizard.ts";

/** Plans of what a wizard, a change or a deletion asks for, and what carries them out. */
export interface Reviews {
  /** Puts the plan of what the shown place asks for into its store. */
  previewPlan(): void;
  /** What carries out the change or deletion on the screen; undefined while there is none. */
  carryOut(): Beginning | undefined;
}

/** What reviews need of the session. */
export interface ReviewsOptions {
  readonly stores: Stores;
  readonly connected: () => UseCases | undefined;
  readonly facts: () => WizardFacts;
  /** A plan was refused; the store tells why already. */
  readonly refused: (error: unknown, service: string, title: string) => void;
}

/** What the shown place asks for. */
interface Asked {
  /** Equal for the same question. */
  readonly key: string;
  readonly service: string;
  readonly title: string;
  readonly plan: (cases: UseCases) => Promise<PlanWithManifests>;
}

/** Reviews of one session. */
export function createReviews({ stores, connected, facts, refused }: ReviewsOptions): Reviews {
  const show = (preview: Partial<PlanPreview>) => stores.plan.setState({ ...noPlan, ...preview }, true);

  return {
    previewPlan() {
      const cases = connected();
      const asked = askedFor(stores, facts());
      if (asked === undefined || cases === undefined) return show({});
      if (typeof asked === "string") return show({ status: "refused", problem: asked, mend: "" });
      show({ status: "loading" });
      const current = () => {
        const now = askedFor(stores, facts());
        return typeof now === "object" && now.key === asked.key;
      };
      asked.plan(cases).then(
        ({ plan, manifests, diff, protectedStores = [], stores: made = [] }) => {
          if (!current()) return;
          show({ status: "ready", plan, diff, protectedStores, stores: made, objects: manifests.length });
        },
        (error: unknown) => {
          if (!current()) return;
          const { text, mend } = tell(error);
          show({ status: "refused", problem: text, mend });
          refused(error, asked.service, asked.title);
        },
      );
    },
    carryOut() {
      const ui = stores.ui.getState();
      const place = placeOf(ui);
      const options = { dataStores: ui.dataStores, ...confirmation(stores) };
      if (place.screen === "cleanup") {
        const { plan } = stores.cleanup.getState();
        if (plan === undefined) return undefined;
        return {
          busy: "Checking, then recording the run",
          title: `clean up ${plan.service}`,
          service: plan.service,
          show: "replace",
          begin: ({ provisioner }) => provisioner.orphans.delete(plan, confirmation(stores)),
        };
      }
      if (place.screen === "delete") {
        const { name, namespace } = placed(place.service);
        return {
          busy: "Checking, then recording the run",
          title: `delete ${place.service}`,
          service: name,
          show: "replace",
          begin: ({ provisioner }) => provisioner.delete(name, { ...options, namespace }),
        };
      }
      const change = parsedChange(stores);
      if (place.screen !== "change" || change === undefined || typeof change === "string") return undefined;
      const service = serviceNameSchema.parse(place.service);
      return {
        busy: "Checking, then recording the run",
        title: `${change.operation} ${service}`,
        service,
        show: "replace",
        begin: ({ provisioner }) => provisioner.change(service, change, options),
      };
    },
  };
}

/** The service of a row's key. */
function placed(key: string) {
  const { name, namespace } = serviceOfKey(key);
  return { name: serviceNameSchema.parse(name), namespace };
}

/** The change of the form, parsed; in words why it is none, undefined while it is not filled in. */
function parsedChange(stores: Stores) {
  const { change } = stores.ui.getState();
  const { parse } = stores.subject.getState();
  const draft = change === undefined ? undefined : draftOfForm(change);
  return draft === undefined || parse === undefined ? undefined : parse(draft);
}

function askedFor(stores: Stores, facts: WizardFacts): Asked | string | undefined {
  const ui = stores.ui.getState();
  const place = placeOf(ui);
  switch (place.screen) {
    case "wizard": {
      const request = requestOf(ui.wizard, facts);
      if (request === undefined) return undefined;
      return {
        key: JSON.stringify(request),
        service: request.name,
        title: `create ${request.name}`,
        plan: ({ provisioner }) => provisioner.planCreate(request),
      };
    }
    case "delete": {
      const { name, namespace } = placed(place.service);
      const { dataStores } = ui;
      return {
        key: `delete ${place.service} ${dataStores}`,
        service: name,
        title: `delete ${place.service}`,
        plan: ({ provisioner }) => provisioner.planDelete(name, dataStores, namespace),
      };
    }
    case "change": {
      const change = parsedChange(stores);
      if (change === undefined || typeof change === "string") return change;
      const service = serviceNameSchema.parse(place.service);
      const { dataStores } = ui;
      return {
        key: `${service} ${JSON.stringify(change)} ${dataStores}`,
        service,
        title: `${change.operation} ${service}`,
        plan: ({ provisioner }) => provisioner.planChange(service, change, { dataStores }),
      };
    }
    default:
      return undefined;
  }
}

/** Data that a plan destroys: volumes, and what they belong to. */
function destroysData({ plan, protectedStores }: PlanPreview): boolean {
  if (protectedStores.length > 0) return true;
  return (plan?.steps ?? []).some(({ effects }) =>
    effects.some(({ action, effect }) => action === "delete" && holdsData(effect)),
  );
}

/** The service's name that has to be typed before what the screen shows begins; undefined where it needs none. */
export function nameToType(stores: Stores): string | undefined {
  const place = placeOf(stores.ui.getState());
  switch (place.screen) {
    case "delete":
      return serviceOfKey(place.service).name;
    case "change":
      return stores.ui.getState().change?.review === true && destroysData(stores.plan.getState())
        ? place.service
        : undefined;
    case "rollback": {
      const { preview } = stores.rollback.getState();
      const loses = preview?.destroysData === true || (preview?.protectedStores ?? []).length > 0;
      return loses ? place.service : undefined;
    }
    case "cleanup": {
      const { plan } = stores.cleanup.getState();
      return plan !== undefined && plan.data.length + plan.protectedStores.length > 0
        ? plan.service
        : undefined;
    }
    default:
      return undefined;
  }
}

/** What was typed, where it confirms what is destroyed. */
export function confirmation(stores: Stores): { readonly confirmed?: string } {
  const { text } = stores.ui.getState().confirmation;
  return text !== "" && text === nameToType(stores) ? { confirmed: text } : {};
}

/** Whether a rollback has to do with data stores at all: then it is asked what becomes of them. */
export function touchesData({ deletes, keeps }: RollbackPreview): boolean {
  return [...deletes, ...keeps].some(({ effects }) => effects.some(holdsData));
}

function holdsData(effect: Effect): boolean {
  return (
    effect.kind === "workspace" ||
    (effect.kind === "object" && (effect.type === "PersistentVolumeClaim" || effect.type === "StatefulSet"))
  );
}

/** Whether the change or deletion on the screen asks what becomes of data stores. */
export function asksAboutDataStores(ui: Ui): boolean {
  const { screen } = placeOf(ui);
  return screen === "delete" || (screen === "change" && ui.change !== undefined && takesDataStore(ui.change));
}
