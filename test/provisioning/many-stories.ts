import { expect, test } from "vitest";
import { labels } from "../../src/application/names.ts";
import { resources } from "../../src/cluster/resource.ts";
import { named, onStage, type Stage, small } from "./telling.ts";

/**
 * What provisioning promises where many ask at once, told on the embedded cluster and on a real one alike.
 * @param undone - how many are rolled back, at once too: all of them on a stage that others use after this
 */
export function manyStories(title: string, open: () => Promise<Stage>, undone: number): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    test("fifty creations at once all succeed, each with what is its own", { timeout: 600_000 }, async () => {
      const services = Array.from({ length: 50 }, (_, index) => named(`many-${index}`));
      const provisioner = made.provisioner();
      const created = await Promise.all(
        services.map(async (service) => {
          const execution = await provisioner.create(small(service), { onFailure: "hold" });
          return execution.finished;
        }),
      );
      expect(created.filter(({ phase }) => phase !== "Succeeded").map(({ failure }) => failure)).toEqual([]);
      const { items } = await stage.cluster.list(resources.applications, {
        labelSelector: `${labels.managed}=true`,
      });
      const found = items.map(({ metadata }) => metadata.name);
      expect(found).toEqual(expect.arrayContaining(services));
      const taken = created.slice(0, undone);
      const back = await Promise.all(
        taken.map(async ({ name }) => (await provisioner.rollback(name, { dataStores: "delete" })).finished),
      );
      expect(new Set(back.map(({ phase }) => phase))).toEqual(new Set(["RolledBack"]));
      for (const service of services.slice(0, 1)) expect(await leftOf(service)).toEqual([]);
      await Promise.all(services.map(removeRuns));
    });
  });
}
