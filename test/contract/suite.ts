import { afterAll, beforeAll, describe } from "vitest";
import { serverSideApply } from "./apply.ts";
import { type Contract, type Open, openContract } from "./contract.ts";
import { crud } from "./crud.ts";
import { definitions } from "./definitions.ts";
import { deletion } from "./deletion.ts";
import { inventories } from "./inventories.ts";
import { lists } from "./lists.ts";
import { namespaces } from "./namespaces.ts";
import { reflectors } from "./reflectors.ts";
import { reviews } from "./reviews.ts";
import { watches } from "./watches.ts";
import { workloads } from "./workloads.ts";

/**
 * What this program asks of an API server, as tests. They run on the sandbox and on a real API server, which is the
 * judge: the sandbox is right when it passes what the real one passes.
 */
export function contractSuite(name: string, open: Open): void {
  describe(name, () => {
    let opened: Contract | undefined;
    beforeAll(async () => {
      opened = await openContract(open);
    });
    afterAll(async () => {
      await opened?.close();
    });
    const contract = (): Contract => {
      if (opened === undefined) throw new Error("no API server: opening it failed");
      return opened;
    };
    describe.concurrent("the contract", () => {
      crud(contract);
      serverSideApply(contract);
      lists(contract);
      watches(contract);
      deletion(contract);
      namespaces(contract);
      definitions(contract);
      inventories(contract);
      reflectors(contract);
      reviews(contract);
      workloads(contract);
    });
  });
}
