import { describe, expect, it } from 'vitest';
import { aLine } from '../../../tests/support/receipt_factory.ts';
import { isEmbeddable } from './embeddable.ts';

describe('a line or word', () => {
  it.each([
    ['to do', {}, true],
    ['claimed by a batch', { embedding_status: 'PENDING' as const }, true],
    ['embedded before', { embedding_status: 'SUCCESS' as const }, true],
    ['refused before', { embedding_status: 'FAILED' as const }, true],
    ['of one character', { text: '.' }, true],
    ['noise', { is_noise: true }, false],
    ['of status NOISE', { embedding_status: 'NOISE' as const }, false],
    ['empty', { text: '' }, false],
    ['only white space', { text: ' \t\n\u00a0' }, false],
  ])('that is %s is embedded or not', (_, changes, embedded) => {
    expect(isEmbeddable(aLine(changes))).toBe(embedded);
  });
});
