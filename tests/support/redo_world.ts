import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type BatchSummary, embeddingBatchResultCodec } from 'receipt-embedding/entities/batch';
import type { Row, RowKey } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { toolWorld, type ToolWorld } from 'receipts-cli/command_line/testing/command_world';
import { redo } from 'receipts-cli/redo/redo';
import { z } from 'zod';
import { ourBatch, rowOfBatch } from './batch_factory.ts';
import { aWord, IMAGE_ID } from './receipt_factory.ts';
import { ReceiptTable, rowOf } from './receipt_table.ts';

/** A word of the factories' receipt, as its row is. */
export function wordRow(word_id: number, embedding_status: EmbeddingStatus, owner?: string): Row {
  return {
    ...rowOf.word(aWord({ word_id, embedding_status })),
    ...(owner === undefined ? {} : { embedding_batch_id: owner }),
  };
}

/** What a batch records of a line or word whose input was refused. */
export function failedIn(batch_id: string, pinecone_id: string): Row {
  return z.encode(embeddingBatchResultCodec, {
    batch_id,
    image_id: IMAGE_ID,
    pinecone_id,
    text: 'MILK',
    status: 'FAILED',
    error_message: null,
  });
}

/** The row of a batch of ours that has ended, unless told otherwise. */
export function endedBatch(changes: Partial<BatchSummary> = {}): Row {
  return rowOfBatch(ourBatch({ status: 'COMPLETED', ...changes }));
}

export interface RanTool {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was asked. */
  readonly questions: readonly string[];
}

interface Circumstances {
  /** @default nobody is there to ask */
  readonly answer?: (interrupt: () => void) => Promise<boolean>;
  readonly variables?: Readonly<Record<string, string>>;
  /** Hears what is written to stdout, before it is. */
  readonly onOutput?: (text: string, interrupt: () => void) => void;
}

/** A table for `npm run redo`, and the program on it. */
export class RedoWorld {
  readonly table: ReceiptTable;
  readonly #temporaryFolder: string;
  readonly #put: RowKey[] = [];

  private constructor(table: ReceiptTable, temporaryFolder: string) {
    this.table = table;
    this.#temporaryFolder = temporaryFolder;
  }

  static async start(): Promise<RedoWorld> {
    return new RedoWorld(await ReceiptTable.start(), await mkdtemp(join(tmpdir(), 'redo-test-')));
  }

  async close(): Promise<void> {
    await this.table.close();
    await rm(this.#temporaryFolder, { recursive: true });
  }

  /** Deletes what was put. @throws when the program has left a file behind. */
  async reset(): Promise<void> {
    for (const key of this.#put.splice(0)) await this.delete(key);
    const left = await readdir(this.#temporaryFolder);
    if (left.length > 0) throw new Error(`it left ${left.join(', ')} behind`);
  }

  async put(...rows: readonly Row[]): Promise<void> {
    this.#put.push(...rows);
    await this.table.put(...rows);
  }

  async delete({ PK, SK }: RowKey): Promise<void> {
    const { client, name } = this.table;
    await client.send(new DeleteItemCommand({ TableName: name, Key: marshall({ PK, SK }) }));
  }

  /** The statuses of these words of the factories' receipt, each with the batch that has claimed it, if any. */
  async words(...ids: readonly number[]): Promise<unknown[]> {
    const rows = await Promise.all(ids.map((id) => this.table.get(wordRow(id, 'NONE'))));
    return rows.map((row) => {
      const status = row?.['embedding_status'];
      const owner = row?.['embedding_batch_id'];
      return owner === undefined ? status : [status, owner];
    });
  }

  async run(argv: readonly string[], circumstances: Circumstances = {}): Promise<RanTool> {
    const { answer, variables = {}, onOutput } = circumstances;
    const world: ToolWorld = toolWorld({
      client: this.table.client,
      variables: { DYNAMODB_TABLE_NAME: this.table.name, ...variables },
      ...(onOutput === undefined
        ? {}
        : {
            onOutput: (text) => {
              onOutput(text, world.interrupt);
            },
          }),
    });
    const questions: string[] = [];
    const confirm = (question: string): Promise<boolean> => {
      questions.push(question);
      return answer?.(world.interrupt) ?? Promise.resolve(false);
    };
    const status = await redo(argv, {
      ...world.ports,
      temporaryFolder: this.#temporaryFolder,
      confirm: answer === undefined ? undefined : confirm,
    });
    return { status, stdout: world.stdout(), stderr: world.stderr(), questions };
  }
}
