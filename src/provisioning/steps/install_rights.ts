import { writesPart } from "./installation-part.ts";

/** Who may do what: the shipped roles, bound to the groups in the standards. */
export const installRights = writesPart({
  id: "install_rights",
  title: "Rights",
  part: "rights",
  needs: ["install_types"],
});
