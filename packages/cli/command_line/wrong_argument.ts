/** Thrown for arguments that can't be carried out here; exit status 2. */
export class WrongArgument extends Error {
  override readonly name = 'WrongArgument';
}
