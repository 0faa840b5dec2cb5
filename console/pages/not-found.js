// An address that stands for nothing.

import { t } from '../i18n/index.js';
import { link } from '../router.js';
import { buttonLink } from '../ui/controls.js';
import { page, pageHead } from '../ui/page.js';

export function notFound() {
  return {
    element: page(pageHead(t('notFound.title'), {
      lead: t('notFound.lead'), actions: [buttonLink(t('nav.overview'), link(['overview']))],
    })),
  };
}
