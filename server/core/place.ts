/** Places of a task: agent ids from the root, joined by `/`. */

/** Agent ids hold no `/`, so a place is beneath another exactly where its text goes on with one. A place is within itself. */
export function isWithin(place: string, above: string): boolean {
  return place === above || place.startsWith(`${above}/`)
}
