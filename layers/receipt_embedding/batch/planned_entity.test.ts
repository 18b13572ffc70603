import { describe, expect, it } from 'vitest';
import { wordId } from '../../../tests/support/batch_factory.ts';
import { requestedId, requestLine } from './planned_entity.ts';

const entity = { custom_id: wordId(), text: 'MILK', input: '<TARGET>"MILK"</TARGET>' };

describe('a request of a batch', () => {
  it('is what OpenAI’s reference asks for, its vector as base64', () => {
    const line = requestLine(entity, { model: 'text-embedding-3-small', dimensions: 1_536 });

    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toStrictEqual({
      custom_id: wordId(),
      method: 'POST',
      url: '/v1/embeddings',
      body: {
        model: 'text-embedding-3-small',
        input: '<TARGET>"MILK"</TARGET>',
        encoding_format: 'base64',
        dimensions: 1_536,
      },
    });
  });

  it.each([
    ['a request', '{"custom_id":"a","method":"POST"}', 'a'],
    ['a request without an id', '{"method":"POST"}', undefined],
    ['an id that is no text', '{"custom_id":7}', undefined],
    ['no JSON', 'upstream error', undefined],
    ['no object', 'null', undefined],
  ])('names whom it is for: %s', (_, line, id) => {
    expect(requestedId(line)).toBe(id);
  });
});
