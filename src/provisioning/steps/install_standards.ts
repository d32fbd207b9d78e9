import { writesPart } from "./installation-part.ts";

/** The organisation's decisions. */
export const installStandards = writesPart({
  id: "install_standards",
  title: "Standards",
  part: "standards",
  needs: ["install_types"],
});
