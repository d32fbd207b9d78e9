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

/** `--on-failure`. */
export function onFailure(): Option {
  return new Option("--on-failure <choice>", "roll back, or hold so that a person can decide")
    .choices(onFailureChoices)
    .default("rollback");
}
