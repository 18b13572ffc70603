import type { FileStore } from '../files/file_store.ts';
import type { NewBatch } from './batch.ts';
import type { BatchInput } from './batch_input.ts';
import type { BatchResults } from './batch_results.ts';
import { linesOf, type PlannedRow } from './batch_rows.ts';
import type { BatchScript } from './batch_script.ts';

/** The ids of a batch's files; a file without rows is none. */
export interface ResultFiles {
  readonly output?: string;
  readonly error?: string;
}

/** Stores a batch's files as what they will be made of; those that the script wants gone are named and not there. */
export function storeResults(
  { id, secondsKept }: NewBatch,
  input: BatchInput,
  { output, errors }: BatchResults,
  { outputFile, errorFile }: BatchScript,
  { files, lineMade }: { readonly files: FileStore; readonly lineMade: () => void },
): ResultFiles {
  const store = (kind: string, rows: readonly PlannedRow[], gone: boolean): string => {
    const file = files.add({
      filename: `${id}_${kind}.jsonl`,
      purpose: 'batch_output',
      secondsKept,
      content: () => linesOf(id, input, rows, lineMade),
    });
    if (gone) files.delete(file.id);
    return file.id;
  };
  return {
    ...(output.length > 0 && { output: store('output', output, outputFile === 'gone') }),
    ...(errors.length > 0 && { error: store('error', errors, errorFile === 'gone') }),
  };
}
