import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { removeCommand, setCommand } from './config_commands.ts';
import { readSettings } from './read_settings.ts';
import { describeSetting } from './setting_table.ts';
import { SECRET_NAMES, SETTING_NAMES } from './settings.ts';

// Not proved here: that Pulumi's CLI takes these commands.

/** The words of a command, as a shell understands it. */
function words(command: string): string[] {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
  return stdout.trimEnd().split('\n');
}

describe('the command that sets a setting', () => {
  it.each(SETTING_NAMES)('is ready to be pasted for %s, with a value that is allowed', (name) => {
    const [npx, pulumi, config, set, option, stack, setting, value, ...more] = words(
      setCommand(name, 'dev'),
    );
    expect([npx, pulumi, config, set, option, stack, setting, more]).toStrictEqual([
      'npx',
      'pulumi',
      'config',
      'set',
      '--stack',
      'dev',
      name,
      [],
    ]);
    expect(value).toBe(describeSetting(name).example);
    expect(() =>
      readSettings({
        stack: 'dev',
        get: (asked) => (asked === name ? value : undefined),
        has: (secret) =>
          secret === 'openai_api_key' ||
          (secret === 'pinecone_api_key' && name === 'pinecone_index_name'),
        isEncrypted: () => true,
        names: [],
      }),
    ).not.toThrow();
  });

  it.each(SECRET_NAMES)('lets Pulumi ask for %s, so that no shell remembers it', (name) => {
    expect(setCommand(name, 'dev')).toBe(`npx pulumi config set --stack dev --secret ${name}`);
  });
});

describe('a command', () => {
  it('keeps what a shell would take apart together', () => {
    expect(setCommand('batch_poll_schedule', 'dev')).toBe(
      "npx pulumi config set --stack dev batch_poll_schedule 'rate(15 minutes)'",
    );
    const name = "it's $HOME; *";
    expect(words(removeCommand(name, 'team/dev'))).toStrictEqual([
      'npx',
      'pulumi',
      'config',
      'rm',
      '--stack',
      'team/dev',
      name,
    ]);
  });
});
