import { access, mkdir, rmdir, writeFile } from "node:fs/promises";

const root = "/sys/fs/cgroup";
const periodUs = 100_000;

/**
 * Gives a process so many cores and no more, as a container's limit does: by a control group of its own. Linux, as root.
 * @returns takes the group away, once the process has ended
 */
export async function limitCpu(pid: number, cores: number): Promise<() => Promise<void>> {
  const quota = String(Math.round(cores * periodUs));
  const isUnified = await access(`${root}/cgroup.controllers`).then(
    () => true,
    () => false,
  );
  const group = `${root}/${isUnified ? "" : "cpu/"}platform-bench-${pid}`;
  await mkdir(group);
  if (isUnified) await writeFile(`${group}/cpu.max`, `${quota} ${periodUs}`);
  else {
    await writeFile(`${group}/cpu.cfs_period_us`, String(periodUs));
    await writeFile(`${group}/cpu.cfs_quota_us`, quota);
  }
  await writeFile(`${group}/cgroup.procs`, String(pid));
  return () => rmdir(group);
}
