import { type RunningServer, serve } from 'embedded-aws/http/server';
import type OpenAI from 'openai';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import type { BatchScript } from 'vendor-stand-ins/openai/batch_script';
import { OpenAIStandIn } from 'vendor-stand-ins/openai/openai_stand_in';

/** An account at OpenAI, empty, in this process, and the client that the functions use for it. */
export class OpenAIAccount {
  readonly stand: OpenAIStandIn;
  readonly client: OpenAI;
  readonly #server: RunningServer;

  private constructor(stand: OpenAIStandIn, server: RunningServer) {
    this.stand = stand;
    this.#server = server;
    this.client = createOpenAIClient({ apiKey: 'sk-test', baseURL: `${server.url}/v1` });
  }

  /** @param clock what the account goes by. */
  static async start(clock: () => Date = () => new Date()): Promise<OpenAIAccount> {
    const stand = new OpenAIStandIn({ latencyMs: 0, batches: { clock } });
    return new OpenAIAccount(stand, await serve(stand.handle, 0));
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  /** How often an operation was asked for, failures included. */
  asked(operation: Parameters<OpenAIStandIn['batchRequests']['get']>[0]): number {
    return this.stand.batchRequests.get(operation) ?? 0;
  }

  /** Uploads these lines. @returns the file's id. */
  async upload(lines: readonly string[]): Promise<string> {
    const text = lines.map((line) => `${line}\n`).join('');
    const file = new File([text], 'requests.jsonl');
    return (await this.client.files.create({ file, purpose: 'batch' })).id;
  }

  /** Creates a batch of these requests, of which comes what the script says. @returns it as it has ended. */
  async run(lines: readonly string[], script: BatchScript = {}): Promise<OpenAI.Batch> {
    const { id } = await this.client.batches.create({
      input_file_id: await this.upload(lines),
      endpoint: '/v1/embeddings',
      completion_window: '24h',
    });
    this.stand.batches.script(script, (batch) => batch.id === id);
    return await this.client.batches.retrieve(id);
  }
}
