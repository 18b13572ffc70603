import js from '@eslint/js';
import pulumi from '@pulumi/eslint-plugin';
import tseslint from 'typescript-eslint';

/**
 * The directions of imports: index → components → state machines → what functions and stores declare;
 * functions → layer; commands → all. The stand-ins know nothing of the product; nothing imports commands or tests.
 * Circles are knip's to find (`npm run check:unused`).
 *
 * Of each folder: what it may not import, tests aside. Patterns are as in .gitignore, so that `!` takes one back. The last
 * entry that matches a file holds.
 */
const CLI = ['receipts-cli/**', '**/packages/cli/**'];
const TESTS = ['**/tests/**', '**/bench/**'];
const STAND_INS = ['embedded-aws/**', 'vendor-stand-ins/**', '**/packages/**', ...CLI];
const LAYER = ['receipt-embedding/**', '**/layers/**'];
const FUNCTIONS = ['**/simple_lambdas/**'];
const COMPONENTS = ['**/components/**', '**/policies/**', '@pulumi/*'];

const DIRECTIONS = {
  'index.ts': [...LAYER, ...FUNCTIONS, ...STAND_INS, ...TESTS, '**/state_machines/**'],
  'components/**': [
    ...['**/policies/**', '**/layers/**', ...STAND_INS, ...TESTS],
    ...['receipt-embedding/*', 'receipt-embedding/**/*', '!receipt-embedding/object_keys'],
    ...['!receipt-embedding/stores', '!receipt-embedding/stores/*'],
    '!receipt-embedding/stores/*/declaration',
    // The names of the metrics that functions emit, and of the types of rows that the table's stream is filtered by.
    ...['!receipt-embedding/ports', '!receipt-embedding/arrivals'],
    '!receipt-embedding/arrivals/arriving_types',
    ...['**/simple_lambdas/*/*', '!**/simple_lambdas/*/declaration.ts'],
  ],
  'components/state_machines/**': [
    ...[...STAND_INS, ...TESTS, '@pulumi/*', '**/policies/**', '**/layers/**'],
    ...['../*.ts', '../bundling/*', '../monitoring/*'],
    ...['receipt-embedding/**', '!receipt-embedding/object_keys'],
    ...['**/simple_lambdas/*/*', '!**/simple_lambdas/*/declaration.ts'],
  ],
  'simple_lambdas/**': [...COMPONENTS, ...STAND_INS, ...TESTS, '**/layers/**'],
  'layers/**': [...COMPONENTS, ...FUNCTIONS, ...STAND_INS, ...TESTS, '@aws-lambda-powertools/*'],
  'policies/**': [...LAYER, ...FUNCTIONS, ...STAND_INS, ...TESTS, '**/components/**'],
  'packages/embedded_aws/**': [
    ...[...LAYER, ...FUNCTIONS, ...CLI, ...TESTS, '**/components/**', '**/policies/**'],
    ...['vendor-stand-ins/**', '**/vendor_stand_ins/**', '**/index.ts'],
  ],
  'packages/vendor_stand_ins/**': [
    ...[...LAYER, ...FUNCTIONS, ...CLI, ...TESTS, ...COMPONENTS, '**/index.ts'],
  ],
  'packages/cli/**': TESTS,
  'packages/console/**': TESTS,
};

/** Of the product: a function or component that prints to the console bypasses its log. */
const NO_CONSOLE = {
  files: ['index.ts', 'components/**', 'layers/**', 'policies/**', 'simple_lambdas/**'],
  ignores: ['**/*.test.ts'],
  rules: { 'no-console': 'error' },
};

const directions = Object.entries(DIRECTIONS).map(([folder, group]) => ({
  files: [folder],
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [{ group, message: `Imports run one way, and not so from ${folder}.` }] },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      // `${count}` reads well and cannot go wrong; everything else that is no string still may not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A Vitest fixture that needs no other one begins with `{}`.
      'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'MemberExpression[property.name=/^(only|skip|todo)$/][object.name=/^(it|test|describe)$/]',
          message: 'A focused or skipped test proves nothing.',
        },
      ],
    },
  },
  NO_CONSOLE,
  ...directions,
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@pulumi': pulumi },
    rules: { '@pulumi/no-output-instance-in-template-literal': 'error' },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
