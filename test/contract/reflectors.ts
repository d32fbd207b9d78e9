import { describe, expect, test } from "vitest";
import { Reflector } from "../../src/cluster/reflector.ts";
import { resources } from "../../src/cluster/resource.ts";
import { type Contract, configMap, eventually } from "./contract.ts";

/** The live copy of a resource, against a server that pages, watches and sends metadata only. */
export function reflectors(contract: () => Contract): void {
  describe("a reflector", () => {
    for (const mode of ["full", "metadata"] as const) {
      test(`holds what the server holds (${mode})`, async () => {
        const { cluster, namespace } = contract();
        const labels = { reflected: mode };
        const make = (name: string) =>
          cluster.create(
            resources.configMaps,
            configMap(namespace, `${mode}-${name}`, { metadata: { labels }, data: { a: "1" } }),
          );
        for (const name of ["1", "2", "3"]) await make(name);
        const batches: string[][] = [];
        const reflector = new Reflector({
          cluster,
          resource: resources.configMaps,
          namespace,
          labelSelector: `reflected=${mode}`,
          mode,
          firstPage: 1,
          page: 1,
          batchMs: 5,
          keep: (object) => `${object.kind} ${object.data === undefined ? "without" : "with"} data`,
          onChanges: ({ changed }) => batches.push([...changed.keys()]),
        });
        const abort = new AbortController();
        const running = reflector.run(abort.signal);
        try {
          await eventually(async () => expect(reflector.freshness.state).toBe("live"));
          const key = (name: string) => `${namespace}/${mode}-${name}`;
          // The last page may turn out to be empty: then it only says that the list is complete.
          expect(batches.filter((batch) => batch.length > 0)).toEqual([[key("1")], [key("2")], [key("3")]]);
          await make("4");
          await cluster.delete(resources.configMaps, { namespace, name: `${mode}-2` });
          await eventually(async () =>
            expect([...reflector.objects.keys()]).toEqual([key("1"), key("3"), key("4")]),
          );
          const kept = mode === "full" ? "ConfigMap with data" : "ConfigMap without data";
          expect(new Set(reflector.objects.values())).toEqual(new Set([kept]));
        } finally {
          abort.abort();
          await running;
        }
      });
    }
  });
}
