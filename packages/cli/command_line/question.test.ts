import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm } from './question.ts';

async function ask(input: NodeJS.ReadableStream): Promise<{ answer: boolean; shown: string }> {
  let shown = '';
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      shown += chunk.toString();
      done();
    },
  });
  return { answer: await confirm('Go? [y/N] ', { input, output }), shown };
}

describe('a question', () => {
  it.each([
    ['y', true],
    ['YES ', true],
    ['n', false],
    ['No', false],
    ['', false],
  ])('is answered by %j: %s', async (line, answer) => {
    const { shown, ...answered } = await ask(Readable.from([`${line}\n`]));

    expect([answered.answer, shown]).toStrictEqual([answer, 'Go? [y/N] ']);
  });

  it('is asked again where the answer is neither', async () => {
    expect(await ask(Readable.from(['maybe\nyes\n']))).toStrictEqual({
      answer: true,
      shown: 'Go? [y/N] Please answer yes or no: ',
    });
  });

  it('has no for an answer when the input ends', async () => {
    expect((await ask(Readable.from([]))).answer).toBe(false);
  });

  it('is answered while the terminal stays open', async () => {
    const input = new PassThrough();
    input.write('y\n');

    expect((await ask(input)).answer).toBe(true);
  });
});
