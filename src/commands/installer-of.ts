import type { Installer } from "../installation/installer.ts";
import type { Session } from "./session.ts";

/** The installer on the cluster that the flags name. */
export async function installerOf(session: Session, version: string): Promise<Installer> {
  const [{ createInstaller }, { systemTiming }, { randomBytes }, os, cluster] = await Promise.all([
    import("../installation/installer.ts"),
    import("../cluster/timing.ts"),
    import("node:crypto"),
    import("node:os"),
    session.connect(),
  ]);
  return createInstaller({
    cluster,
    clock: systemTiming,
    randomBytes,
    holder: `${os.userInfo().username}@${os.hostname()}:${process.pid}`,
    version,
  });
}
