import '@pulumi/pulumi/runtime/index.js';

declare module '@pulumi/pulumi/runtime/index.js' {
  /** Resolves when every resource is registered. Pulumi exports it but leaves it out of its types. */
  export function waitForRPCs(): Promise<void>;
}
