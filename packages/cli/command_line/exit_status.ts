/** How the command-line programs end. */
export const EXIT = {
  done: 0,
  /** The thing itself failed: an execution, a check. */
  failed: 1,
  /** Wrong arguments, or nothing to find by them. */
  wrongArguments: 2,
  /** AWS can't be asked: credentials, permissions, network. */
  awsUnavailable: 3,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];
