// Prints a port that is free together with the two after it, below the range that systems give to outgoing connections.
import { createServer } from "node:net";

function free(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function threeFree() {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await free(port)) && (await free(port + 1)) && (await free(port + 2))) return port;
  }
  throw new Error("no three consecutive free ports between 20000 and 32000");
}

console.log(await threeFree());
