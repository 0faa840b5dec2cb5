// Application Configuration: an app's keys and whether it is served; the way to its features.

import { get, patch, path, post, remove, session } from '../api.js';
import { apps } from '../apps.js';
import { el, given } from '../dom.js';
import { number, t } from '../i18n/index.js';
import { live } from '../live.js';
import { link } from '../router.js';
import { administratorsOnly, badge, button } from '../ui/controls.js';
import { confirm } from '../ui/dialog.js';
import { appBadge, fetched, page, pageHead, section } from '../ui/page.js';
import { said } from '../ui/say.js';
import { showSecret } from '../ui/secret.js';
import { facts } from '../ui/table.js';
import { moment } from '../ui/time.js';

export function configuration({ params, signal }) {
  const { app: id } = params;
  const find = async () => {
    const { apps: list } = await get('/apps', { signal });
    return list.find(({ sdkAppID }) => String(sdkAppID) === id) ?? null;
  };
  const content = fetched(signal, find, (app) => (app === null
    ? el('p', { class: 'note bad' }, t('apps.unknown', { app: id }))
    : el('div', { class: 'stack wide' }, toFeatures(id), state(app), keys(app))));
  live.addEventListener('app', content.reload, { signal });

  const done = (text) => {
    said(text);
    apps.refresh();
    content.reload();
  };

  const setDisabled = async (disabled) => {
    const words = disabled ? 'disable' : 'enable';
    const ok = await confirm({
      title: t(`apps.${words}.title`, { app: id }),
      text: t(`apps.${words}.text`),
      action: t(`apps.${words}`),
      danger: disabled,
      work: () => patch(path('apps', id), { disabled }),
    });
    if (ok) done(t(disabled ? 'apps.nowDisabled' : 'apps.nowEnabled'));
  };

  const rotate = async (count) => {
    const ok = await confirm({
      title: t('keys.rotate'),
      text: [t('keys.rotate.text'), ...count > 1 ? [t('keys.rotate.third')] : []],
      action: t('keys.rotate.action'),
      danger: count > 1,
      work: () => post(path('apps', id, 'keys')),
    });
    if (!ok) return;
    await showSecret({ title: t('keys.rotated'), name: t('apps.key'), secret: ok.value.secretKey });
    done(t('keys.rotated'));
  };

  const retire = async () => {
    const ok = await confirm({
      title: t('keys.retire'), text: t('keys.retire.text'), action: t('keys.retire.action'), danger: true,
      work: () => remove(path('apps', id, 'keys', 'oldest')),
    });
    if (ok) done(t('keys.retired'));
  };

  const isAdministrator = session.isAdministrator;
  const state = (app) => section(t('configuration.state'), facts([
    [t('apps.id'), el('span', { class: 'mono' }, String(app.sdkAppID))],
    [t('apps.state'), app.disabled ? badge(t('apps.disabled'), 'bad') : badge(t('apps.enabled'), 'good')],
    [t('apps.accounts'), number(app.accounts)],
    [t('apps.admins'), app.admins.length === 0 ? t('apps.admins.none') : app.admins.map((name) => [given(name), ' '])],
    [t('created'), moment(app.createdAt)],
  ]), {
    actions: !isAdministrator ? [] : [app.disabled
      ? button(t('apps.enable'), () => setDisabled(false))
      : button(t('apps.disable'), () => setDisabled(true), { kind: 'danger-quiet' })],
  });

  const keys = (app) => section(t('keys.title'),
    el('p', { class: 'card-body' }, t('keys.count', { n: app.keys }), ' ',
      app.keys > 1 && badge(t('apps.rotating'), 'warn')),
    {
      lead: t('keys.lead'),
      actions: !isAdministrator ? [] : [
        app.keys > 1 && button(t('keys.retire'), retire, { kind: 'danger-quiet' }),
        button(t('keys.rotate'), () => rotate(app.keys)),
      ],
    });

  return {
    element: page(
      pageHead(t('nav.configuration'), { lead: t('configuration.lead'), beside: appBadge(id) }),
      !isAdministrator && administratorsOnly(),
      content.element),
  };
}

const toFeatures = (id) => el('a', { class: 'way', href: link(['apps', id, 'configuration', 'features']) },
  el('strong', {}, t('nav.features')), el('span', {}, t('features.way')));
