import type { Logger } from 'receipt-embedding/ports';

/** For commands: the layer logs rows that it can't read, and they show their number instead. */
export const SILENT_LOGGER: Logger = { info: () => undefined, warn: () => undefined };
