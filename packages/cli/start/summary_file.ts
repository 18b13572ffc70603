import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WrongArgument } from '../command_line/wrong_argument.ts';

/**
 * Checks before the run that its summary can be written after it.
 *
 * @throws WrongArgument when there is no such folder, when it may not be written to, or when the file is a folder.
 */
export async function checkSummaryFile(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const folder = dirname(file);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    throw new WrongArgument(
      `--summary ${file}: the folder ${folder} does not exist or may not be written to`,
    );
  }
  const present = await stat(file).catch(() => undefined);
  if (present?.isDirectory() === true)
    throw new WrongArgument(`--summary ${file}: that is a folder`);
}
