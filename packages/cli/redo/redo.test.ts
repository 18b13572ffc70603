import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_ID, lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { aLine, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { rowOf } from '../../../tests/support/receipt_table.ts';
import { RedoWorld, wordRow } from '../../../tests/support/redo_world.ts';

let world: RedoWorld;

beforeAll(async () => {
  world = await RedoWorld.start();
});

afterEach(() => world.reset());

afterAll(() => world.close());

const yes = { answer: () => Promise.resolve(true) };

describe('redo failed', () => {
  it('says what it will do, asks, puts back what failed and nothing else, and says how it goes on', async () => {
    await world.put(
      rowOf.line(aLine({ embedding_status: 'FAILED' })),
      wordRow(1, 'FAILED'),
      wordRow(2, 'SUCCESS'),
      wordRow(3, 'PENDING', BATCH_ID),
    );

    const { status, stdout, questions } = await world.run(['failed'], yes);

    expect(status).toBe(0);
    expect(questions).toStrictEqual(['Return 2 rows to NONE? [y/N] ']);
    expect(stdout.split('\n')).toStrictEqual([
      'Table receipts: all that failed',
      'To be returned to NONE: 2 rows',
      '                                   lines  words',
      '  FAILED                               1      1',
      '  PENDING, left behind by a batch      0      0',
      'They are:',
      `  ${lineId()}`,
      `  ${wordId()}`,
      '1 of 2',
      '2 of 2',
      'Returned to NONE: 1 line, 1 word.',
      'To do them again:',
      '  npx receipts execute realtime --filter NONE',
      '  npx receipts execute batch-submit',
      '',
    ]);
    expect(
      (await world.table.get(rowOf.line(aLine({ embedding_status: 'NONE' }))))?.[
        'embedding_status'
      ],
    ).toBe('NONE');
    expect(await world.words(1, 2, 3)).toStrictEqual(['NONE', 'SUCCESS', ['PENDING', BATCH_ID]]);
  });

  it('says the second time that there is nothing to do, and does not ask', async () => {
    await world.put(wordRow(1, 'FAILED'));
    await world.run(['failed'], yes);

    const { status, stdout, questions } = await world.run(['failed'], yes);

    expect([status, questions]).toStrictEqual([0, []]);
    expect(stdout).toContain('There is nothing to return to NONE.');
  });

  it('names the batch workflow too where there is one, and the stack', async () => {
    await world.put(wordRow(1, 'FAILED'));
    const variables = { BATCH_SUBMIT_SF_ARN: 'arn:submit' };

    const { stdout } = await world.run(['failed', '--yes'], { variables });

    expect(stdout).toContain(
      '  npx receipts execute realtime --filter NONE\n  npx receipts execute batch-submit\n',
    );
  });

  it('shows twenty examples, and how many are noise', async () => {
    const many = Array.from({ length: 22 }, (_, at) => wordRow(at + 1, 'FAILED'));
    await world.put(...many.slice(1), { ...wordRow(1, 'FAILED'), is_noise: true });

    const { stdout } = await world.run(['failed', '--dry-run']);

    const examples = stdout.split('\n').filter((text) => text.startsWith('  IMAGE#'));
    expect(examples).toHaveLength(20);
    expect(stdout).toContain('The first 20 of them:');
    expect(stdout).toContain('1 of them are noise or blank: no run will embed those.');
  });

  it('changes nothing in a dry run', async () => {
    await world.put(wordRow(1, 'FAILED'));

    const { status, stdout, questions } = await world.run(['failed', '--dry-run'], yes);

    expect([status, questions, ...(await world.words(1))]).toStrictEqual([0, [], 'FAILED']);
    expect(stdout).toContain('A dry run: nothing was changed.');
  });

  it('changes nothing when the answer is no', async () => {
    await world.put(wordRow(1, 'FAILED'));

    const { status, stdout } = await world.run(['failed'], {
      answer: () => Promise.resolve(false),
    });

    expect([status, ...(await world.words(1))]).toStrictEqual([1, 'FAILED']);
    expect(stdout).toContain('Nothing was changed.');
  });

  it('changes nothing where nobody can be asked, and says how it does', async () => {
    await world.put(wordRow(1, 'FAILED'));

    const { status, stderr } = await world.run(['failed']);

    expect([status, ...(await world.words(1))]).toStrictEqual([2, 'FAILED']);
    expect(stderr).toContain('With --yes it does not ask');
  });

  it('changes nothing when Ctrl-C is the answer', async () => {
    await world.put(wordRow(1, 'FAILED'));

    const { status } = await world.run(['failed'], {
      answer: (interrupt) => {
        interrupt();
        return new Promise(() => undefined);
      },
    });

    expect([status, ...(await world.words(1))]).toStrictEqual([130, 'FAILED']);
  });

  it('leaves what changes while it asks, counts it and lists it', async () => {
    await world.put(...[1, 2, 3, 4, 5].map((id) => wordRow(id, 'FAILED')));
    const answer = async (): Promise<boolean> => {
      await world.put(
        wordRow(1, 'SUCCESS'),
        wordRow(2, 'PENDING', BATCH_ID),
        wordRow(3, 'NOISE'),
        wordRow(6, 'FAILED'),
      );
      await world.delete(wordRow(4, 'NONE'));
      return true;
    };

    const { status, stdout } = await world.run(['failed', '--json'], { answer });

    expect(status).toBe(0);
    const { done } = JSON.parse(stdout) as { done: { changed: { id: string }[] } };
    expect({
      ...done,
      changed: done.changed.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    }).toStrictEqual({
      lines: 0,
      words: 1,
      changed_meanwhile: 3,
      changed: [
        { id: wordId({ word_id: 1 }), status: 'SUCCESS' },
        { id: wordId({ word_id: 2 }), status: 'PENDING', batch_id: BATCH_ID },
        { id: wordId({ word_id: 3 }), status: 'NOISE' },
      ],
      deleted: 1,
      finished: true,
    });
    // What failed only after the question was not asked about.
    expect(await world.words(1, 2, 3, 4, 5, 6)).toStrictEqual([
      'SUCCESS',
      ['PENDING', BATCH_ID],
      'NOISE',
      undefined,
      'NONE',
      'FAILED',
    ]);
  });

  it('lists what changed meanwhile for people too', async () => {
    await world.put(wordRow(1, 'FAILED'));
    const answer = async (): Promise<boolean> => {
      await world.put(wordRow(1, 'PENDING', BATCH_ID));
      return true;
    };

    const { stdout } = await world.run(['failed'], { answer });

    expect(stdout).toContain(
      `Changed meanwhile, and left as they are: 1\n  ${wordId()}: PENDING, claimed by the batch ${BATCH_ID}\n`,
    );
  });

  it('stopped in the middle, does the rest the next time', async () => {
    const most = 200;
    await world.put(...Array.from({ length: most }, (_, at) => wordRow(at + 1, 'FAILED')));

    const { status, stdout } = await world.run(['failed', '--yes'], {
      onOutput: (text, interrupt) => {
        if (text === '20 of 200\n') interrupt();
      },
    });

    expect(status).toBe(130);
    const { done, left } =
      /Returned to NONE: 0 lines, (?<done>\d+) words\.\nStopped: (?<left>\d+) are left\. The same command does them\./.exec(
        stdout,
      )?.groups ?? {};
    expect(Number(done) + Number(left)).toBe(most);
    expect(Number(left)).toBeGreaterThan(100);

    const second = await world.run(['failed', '--yes', '--json']);
    expect(JSON.parse(second.stdout)).toMatchObject({ done: { words: Number(left) } });
    expect((await world.run(['failed'])).stdout).toContain('There is nothing to return to NONE.');
  });

  it('is one JSON object with --json, and all else is on stderr', async () => {
    await world.put(rowOf.line(aLine({ embedding_status: 'FAILED' })));

    const { stdout, stderr, questions } = await world.run(['failed', '--json'], yes);

    expect(JSON.parse(stdout)).toStrictEqual({
      what: 'failed',
      planned: {
        total: 1,
        lines: { FAILED: 1, PENDING: 0 },
        words: { FAILED: 0, PENDING: 0 },
        examples: [lineId()],
        not_embeddable: 0,
        live_claims: {},
      },
      done: { lines: 1, words: 0, changed_meanwhile: 0, changed: [], deleted: 0, finished: true },
      next: ['npx receipts execute realtime --filter NONE', 'npx receipts execute batch-submit'],
    });
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(stderr).toContain('To be returned to NONE: 1 row');
    expect(questions).toHaveLength(1);
  });
});

describe('the command line of redo', () => {
  it.each([
    [
      'nothing',
      [],
      /^error: what is to be redone\? One of: failed, arrivals, batch <batch_id>, receipt/,
    ],
    ['an unknown command', ['everything'], /unknown command 'everything'/],
    ['an unknown option', ['failed', '--force'], /unknown option '--force'/],
    ['too much', ['failed', 'now'], /too many arguments/],
    ['no batch', ['batch'], /missing required argument 'batch_id'/],
    ['a batch id of OpenAI', ['batch', 'batch_1'], /must be a UUID/],
    ['half a receipt', ['receipt', IMAGE_ID], /missing required argument 'receipt_id'/],
    ['an image that is none', ['receipt', 'x', '1'], /must be a UUID of version 4 or 5/],
    ['a receipt that is none', ['receipt', IMAGE_ID, '0'], /whole number from 1 to 99999/],
  ])('is refused with %s', async (_, argv, why) => {
    const { status, stdout, stderr } = await world.run(argv);

    expect([status, stdout]).toStrictEqual([2, '']);
    expect(stderr).toMatch(why);
  });

  it('takes its options before and behind what is to be done', async () => {
    expect((await world.run(['--dry-run', 'failed'])).status).toBe(0);
    expect((await world.run(['batch', '--json', BATCH_ID])).stderr).toContain('has no batch');
  });

  it.each([[['--help']], [['batch', '--help']]])('explains itself: %j', async (argv) => {
    const { status, stdout } = await world.run(argv);

    expect(status).toBe(0);
    for (const option of ['--stack', '--yes', '--dry-run', '--json'])
      expect(stdout).toContain(option);
  });
});
