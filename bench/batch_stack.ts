import { serve } from 'embedded-aws/http/server';
import type { Service } from 'embedded-aws/http/service';
import { type LocalStack, startLocalStack } from 'receipts-cli/local_stack';
import { FunctionProcesses } from './function_processes.ts';

/** A deployment that is made for measuring. */
export interface BatchStack {
  readonly stack: LocalStack;
  readonly functions: FunctionProcesses;
  /** Of OpenAI, with `/v1`. */
  readonly openaiUrl: string;
  readonly close: () => Promise<void>;
}

/**
 * The embedded AWS, with its functions in processes of their own, with vectors that are as large as real ones, and with a
 * Pinecone that keeps none of them. A batch may have as many tokens as OpenAI lets it.
 */
export async function startBatchStack(format: VectorFormat): Promise<BatchStack> {
  const door: { openai?: ReturnType<typeof withDenseVectors> } = {};
  const openai = await serve((request) => {
    if (door.openai === undefined) throw new Error('the stack is still starting');
    return door.openai(request);
  }, 0);
  const started: (() => Promise<void>)[] = [() => openai.close()];
  const close = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const openaiUrl = `${openai.url}/v1`;
    const stack = await startLocalStack({
      pinecone: { keepVectors: false },
      config: {
        openai_base_url: openaiUrl,
        batch_max_tokens: '1000000000',
        // The output is read again to be compared with.
        keep_openai_files: 'true',
      },
    });
    started.push(stack.close);
    const { dimensions } = stack.embeddingModel;
    door.openai = withDenseVectors(stack.openai.handle, { dimensions, format });
    const functions = await FunctionProcesses.start(stack.aws);
    started.push(() => functions.close());
    functions.takeOver(stack.aws.lambda);
    return { stack, functions, openaiUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How OpenAI may answer vectors: base64 as it is asked for, or arrays of numbers all the same. */
export type VectorFormat = 'base64' | 'float';

/** So many different vectors: enough that no cache of a processor holds them all. */
const VECTORS = 256;

/**
 * OpenAI's stand-in with vectors as a model makes them. Its own are mostly zeros, which are quicker to print and to read, and
 * as numbers take a fraction of the bytes.
 */
function withDenseVectors(
  standIn: Service,
  { dimensions, format }: { readonly dimensions: number; readonly format: VectorFormat },
): Service {
  const vectors = Array.from({ length: VECTORS }, (_, n) =>
    printed(denseVector(n, dimensions), format),
  );
  return async (request) => {
    const response = await standIn(request);
    const { body } = response;
    if (typeof body !== 'object' || Buffer.isBuffer(body)) return response;
    return { ...response, body: dense(body, vectors) };
  };
}

/** @param chunks whole lines each. */
function* dense(chunks: Iterable<Buffer>, vectors: readonly string[]): Generator<Buffer> {
  let rows = 0;
  for (const chunk of chunks) {
    const lines = chunk
      .toString('latin1')
      .replaceAll(/"embedding":"[^"]*"/g, () => `"embedding":${vectors[rows++ % VECTORS] ?? ''}`);
    yield Buffer.from(lines, 'latin1');
  }
}

/** Of length 1 or near it. */
function denseVector(n: number, dimensions: number): Float32Array {
  const scale = Math.sqrt(3 / dimensions);
  let state = (n + 1) * 0x9e3779b1;
  return Float32Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

function printed(vector: Float32Array, format: VectorFormat): string {
  return format === 'float'
    ? `[${Array.from(vector, (value) => value.toPrecision(9)).join(',')}]`
    : `"${Buffer.from(vector.buffer).toString('base64')}"`;
}
