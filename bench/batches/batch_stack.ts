import { serve } from 'embedded-aws/http/server';
import { type LocalStack, startLocalStack } from 'receipts-cli/local_stack';
import { FunctionProcesses } from '../functions/function_processes.ts';
import { type VectorFormat, withDenseVectors } from './dense_vectors.ts';

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
      config: { openai_base_url: openaiUrl, batch_max_tokens: '1000000000' },
    });
    started.push(stack.close);
    const { dimensions } = stack.embeddingModel;
    door.openai = withDenseVectors(stack.openai.handle, { dimensions, format });
    const functions = await FunctionProcesses.start(stack.aws.url);
    started.push(() => functions.close());
    functions.takeOver(stack.aws.lambda);
    return { stack, functions, openaiUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}
