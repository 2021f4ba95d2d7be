/**
 * What commands write on stdout. Text that came from outside is escaped first, so that it can neither move the cursor nor
 * write a line of its own (attack case I10).
 */

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One JSON value on one line, in ASCII: control and bidirectional characters are `\u` escapes. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value).replace(/[^\x20-\x7e]/g, escapeUnit))
}

/** Untrusted text for a terminal: letters of any script stay, what is invisible or steers becomes an escape. */
export function escaped(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\\]/gu, (character) =>
    character === '\\'
      ? '\\\\'
      : Array.from({ length: character.length }, (_, at) => escapeUnit(character.charAt(at))).join(
          '',
        ),
  )
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
