import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../../tests/support/batch_factory.ts';
import { IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { RedoWorld } from '../../../tests/support/redo_world.ts';

let world: RedoWorld;

beforeAll(async () => {
  world = await RedoWorld.start();
});

afterEach(() => world.reset());

afterAll(() => world.close());

describe('the command line of redo', () => {
  it.each([
    ['nothing', [], /^Usage: npm run redo --/],
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
