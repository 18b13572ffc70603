import { describe, expect, it } from 'vitest';
import { RecordingEmbedder, vectorOf } from '../../../tests/support/embedders.ts';
import { RememberingEmbedder } from './remembering_embedder.ts';

describe('an embedder that remembers', () => {
  it('asks for each text once, and answers in the order of each call', async () => {
    const asked = new RecordingEmbedder();
    const embedder = new RememberingEmbedder(asked);

    const first = await embedder.embed(['a', 'b', 'a']);
    const second = await embedder.embed(['c', 'b', 'c']);

    expect(asked.calls).toStrictEqual([['a', 'b'], ['c']]);
    expect(first.vectors).toStrictEqual(['a', 'b', 'a'].map((text) => vectorOf(text)));
    expect(second.vectors).toStrictEqual(['c', 'b', 'c'].map((text) => vectorOf(text)));
  });

  it('tells what a call cost, and what all have cost together', async () => {
    const embedder = new RememberingEmbedder(new RecordingEmbedder());

    const { prompt_tokens, requests } = await embedder.embed(['a', 'b']);
    await embedder.embed(['a', 'c']);
    await embedder.embed(['a']);

    expect({ prompt_tokens, requests }).toStrictEqual({ prompt_tokens: 2, requests: 1 });
    expect(embedder.usage).toStrictEqual({ prompt_tokens: 3, requests: 2 });
  });

  it('is of the same model as the one it asks', () => {
    const { model, dimensions } = new RememberingEmbedder(new RecordingEmbedder());

    expect({ model, dimensions }).toStrictEqual({ model: 'text-embedding-3-small', dimensions: 4 });
  });
});
