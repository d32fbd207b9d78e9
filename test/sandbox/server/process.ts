// A process of its own that opens a sandbox: node test/sandbox/server/process.ts FOLDER [PREFIX].
// With a prefix it creates ConfigMaps PREFIX-0, PREFIX-1, … as fast as it can and prints each once acknowledged.
import { request } from "node:http";
import { openSandbox } from "../../../src/sandbox/open.ts";

const [folder = "", prefix] = process.argv.slice(2);
const sandbox = await openSandbox({ folder });
process.stdout.write("open\n");

function create(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const made = request(
      {
        socketPath: sandbox.socketPath,
        path: "/api/v1/namespaces/default/configmaps",
        method: "POST",
        headers: { authorization: `Bearer ${sandbox.token}`, "content-type": "application/json" },
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      },
    );
    made.on("error", reject);
    made.end(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } }));
  });
}

if (prefix !== undefined) {
  for (let number = 0; ; number++) {
    const name = `${prefix}-${number}`;
    const status = await create(name);
    if (status === 201) process.stdout.write(`${name}\n`);
    else process.stdout.write(`refused ${status}\n`);
  }
}
