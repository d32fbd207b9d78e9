import stringWidth from "fast-string-width";

/** A column of a table; `wide` ones are shown with `-o wide` only. */
export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  readonly align?: "right";
  readonly wide?: boolean;
}

/** Rows as kubectl prints them: upper-case titles, columns sized to their content, three spaces between, never wrapped. */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  options: { readonly wide?: boolean } = {},
): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const cells = rows.map((row) => shown.map((column) => oneLine(column.value(row))));
  const widths = shown.map((column, index) =>
    cells.reduce((width, row) => Math.max(width, stringWidth(row[index] ?? "")), stringWidth(column.title)),
  );
  const line = (values: readonly string[]) =>
    values
      .map((value, index) => {
        const space = " ".repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(value)));
        return shown[index]?.align === "right" ? space + value : value + space;
      })
      .join("   ")
      .trimEnd();
  return `${[line(shown.map((column) => column.title)), ...cells.map(line)].join("\n")}\n`;
}

function oneLine(value: string): string {
  return value.replace(/\s*[\n\r\t]+\s*/g, " ");
}
