import type { World } from './world.ts';

/** An address where nobody listens; the keys open nothing. */
const NOWHERE =
  'AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none';

/** The commands for a deployed stack find it, or say why not. */
export async function checkTools({ shell, checks }: World): Promise<void> {
  const expected: readonly (readonly [string, string, number, readonly string[]])[] = [
    [
      'of a stack that is not there',
      'npm run execute -- realtime --stack nope',
      2,
      ['pulumi stack ls'],
    ],
    // The region comes from the stack: nothing else says it here.
    [
      'of AWS that can not be reached',
      `${NOWHERE} npm run execute -- realtime --stack dev`,
      3,
      ['127.0.0.1:1'],
    ],
    [
      'of a table that can not be reached',
      `${NOWHERE} npm run estimate -- --stack dev`,
      3,
      ["AWS's endpoint can't be reached", 'AWS_ENDPOINT_URL'],
    ],
  ];
  for (const [what, command, status, parts] of expected) {
    const { code, all } = await shell(command);
    checks.that(
      `dev: a command for a stack says ${what}, with its status`,
      code === status,
      () => `${code}: ${all}`,
    );
    checks.contains(`dev: and in words that help, ${what}`, all, parts);
  }
}
