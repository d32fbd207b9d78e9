import type { ListOptions } from "./cluster.ts";

/** Objects a page; a list of 10,000 is twenty requests, and no answer is held longer than its page. */
const pageSize = 500;

/** Asks for every page of a list or table; what is kept of a page is taken as soon as it is there. */
export async function everyPage<Page extends { readonly continue?: string }, Kept>(
  ask: (page: Pick<ListOptions, "limit" | "continue">) => Promise<Page>,
  keep: (page: Page) => readonly Kept[],
): Promise<Kept[]> {
  const kept: Kept[] = [];
  let token: string | undefined;
  do {
    const page: Page = await ask({
      limit: pageSize,
      ...(token === undefined ? {} : { continue: token }),
    });
    for (const one of keep(page)) kept.push(one);
    token = page.continue;
  } while (token !== undefined && token !== "");
  return kept;
}
