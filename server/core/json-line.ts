/**
 * A value as one line of JSON for a file that others read (attack case N01): what a terminal or an editor would take for more
 * than a character is an escape. What a spreadsheet takes for a formula is a string like any other.
 */

/** Control characters that JSON leaves as they are, ends of lines and paragraphs, marks of direction and of byte order. */
const STEERING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Without the end of the line. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
