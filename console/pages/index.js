// Which address shows which page, and the way to it.

import { session } from '../api.js';
import { t } from '../i18n/index.js';
import { match } from '../router.js';
import { account } from './account.js';
import { applications } from './applications.js';
import { audit } from './audit.js';
import { configuration } from './configuration.js';
import { deletion } from './deletion.js';
import { deletions } from './deletions.js';
import { features } from './features.js';
import { loginAndMessage, SECTIONS } from './login-and-message.js';
import { notFound } from './not-found.js';
import { operators } from './operators.js';
import { overview } from './overview.js';
import { user } from './user.js';
import { users } from './users.js';

const CONFIGURATION = 'apps/:app/configuration';

/** `crumbs(params)`: `[label, parts]` from the outermost; the last one is the page itself. */
const PAGES = [
  { pattern: 'overview', page: overview, crumbs: () => [[t('nav.overview')]] },
  { pattern: 'apps', page: applications, crumbs: () => [[t('nav.applications')]] },
  { pattern: CONFIGURATION, page: configuration, crumbs: ({ app }) => configurationCrumbs(app).slice(0, 1) },
  { pattern: `${CONFIGURATION}/features`, page: features, crumbs: ({ app }) => configurationCrumbs(app).slice(0, 2) },
  {
    pattern: `${CONFIGURATION}/features/login-and-message`,
    page: loginAndMessage,
    crumbs: ({ app }) => configurationCrumbs(app),
  },
  {
    pattern: `${CONFIGURATION}/features/login-and-message/:section`,
    page: loginAndMessage,
    crumbs: ({ app, section }) => [...configurationCrumbs(app), ...sectionCrumb(section)],
  },
  { pattern: 'apps/:app/users', page: users, crumbs: () => [[t('nav.users')]] },
  {
    pattern: 'apps/:app/users/:user',
    page: user,
    crumbs: ({ app, user }) => [[t('nav.users'), ['apps', app, 'users']], [user]],
  },
  { pattern: 'apps/:app/deletions', page: deletions, crumbs: () => [[t('nav.deletions')]] },
  {
    pattern: 'apps/:app/deletions/:id',
    page: deletion,
    crumbs: ({ app, id }) => [[t('nav.deletions'), ['apps', app, 'deletions']], [id]],
  },
  { pattern: 'audit', page: audit, crumbs: () => [[t('nav.audit')]] },
  { pattern: 'operators', page: operators, crumbs: () => [[t('nav.operators')]] },
  { pattern: 'account', page: account, crumbs: () => [[t('nav.account')]] },
];

function configurationCrumbs(app) {
  const start = ['apps', app, 'configuration'];
  return [
    [t('nav.configuration'), start],
    [t('nav.features'), [...start, 'features']],
    [t('nav.loginAndMessage'), [...start, 'features', 'login-and-message']],
  ];
}

function sectionCrumb(section) {
  const found = SECTIONS.find(([id]) => id === section);
  return found ? [[t(found[1])]] : [];
}

/**
 * The page at an address: `page`, `params`, `crumbs`, and a `key` that stays the same while only the section
 * differs.
 */
export function pageAt(parts) {
  for (const { pattern, page, crumbs } of PAGES) {
    const params = match(pattern, parts);
    if (params) {
      const { section, ...rest } = params;
      return { page, params, parts, crumbs: crumbs(params), key: JSON.stringify([page.name, rest]) };
    }
  }
  return { page: notFound, params: {}, parts, crumbs: [], key: 'none' };
}

/** What the navigation lists about an app: `[label, parts, children]`. */
export function appEntries(app) {
  const [configuration, features, login] = configurationCrumbs(app);
  const sections = SECTIONS.map(([id, label]) => [t(label), [...login[1], id], []]);
  return [
    [...configuration, [[...features, [[...login, sections]]]]],
    [t('nav.users'), ['apps', app, 'users'], []],
    [t('nav.deletions'), ['apps', app, 'deletions'], []],
  ];
}

/** What it lists of the server itself. */
export function serverEntries() {
  return [
    [t('nav.audit'), ['audit'], []],
    ...session.isAdministrator ? [[t('nav.operators'), ['operators'], []]] : [],
    [t('nav.account'), ['account'], []],
  ];
}
