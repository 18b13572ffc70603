import { describe, expect, it } from 'vitest';
import { newCommand, parseArguments, wholeNumber } from './arguments.ts';
import { WrittenText } from './testing/written_text.ts';

function refusal(argv: readonly string[], environment: Readonly<Record<string, string>>): string {
  const messages = new WrittenText();
  const command = newCommand('execute', { about: 'Runs.', examples: [], exitCodes: { 0: 'done' } })
    .argument('[workflow]')
    .option('--limit <N>', 'at most', wholeNumber(1))
    .option('--max-concurrency <N>', 'at a time', wholeNumber(1))
    .option('--wait', 'until its end')
    .option('--no-entities', 'without them')
    .option('--json', 'for programs');
  try {
    parseArguments(command, argv, { out: new WrittenText(), messages }, environment);
  } catch (error) {
    expect(error).toMatchObject({ name: 'CommandLineEnd', exitStatus: 2 });
  }
  return messages.text.split('\n')[0] ?? '';
}

describe('options that npm keeps for itself', () => {
  it.each([
    [
      'execute',
      { npm_config_limit: '3' },
      'error: npm has kept --limit for itself. Put -- before the arguments: npm run execute -- …',
    ],
    [
      'start',
      { npm_config_wait: 'true', npm_config_max_concurrency: '2', npm_config_entities: '' },
      'error: npm has kept --max-concurrency and --wait and --no-entities for itself. Put -- before the arguments: npm start -- …',
    ],
  ])('are recognised, and the right line is said (%s)', (script, variables, line) => {
    expect(refusal(['realtime'], { npm_lifecycle_event: script, ...variables })).toBe(line);
  });

  it.each([
    ['without npm', ['realtime'], { npm_config_limit: '3' }],
    [
      'where they were given',
      ['--limit', '4'],
      { npm_lifecycle_event: 'x', npm_config_limit: '3' },
    ],
    ["where they are npm's own", [], { npm_lifecycle_event: 'x', npm_config_json: 'true' }],
  ])('are no error %s', (_, argv, environment) => {
    expect(refusal(argv, environment)).toBe('');
  });
});
