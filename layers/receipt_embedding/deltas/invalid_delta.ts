/**
 * Records that make no valid delta, or an archive that is none. Retrying never helps.
 *
 * The message names the record by its id and the offending field by its name; it never carries a
 * document, a metadata value or a vector.
 */
export class InvalidDelta extends Error {
  override readonly name = 'InvalidDelta';
}
