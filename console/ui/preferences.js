// The reader's language and colours.

import { el } from '../dom.js';
import { language, LANGUAGES, t } from '../i18n/index.js';
import { remember, remembered } from '../storage.js';
import { select } from './controls.js';

/** `speak(language)` draws the pages anew. */
export function preferences(speak) {
  const themes = [['system', t('theme.system')], ['light', t('theme.light')], ['dark', t('theme.dark')]];
  return el('div', { class: 'preferences' },
    el('label', {}, t('language'),
      select(LANGUAGES, language(), { name: 'language', on: { change: ({ target }) => speak(target.value) } })),
    el('label', {}, t('theme'),
      select(themes, remembered('theme') ?? 'system', { on: { change: ({ target }) => paint(target.value) } })));
}

function paint(theme) {
  const { dataset } = document.documentElement;
  if (theme === 'system') {
    delete dataset.theme;
    remember('theme', null);
  } else {
    dataset.theme = theme;
    remember('theme', theme);
  }
}
