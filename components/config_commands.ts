import { describeSetting, SECRETS, type SETTINGS } from './setting_table.ts';

/**
 * The command that sets a setting, as it can be pasted into a shell: with a value that is allowed. A secret has none
 * there: Pulumi asks for it, so that no shell remembers it.
 */
export function setCommand(
  name: keyof typeof SETTINGS | keyof typeof SECRETS,
  stack: string,
): string {
  return name in SECRETS
    ? `npx pulumi config set --stack ${quoted(stack)} --secret ${name}`
    : `npx pulumi config set --stack ${quoted(stack)} ${name} ${quoted(describeSetting(name).example ?? '')}`;
}

/** The command that takes a setting away, which may have any name. */
export function removeCommand(name: string, stack: string): string {
  return `npx pulumi config rm --stack ${quoted(stack)} ${quoted(name)}`;
}

/** As one word for a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
