import { describe, expect, it } from 'vitest';
import { aLine, aWord, box } from '../../../tests/support/receipt_factory.ts';
import { centroid } from '../entities/geometry.ts';
import { lineInput, wordInput } from './inputs.ts';

const context = { left: 'WHOLE', right: '3.99' };

describe('the input of a line', () => {
  it('is its text as it is', () => {
    expect(lineInput(aLine({ text: '  TOTAL  12.50 ' }))).toBe('  TOTAL  12.50 ');
  });
});

describe('the input of a word', () => {
  it('names the word, its place and its neighbours', () => {
    const word = aWord({ text: 'MILK', ...box(0.4, 0.4, 0.1, 0.02) });

    expect(wordInput(word, context)).toBe(
      '<TARGET>MILK</TARGET> <POS>middle-center</POS> <CONTEXT>WHOLE 3.99</CONTEXT>',
    );
  });

  it.each([
    [0.1, 0.9, 'top-left'],
    [0.5, 0.9, 'top-center'],
    [0.9, 0.9, 'top-right'],
    [0.1, 0.5, 'middle-left'],
    [0.5, 0.5, 'middle-center'],
    [0.9, 0.5, 'middle-right'],
    [0.1, 0.1, 'bottom-left'],
    [0.5, 0.1, 'bottom-center'],
    [0.9, 0.1, 'bottom-right'],
    // A boundary belongs to the lower row and to the column on its right.
    [0.33, 0.66, 'middle-center'],
    [0.66, 0.33, 'bottom-right'],
    [0.329999, 0.660001, 'top-left'],
    [0.659999, 0.330001, 'middle-center'],
    [-0.02, -0.01, 'bottom-left'],
    [1.01, 1.01, 'top-right'],
  ])('with its centroid at x %d, y %d is at %s', (x, y, position) => {
    const word = aWord(box(x, y, 0, 0));

    expect(centroid(word)).toStrictEqual({ x, y });
    expect(wordInput(word, context)).toContain(`<POS>${position}</POS>`);
  });
});
