/**
 * One key press, whatever chunk it arrived in. `id` is how the action table writes it: `j`, `G`, `enter`, `esc`,
 * `tab`, `shift-tab`, `up`, `ctrl-c`, `alt-b`, `paste`. `text` is what it types: absent for keys that type nothing.
 */
export interface Key {
  readonly id: string;
  readonly text?: string;
}

/** Keys of a string typed at once: each code point is one press, control bytes become their names. */
export function keysOfText(text: string): Key[] {
  const keys: Key[] = [];
  for (const character of text) keys.push(keyOfCharacter(character));
  return keys;
}

function keyOfCharacter(character: string): Key {
  switch (character) {
    case "\r":
    case "\n":
      return { id: "enter" };
    case "\t":
      return { id: "tab" };
    case "\u007f":
    case "\b":
      return { id: "backspace" };
    case "\u001b":
      return { id: "esc" };
    case " ":
      return { id: "space", text: " " };
  }
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return { id: `ctrl-${String.fromCodePoint(code + 0x60)}` };
  return { id: character, text: character };
}
