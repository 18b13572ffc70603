import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withTemporaryFolder } from 'receipt-embedding/local_files';

/**
 * Brings a file of OpenAI's to this machine, for as long as `use` takes.
 *
 * @param url of OpenAI, with `/v1`.
 * @returns what `use` gives, and how long it took to bring it: what the stand-in needs to make it, mostly.
 */
export async function withOutputFile<Result>(
  url: string,
  fileId: string,
  folder: string,
  use: (path: string) => Promise<Result>,
): Promise<{ readonly result: Result; readonly milliseconds: number }> {
  return await withTemporaryFolder(folder, async (inside) => {
    const path = join(inside, 'output.jsonl');
    const started = performance.now();
    const { body } = await fetch(`${url}/files/${fileId}/content`, {
      headers: { authorization: 'Bearer sk-local-stand-in' },
    });
    if (body === null) throw new Error(`there is no file ${fileId}`);
    await pipeline(Readable.fromWeb(body), createWriteStream(path));
    const milliseconds = performance.now() - started;
    return { result: await use(path), milliseconds };
  });
}
