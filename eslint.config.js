import js from '@eslint/js';
import pulumi from '@pulumi/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Forbids the files to import what matches the patterns; tests may. */
function arrows(files, group, message, rules = {}) {
  return {
    files,
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }], ...rules },
  };
}

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
  arrows(
    ['layers/**', 'simple_lambdas/**', 'components/**', 'policies/**', 'index.ts'],
    ['**/packages/**', 'embedded-aws/**', 'vendor-stand-ins/**', 'receipts-cli/**', '**/tests/**'],
    'Arrows run one way: the product imports neither packages nor tests.',
    { 'no-console': 'error' },
  ),
  arrows(
    ['layers/**'],
    [
      '@pulumi/*',
      '@aws-lambda-powertools/*',
      '**/components/**',
      '**/simple_lambdas/**',
      '**/packages/**',
      'embedded-aws/**',
      'vendor-stand-ins/**',
      'receipts-cli/**',
      '**/tests/**',
    ],
    'The layer knows no Lambda and no Pulumi.',
  ),
  arrows(
    ['packages/embedded_aws/**', 'packages/vendor_stand_ins/**'],
    [
      'receipt-embedding/**',
      'receipts-cli/**',
      '**/layers/**',
      '**/components/**',
      '**/simple_lambdas/**',
      '**/tests/**',
    ],
    'The stand-ins know nothing of the product.',
  ),
  arrows(['packages/cli/**'], ['**/tests/**'], 'Nothing imports tests.'),
  {
    files: ['**/*.ts'],
    plugins: { '@pulumi': pulumi },
    rules: { '@pulumi/no-output-instance-in-template-literal': 'error' },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
