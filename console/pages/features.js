// Feature Configuration: what can be configured, with what holds now.

import { get, path } from '../api.js';
import { el } from '../dom.js';
import { duration, number, t } from '../i18n/index.js';
import { live } from '../live.js';
import { link } from '../router.js';
import { badge } from '../ui/controls.js';
import { appBadge, fetched, page, pageHead, section } from '../ui/page.js';
import { facts } from '../ui/table.js';

export function features({ params, signal }) {
  const { app } = params;
  const place = ['apps', app, 'configuration', 'features', 'login-and-message'];
  const content = fetched(signal, () => get(path('apps', app, 'settings'), { signal }), summary);
  live.addEventListener('app', content.reload, { signal });
  return {
    element: page(
      pageHead(t('nav.features'), { lead: t('features.lead'), beside: appBadge(app) }),
      el('a', { class: 'way', href: link(place) },
        el('strong', {}, t('nav.loginAndMessage')), el('span', {}, t('features.loginAndMessage'))),
      section(t('features.now'), content.element)),
  };
}

function summary(settings) {
  const state = (on) => badge(t(on ? 'on' : 'off'), on ? 'accent' : '');
  const { instancesPerPlatform: instances, historyRetention: retention } = settings;
  return facts([
    [t('sync.title'), state(settings.syncConversationDeletion)],
    [t('loginMode.title'), t(`loginMode.${settings.loginMode}`)],
    [t('instances.title'), instances === null ? t('instances.none') : number(instances)],
    [t('revoke.title'), duration(settings.revokeWindow)],
    [t('history.title'), retention === null ? t('history.forEver') : duration(retention)],
    [t('undo.title'), duration(settings.undoWindow)],
    [t('relationship.title'), state(settings.relationshipCheck)],
  ]);
}
