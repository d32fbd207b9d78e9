import { git } from "../../delivery/git.ts";
import { type Finding, fail, look, ok, warn } from "./finding.ts";

/** What the doctor knows of the process it runs in. */
export interface Client {
  /** `24.21.0`. */
  readonly node: string;
  /** Of this program. */
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a person sits at it. */
  readonly interactive: boolean;
  readonly colors: boolean;
}

/** Oldest Node that runs the program. */
const oldestNode = [22, 19] as const;

function isOldEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

/** This machine, as far as the program needs it. */
export function clientFindings(client: Client): Promise<readonly Finding[]> {
  return Promise.all([
    look("client", "platform", async () => ok(client.version)),
    look("client", "node", async () =>
      isOldEnough(client.node)
        ? ok(client.node)
        : fail(`${client.node}, needs ${oldestNode.join(".")}`, "install a newer Node"),
    ),
    look("client", "git", async () => {
      try {
        const { stdout } = await git({ binary: "git", environment: client.environment, access: "local" }, [
          "--version",
        ]);
        return ok(stdout.trim().replace(/^git version /, ""));
      } catch {
        return warn(
          "not found: runs that this machine executes cannot write repositories",
          "install git, or have an operator execute runs",
        );
      }
    }),
    look("client", "terminal", async () => {
      if (!client.interactive) return ok("none: the app does not open, and nobody is asked");
      if (client.environment.TERM === "dumb") return warn("dumb: lines instead of the app", "set TERM");
      return ok(client.colors ? "with colours" : "without colours");
    }),
  ]);
}
