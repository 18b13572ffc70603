import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// `npm run readme`: runs `npm start`'s command, and puts what it prints into the README, shortened. Its picture is made by
// `tests/real/console/check_console.sh --picture docs/console.png`. tests/end_to_end/npm_start.test.ts holds the excerpt
// against what the command prints.

const ROOT = new URL('../../', import.meta.url);

/** The parts of the run that are shown: from a line to the line before another. */
const SHOWN = [
  [/^Bundling /, /^$/],
  [/^Starting realtime/, /^ {2}Execution/],
  [/^ {2}Receipts /, /^ {2}Read /],
  [/^What this would have cost/, /^ {2}OpenAI/],
  [/^ {2}Together/, /^ {2}As /],
  [/^ {2}"/, /^ {4}\d/],
  [/^ {4}\d/, /^(?: {4}\d|$)/],
] as const;

/** What a terminal draws over, and what is too long for a first look. */
const LEFT_OUT = /^$|░|^ {2}(?:Looking for|with|(?!layer )[a-z]|\d+ [a-z]+s,)/;

function excerptOf(printed: string): string {
  const lines = printed.split('\n');
  return SHOWN.map(([first, end]) => {
    const from = lines.findIndex((line) => first.test(line));
    const length = lines.slice(from + 1).findIndex((line) => end.test(line));
    if (from < 0 || length < 0) throw new Error(`npm start prints nothing like ${String(first)}`);
    return (
      lines
        .slice(from, from + 1 + length)
        .filter((line) => !LEFT_OUT.test(line))
        // Whether the last look comes before the summary is chance.
        .map((line) => line.replace(', adding up', ''))
        .join('\n')
    );
  }).join('\n');
}

const command = fileURLToPath(new URL('packages/cli/receipts.ts', ROOT));
const { stdout } = await promisify(execFile)(process.execPath, [command, 'start']);
const file = new URL('README.md', ROOT);
const readme = await readFile(file, 'utf8');
await writeFile(
  file,
  readme.replace(/```text\n.*?```/s, () => `\`\`\`text\n${excerptOf(stdout)}\n\`\`\``),
);
