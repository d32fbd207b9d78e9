import { Option } from "commander";

/** What becomes of data stores, as `--data-stores` says it. */
export const dataStoreChoices = ["keep-used", "keep", "delete"] as const;

/** `--data-stores`. */
export function dataStores(): Option {
  return new Option(
    "--data-stores <choice>",
    "keep-used deletes only those that nobody has used; delete destroys their data",
  )
    .choices(dataStoreChoices)
    .default("keep-used");
}

/** What a failed run does, as `--on-failure` says it. */
export const onFailureChoices = ["rollback", "hold"] as const;
export type OnFailureChoice = (typeof onFailureChoices)[number];

/** `--on-failure`. */
export function onFailure(): Option {
  return new Option("--on-failure <choice>", "roll back, or hold so that a person can decide")
    .choices(onFailureChoices)
    .default("rollback");
}

/** `--on-failure` of changes, and of runs that may be some, for which the standards have a default. */
export function onFailureOfChange(): Option {
  return new Option(
    "--on-failure <choice>",
    "what becomes of a change that fails, such as a rollout that does not get healthy in its deadline: it goes back, or waits for a person (default: workload.onUnhealthy of the standards)",
  ).choices(onFailureChoices);
}

/** `--wait`: true. */
export function wait(): Option {
  return new Option("--wait", "where another run is at work on the service, begin when it is at rest");
}

/** `--no-wait`: false, under the name of `--wait`. */
export function noWait(): Option {
  return new Option("--no-wait", "leave the run to the operator once it has begun, and say how to follow it");
}
