import { readFile } from 'node:fs/promises';

/**
 * Pulumi's commands of the README's one block that has this text in it, as they are printed.
 *
 * @throws when the README has no such block, or several.
 */
export async function readmeCommands(text: string): Promise<string[]> {
  const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
  const [commands, another] = blocks
    .map((block) => block.split('\n').filter((line) => line.startsWith('npx pulumi ')))
    .filter((lines) => lines.some((line) => line.includes(text)));
  if (commands === undefined || another !== undefined) {
    throw new Error(`the README has not just one block of commands with "${text}"`);
  }
  return commands;
}
