import js from '@eslint/js';
import pulumi from '@pulumi/eslint-plugin';
import tseslint from 'typescript-eslint';

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
  {
    files: ['layers/**', 'simple_lambdas/**', 'components/**', 'index.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/local/**', '**/tools/**', '**/tests/**'],
              message: 'Arrows run one way: nothing imports local, tools or tests.',
            },
          ],
        },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['command_line/**', 'receipt_exports/**', 'tokens/**', 'policies/**', 'tools/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/local/**', '**/tests/**'],
              message: 'Arrows run one way: nothing imports local or tests.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['layers/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                '@pulumi/*',
                '@aws-lambda-powertools/*',
                '**/components/**',
                '**/simple_lambdas/**',
                '**/local/**',
                '**/tools/**',
                '**/tests/**',
              ],
              message: 'The layer knows no Lambda and no Pulumi.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    plugins: { '@pulumi': pulumi },
    rules: { '@pulumi/no-output-instance-in-template-literal': 'error' },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
