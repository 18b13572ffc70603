import type { Batch } from './batch.ts';
import type { BatchScript, BatchState } from './batch_script.ts';

/** A batch as a test sees it. */
export interface BatchView {
  readonly id: string;
  readonly state: BatchState;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly inputFileId: string;
  readonly outputFileId: string | undefined;
  readonly errorFileId: string | undefined;
}

export function viewOf(batch: Batch): BatchView {
  return {
    id: batch.created.id,
    state: batch.state,
    metadata: batch.created.metadata,
    inputFileId: batch.created.inputFileId,
    outputFileId: batch.files.output,
    errorFileId: batch.files.error,
  };
}

interface ScriptInForce {
  readonly script: BatchScript;
  readonly which: (batch: BatchView) => boolean;
}

const goesWell: BatchScript = {};

/** The scripts that tests have given; of those that match a batch, the newest is its own. */
export class ScriptsInForce {
  #scripts: readonly ScriptInForce[] = [];

  /** @returns takes the script out of force. */
  add(script: BatchScript, which: (batch: BatchView) => boolean): () => void {
    const entry = { script, which };
    this.#scripts = [entry, ...this.#scripts];
    return () => {
      this.#scripts = this.#scripts.filter((other) => other !== entry);
    };
  }

  of(batch: Batch): BatchScript {
    const view = viewOf(batch);
    return this.#scripts.find(({ which }) => which(view))?.script ?? goesWell;
  }
}
