import { expect, test } from "vitest";
import { line, paint } from "../../../src/screens/line.ts";
import { themeFor } from "../../../src/screens/theme.ts";

test("a painted row holds no control sequence but the theme's", () => {
  const theme = themeFor({ NO_COLOR: "1" });
  const hostile = "pod\u001b[2J\u001b]0;owned\u0007 \u202eback\rover\nline\u009b31m";
  expect(paint(line(hostile), theme)).toBe("pod back over line");
  expect(paint(line("✔ 世界 ⠋ │"), theme)).toBe("✔ 世界 ⠋ │");
});
