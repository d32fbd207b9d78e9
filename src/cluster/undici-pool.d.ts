// undici's pool and its request method by themselves: the package's index also loads fetch, WebSocket, caches and more,
// which doubles what it costs at start-up. The version is pinned, and every test of the client fails if they move.

declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}

declare module "undici/lib/api/api-request.js" {
  import type { Dispatcher } from "undici";

  export default function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>;
}
