/** What the page's scripts are checked for beyond their types (`npm run lint`). Development only: nothing here is loaded. */

import js from '@eslint/js';
import globals from 'globals';

const MARKUP = /^(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTMLUnsafe|parseHTMLUnsafe|parseFromString|srcdoc)$/;
const INSTEAD = 'Strings become markup in assets/page/parts/markup.js alone: html`...`, and render, refresh or add.';
/** Ways to write markup past the one module that escapes it, by name however it is written. */
const PAST_MARKUP = [
  ...['MemberExpression[property.name=', 'Property[key.name=', 'Literal[value=', 'TemplateElement[value.cooked='].map((place) => `${place}${MARKUP}]`),
  'MemberExpression[object.name="document"][property.name=/^write(ln)?$/]',
].map((selector) => ({ selector, message: INSTEAD }));

export default [
  { ignores: ['node_modules/', 'runs/', '.venv/', 'build/'] },
  js.configs.recommended,
  {
    files: ['assets/page/**/*.js', 'tests/js/**/*.mjs', 'tests/browser/*.js', 'eslint.config.js'],
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
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-syntax': ['error', ...PAST_MARKUP],
      'no-implicit-coercion': ['error', { allow: ['!!', '+'] }],
    },
  },
  { files: ['assets/page/parts/markup.js', 'tests/**'] /* tests look at it */, rules: { 'no-restricted-syntax': 'off' } },
  { files: ['tests/js/**/*.mjs', 'eslint.config.js'], languageOptions: { globals: { ...globals.node } } },
];
