import { defineConfig } from 'vitest/config';

/** No test is about time: a limit ends what hangs. A slow or busy machine may want more: TEST_TIMEOUT_SCALE=3 npm test. */
const LIMIT = 600_000 * Number(process.env['TEST_TIMEOUT_SCALE'] ?? 1);

/** What keeps no state in its modules: these files share a worker's modules. Files that replace a module do not. */
const UNITS = [
  'layers/**/*.test.ts',
  'simple_lambdas/**/!(secrets).test.ts',
  'policies/**/*.test.ts',
  'packages/cli/**/*.test.ts',
  'packages/vendor_stand_ins/**/*.test.ts',
];

export default defineConfig({
  test: {
    // Two at a time keep two cores busy.
    maxWorkers: 2,
    testTimeout: LIMIT,
    hookTimeout: LIMIT,
    teardownTimeout: LIMIT,
    globalSetup: 'tests/support/interrupted_run.ts',
    setupFiles: 'tests/support/uninterrupted_worker.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: UNITS,
          // Loading their modules anew for each file took half of their time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'folders',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', 'tests/end_to_end/**', ...UNITS],
        },
      },
      {
        extends: true,
        test: {
          name: 'end to end',
          include: ['tests/end_to_end/*.test.ts'],
          // The files of a worker share their stacks (tests/support/shared_stacks.ts).
          isolate: false,
        },
      },
    ],
  },
});
