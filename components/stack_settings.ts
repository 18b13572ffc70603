import * as pulumi from '@pulumi/pulumi';
import type { SettingsSource } from './read_settings.ts';

// Pulumi has it for its own SDKs, and leaves it out of its declarations.
const { isConfigSecret } = pulumi.runtime as unknown as {
  readonly isConfigSecret: (key: string) => boolean;
};

/** A stack's configuration as a source of settings; unknown names of this project's namespace are seen too. */
export function stackSettings(config: pulumi.Config): SettingsSource {
  const prefix = `${config.name}:`;
  return {
    stack: pulumi.getStack(),
    get: (name) => config.get(name),
    has: (name) => (config.get(name) ?? '') !== '',
    isEncrypted: (name) => isConfigSecret(`${prefix}${name}`),
    names: Object.keys(pulumi.runtime.allConfig())
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length)),
  };
}
