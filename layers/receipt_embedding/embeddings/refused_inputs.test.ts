import { describe, expect, it } from 'vitest';
import { vectorOf } from '../../../tests/support/embedders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { InvalidRequest } from '../errors.ts';
import type { Fault } from '../layer_error.ts';
import { type Embedder, RememberingEmbedder } from './embedder.ts';
import { embedEach } from './refused_inputs.ts';

/** Refuses requests that hold an input that it is asked about. */
function refusing(isRefused: (input: string) => boolean, fault: Fault) {
  const world = { requests: 0 };
  const embedder: Embedder = {
    model: 'model',
    dimensions: 2,
    embed: (inputs) => {
      world.requests++;
      return inputs.some(isRefused)
        ? Promise.reject(new InvalidRequest('OpenAI answered 400', { fault }))
        : Promise.resolve({ vectors: inputs.map(vectorOf), prompt_tokens: 1, requests: 1 });
    },
  };
  return { world, embedder: new RememberingEmbedder(embedder) };
}

const inputs = Array.from({ length: 64 }, (_, at) => `line ${at}`);

describe('inputs of which some are refused', () => {
  it.each<[Fault, string]>([
    ['input', 'line 0'],
    ['input', 'line 63'],
    ['unknown', 'line 0'],
    ['unknown', 'line 63'],
  ])('with the fault %s: %s alone is, and all others are embedded', async (fault, bad) => {
    const { embedder } = refusing((input) => input === bad, fault);

    const { vectors, refusals } = await embedEach(embedder, inputs);

    expect([...refusals]).toStrictEqual([[bad, 'OpenAI answered 400']]);
    expect(inputs.filter((_, at) => vectors[at] === undefined)).toStrictEqual([bad]);
  });

  it('are embedded where nobody knows why, and it was for a moment', async () => {
    let left = 7;
    const { embedder } = refusing((input) => input === 'line 0' && left-- > 0, 'unknown');

    const { vectors, refusals } = await embedEach(embedder, inputs);

    expect([...refusals]).toStrictEqual([]);
    expect(vectors).not.toContain(undefined);
  });

  it('fails as a whole where all are, for a reason that nobody knows, after a few requests', async () => {
    const { embedder, world } = refusing(() => true, 'unknown');

    expect(await rejection(embedEach(embedder, inputs))).toMatchObject({
      name: 'InvalidRequest',
      fault: 'unknown',
    });
    expect(world.requests).toBe(17);
  });

  it('fails where the only one is, for a reason that nobody knows', async () => {
    const { embedder } = refusing(() => true, 'unknown');

    expect(await rejection(embedEach(embedder, ['MILK']))).toMatchObject({ fault: 'unknown' });
  });

  it('may all be refused for what is known to be their own fault', async () => {
    const { embedder } = refusing(() => true, 'input');

    expect((await embedEach(embedder, inputs)).refusals.size).toBe(64);
  });

  it('fails with whatever is nobody’s input’s fault', async () => {
    const { embedder, world } = refusing((input) => input === 'line 5', 'ours');

    expect(await rejection(embedEach(embedder, inputs))).toMatchObject({ fault: 'ours' });
    expect(world.requests).toBe(1);
  });
});
