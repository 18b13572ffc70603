import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { clientSettings } from 'embedded-aws/aws/client_settings';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import type { SearchRequest } from 'receipt-embedding/search/search_input';
import { exportedVariables } from 'receipts-cli/local_stack';
import { type AnsweredSearch, search } from 'receipts-cli/search/search';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { toolWorld } from 'receipts-cli/command_line/testing/command_world';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { localStores } from 'receipts-cli/local_stores';
import { TestStack } from './test_stack.ts';

/** What `receipts search` printed, and how it ended. */
export interface ShownSearch {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A local stack whose vectors are asked for. */
export class SearchStack extends TestStack {
  #lambda: LambdaClient | undefined;

  override async close(): Promise<void> {
    this.#lambda?.destroy();
    await super.close();
  }

  /** Writes the vectors of receipts into both stores, as either workflow would. */
  async fill(receipts: readonly SyntheticReceipt[], merchant: string | undefined): Promise<void> {
    const { dimensions } = this.local.embeddingModel;
    for (const store of localStores(this.local)) {
      for (const receipt of receipts) {
        const { lines, words } = embeddingItems(receipt, merchant, 'batch');
        await store.upsert(
          'lines',
          lines.map((item) => ({ ...item, vector: embedText(item.input, dimensions) })),
        );
        await store.upsert(
          'words',
          words.map((item) => ({ ...item, vector: embedText(item.input, dimensions) })),
        );
      }
    }
  }

  /** Runs `receipts search` with what `npm start -- --serve` prints in its environment. */
  async show(...argv: readonly string[]): Promise<ShownSearch> {
    const { ports, stdout, stderr } = toolWorld({
      client: this.local.table.client,
      variables: exportedVariables(this.local.aws),
    });
    const exit = await search(argv, { ...ports, lambda: () => this.#client() });
    return { exit, stdout: stdout(), stderr: stderr() };
  }

  /** The same with --json. @throws when it fails. */
  async found(...argv: readonly string[]): Promise<AnsweredSearch> {
    const { exit, stdout, stderr } = await this.show(...argv, '--json');
    if (exit !== 0) throw new Error(`receipts search ended with ${exit}: ${stderr}`);
    return JSON.parse(stdout) as AnsweredSearch;
  }

  /** Invokes the function, whatever the event. @returns its answer, or its error. */
  async invoke(event: SearchRequest | Readonly<Record<string, unknown>>): Promise<unknown> {
    const { Payload: payload } = await this.#client().send(
      new InvokeCommand({ FunctionName: this.functionName, Payload: JSON.stringify(event) }),
    );
    return JSON.parse(Buffer.from(payload ?? []).toString());
  }

  get functionName(): string {
    return String(this.local.aws.deployment.outputs['search_function_name']);
  }

  #client(): LambdaClient {
    this.#lambda ??= new LambdaClient(clientSettings(this.local.aws));
    return this.#lambda;
  }
}
