/** A timer of Node's that waits longer than this many milliseconds does not wait at all. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * Does something again and again, so many milliseconds apart, until what it gives is called. It keeps no
 * process alive; what is more than 24 days away never comes.
 */
export function every(milliseconds: number, action: () => void): () => void {
  if (milliseconds > LONGEST_WAIT) return () => undefined;
  const timer = setInterval(action, milliseconds).unref();
  return () => {
    clearInterval(timer);
  };
}
