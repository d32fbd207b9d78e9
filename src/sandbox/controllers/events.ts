import { z } from "zod";
import type { Api, StoredObject } from "../api.ts";
import { ApiFailure } from "../status.ts";
import { type ControllerClock, timestamp } from "./clock.ts";
import { hash } from "./names.ts";

/** Who an Event is about: any stored object, and the part of it (`spec.containers{web}`). */
export interface EventSubject {
  readonly object: StoredObject;
  readonly fieldPath?: string;
}

export interface EventRecorder {
  /** Records an Event, or counts it up where the same one is known. Never throws for a refused write. */
  record(
    subject: EventSubject | StoredObject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    component: string,
  ): void;
  /** Deletes Events older than an hour, as a real API server does. */
  sweep(): void;
}

const hourMs = 3_600_000;
/** Known Events remembered for counting; a real recorder remembers 4096. */
const remembered = 4096;
const counted = z.looseObject({ count: z.number().default(1) });
const lastSeen = z.looseObject({ lastTimestamp: z.string().nullish() });

/** Events as client-go's recorder writes them. */
export function eventRecorder(api: Api, clock: ControllerClock): EventRecorder {
  const known = new Map<string, string>();
  let made = 0;

  function countUp(namespace: string, name: string, now: string): boolean {
    const event = api.get("/events", namespace, name);
    if (event === undefined) return false;
    api.update("/events", { ...event, count: counted.parse(event).count + 1, lastTimestamp: now });
    return true;
  }

  return {
    record(about, type, reason, message, component) {
      const { object, fieldPath }: EventSubject = isSubject(about) ? about : { object: about };
      const namespace = object.metadata.namespace ?? "default";
      const now = timestamp(clock.now());
      const identity = `${object.metadata.uid}/${fieldPath ?? ""}/${type}/${reason}/${message}`;
      try {
        const name = known.get(identity);
        if (name !== undefined && countUp(namespace, name, now)) return;
        made += 1;
        const unique = (hash(identity) * 4096 + (made % 4096)).toString(16).padStart(11, "0");
        const eventName = `${object.metadata.name}.${clock.now().getTime().toString(16)}${unique.slice(-6)}`;
        api.create("/events", {
          apiVersion: "v1",
          kind: "Event",
          metadata: { name: eventName, namespace },
          involvedObject: {
            kind: object.kind,
            ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
            name: object.metadata.name,
            uid: object.metadata.uid,
            apiVersion: object.apiVersion,
            resourceVersion: object.metadata.resourceVersion,
            ...(fieldPath === undefined ? {} : { fieldPath }),
          },
          reason,
          message,
          source: { component },
          firstTimestamp: now,
          lastTimestamp: now,
          count: 1,
          type,
          eventTime: null,
          reportingComponent: component,
          reportingInstance: "",
        });
        known.set(identity, eventName);
        const oldest = known.keys().next();
        if (known.size > remembered && oldest.done !== true) known.delete(oldest.value);
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
      }
    },

    sweep() {
      const limit = clock.now().getTime() - hourMs;
      for (const event of api.list("/events")) {
        const seen = lastSeen.parse(event).lastTimestamp ?? event.metadata.creationTimestamp;
        if (Date.parse(seen) < limit) {
          api.delete("/events", event.metadata.namespace, event.metadata.name, { grace: 0 });
        }
      }
    },
  };
}

function isSubject(about: EventSubject | StoredObject): about is EventSubject {
  return !("metadata" in about);
}
