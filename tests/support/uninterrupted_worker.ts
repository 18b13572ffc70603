// The terminal interrupts workers too; they end when the run does (interrupted_run.ts).
if (process.listenerCount('SIGINT') === 0) process.on('SIGINT', () => undefined);
