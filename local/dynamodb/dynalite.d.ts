declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
    readonly maxItemSizeKb?: number;
  }

  /** A server that speaks DynamoDB's protocol; without a path it keeps everything in memory. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
