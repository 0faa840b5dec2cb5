// How the server is doing, second by second.

import { Chart } from '../chart.js';
import { el, show } from '../dom.js';
import { number, t } from '../i18n/index.js';
import { live } from '../live.js';
import { button } from '../ui/controls.js';
import { page, pageHead } from '../ui/page.js';

/** A latency, in milliseconds; none if nothing was pushed. */
const latency = (value) => (value === null ? '–' : t('overview.ms', { n: number(value, 2) }));

export function overview({ signal }) {
  const charts = [
    new Chart({
      title: t('overview.connections'),
      series: [
        { label: t('overview.connections'), kind: 'first', read: ({ connections }) => connections },
        { label: t('overview.accounts'), kind: 'second', read: ({ accounts }) => accounts },
      ],
      signal,
    }),
    new Chart({
      title: t('overview.deletions'),
      series: [{ label: t('overview.perSecond'), kind: 'first', read: ({ deletionsPerSecond }) => deletionsPerSecond }],
      digits: 1,
      signal,
    }),
    new Chart({
      title: t('overview.latency'),
      series: [
        { label: 'p50', kind: 'first', read: ({ notifyP50 }) => notifyP50 },
        { label: 'p99', kind: 'second', read: ({ notifyP99 }) => notifyP99 },
      ],
      unit: 'ms',
      digits: 2,
      signal,
    }),
    new Chart({
      title: t('overview.errors'),
      series: [{ label: t('overview.perSecond'), kind: 'first', read: ({ errorsPerSecond }) => errorsPerSecond }],
      digits: 1,
      signal,
    }),
  ];
  const tiles = el('dl', { class: 'tiles' });
  const waiting = el('p', { class: 'note' }, t('overview.waiting'));
  let isPaused = false;
  const draw = () => {
    if (isPaused) return;
    const newest = live.figures.at(-1);
    waiting.hidden = newest !== undefined;
    if (newest) show(tiles, summary(newest));
    for (const chart of charts) chart.update(live.figures);
  };
  const pause = button(t('overview.pause'), () => {
    isPaused = !isPaused;
    pause.textContent = t(isPaused ? 'overview.resume' : 'overview.pause');
    draw();
  });
  live.addEventListener('figures', draw, { signal });
  draw();
  return {
    element: page(
      pageHead(t('nav.overview'), { lead: t('overview.lead'), actions: [pause] }),
      waiting, tiles,
      el('div', { class: 'charts' }, charts.map(({ element }) => element))),
  };
}

function summary(figures) {
  return [
    [t('overview.connections'), number(figures.connections)],
    [t('overview.accounts'), number(figures.accounts)],
    [t('overview.deletions'), number(figures.deletionsPerSecond, 1)],
    [t('overview.p99'), latency(figures.notifyP99)],
    [t('overview.errors'), number(figures.errorsPerSecond, 1)],
    [t('overview.lag'), number(figures.lagMax)],
    [t('overview.collapses'), number(figures.collapses)],
  ].map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', { class: 'number' }, value)));
}
