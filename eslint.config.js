/** What the page's scripts are checked for beyond their types (`npm run lint`). Development only: nothing here is loaded. */

import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['node_modules/', 'runs/', '.venv/', 'build/'] },
  js.configs.recommended,
  {
    files: ['assets/page/**/*.js', 'tests/js/**/*.mjs', 'eslint.config.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: { ...globals.browser } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      complexity: ['error', 12],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 80, skipComments: true }],
      'no-shadow': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'no-implicit-coercion': ['error', { allow: ['!!', '+'] }],
    },
  },
  { files: ['tests/js/**/*.mjs', 'eslint.config.js'], languageOptions: { globals: { ...globals.node } } },
];
