import type { Service, WholeResponse } from 'embedded-aws/http/service';
import { Random } from 'receipts-cli/synthetic_receipts/random';
import type { TestStack } from './test_stack.ts';

/**
 * Lets DynamoDB answer queries with their rows in another order than ever before, as it may where all sort keys are
 * the same.
 *
 * @returns ends it.
 */
export function shuffleAnswers(stack: TestStack, seed: number): () => void {
  const { edge } = stack.local.aws;
  const ordinary = edge.handle;
  const random = new Random(seed.toString());
  const shuffled: Service = async (request) => {
    const response = await ordinary(request);
    if (request.headers['x-amz-target'] !== 'DynamoDB_20120810.Query') return response;
    // Only an object's content is answered in pieces.
    const text = (response as WholeResponse).body?.toString() ?? '{}';
    const answer = JSON.parse(text) as { readonly Items?: readonly unknown[] };
    const { Items = [] } = answer;
    return {
      status: response.status,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ ...answer, Items: shuffle(Items, random) }),
    };
  };
  const replace = (handle: Service): void => {
    Object.defineProperty(edge, 'handle', { value: handle, configurable: true });
  };
  replace(shuffled);
  return () => {
    replace(ordinary);
  };
}

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
