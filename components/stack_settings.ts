import * as pulumi from '@pulumi/pulumi';
import type { SettingsSource } from './read_settings.ts';

/** A stack's configuration as a source of settings; unknown names of this project's namespace are seen too. */
export function stackSettings(config: pulumi.Config): SettingsSource {
  const prefix = `${config.name}:`;
  return {
    get: (name) => config.get(name),
    has: (name) => (config.get(name) ?? '') !== '',
    names: Object.keys(pulumi.runtime.allConfig())
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length)),
  };
}
