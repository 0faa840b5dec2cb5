// Lines over the last minutes. Drawn for the width it has; what it shows is also there in words and as a table.

import { el, newId, show, svg } from './dom.js';
import { clock, number, t } from './i18n/index.js';

const HEIGHT = 148;
const PAD = { top: 8, right: 8, bottom: 20, left: 44 };
/** The span shown, in milliseconds. */
const SPAN = 5 * 60_000;
/** Milliseconds without a figure that leave a hole: the page or the server was away. */
const HOLE = 3000;
/** Rows of the table: one in so many figures. */
const EVERY = 15;

/**
 * A chart of one or two series: `{label, read(figure), kind}`. `read` may give null where nothing happened.
 * `unit` stands behind numbers, `digits` are their places after the point.
 */
export class Chart {
  #series;
  #say;
  /** The least that the axis reaches to: below it, what is counted would have ticks between whole numbers. */
  #least;
  #figures = [];
  #plot = svg('svg', { class: 'plot', 'aria-hidden': 'true', height: HEIGHT });
  #legend = el('ul', { class: 'legend' });
  #summary = el('p', { class: 'visually-hidden' });
  #rows = el('tbody', {});
  #table;
  #tip = el('div', { class: 'tip', hidden: true });
  #pointed = null;

  constructor({ title, series, unit = '', digits = 0, signal }) {
    this.#series = series;
    this.#least = digits === 0 ? 2 : 1;
    this.#say = (value) => (value === null ? '–' : `${number(value, digits)}${unit && ` ${unit}`}`);
    const id = newId();
    const frame = el('div', {
      class: 'frame',
      on: { pointermove: (event) => this.#point(event), pointerleave: () => this.#point(null) },
    }, this.#plot, this.#tip);
    this.#table = el('details', { class: 'figures', on: { toggle: () => this.#list() } },
      el('summary', {}, t('chart.table')),
      el('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': title },
        el('table', {}, el('caption', { class: 'visually-hidden' }, title),
          el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('time')),
            series.map(({ label }) => el('th', { scope: 'col', class: 'end' }, label)))),
          this.#rows)));
    this.element = el('figure', { class: 'card chart', 'aria-labelledby': id },
      el('div', { class: 'chart-head' }, el('h2', { id }, title), this.#legend),
      this.#summary, frame, this.#table);
    const watcher = new ResizeObserver(() => this.#draw());
    watcher.observe(frame);
    signal.addEventListener('abort', () => watcher.disconnect());
  }

  update(figures) {
    this.#figures = figures;
    this.#draw();
    this.#list();
  }

  #draw() {
    const width = this.#plot.parentElement.clientWidth;
    if (width === 0) return;
    const end = this.#figures.at(-1)?.time ?? Date.now();
    const figures = this.#figures.filter(({ time }) => time >= end - SPAN);
    const highest = Math.max(0, ...this.#series.flatMap(({ read }) => figures.map((figure) => read(figure) ?? 0)));
    const most = nice(Math.max(highest, this.#least));
    const x = (time) => PAD.left + (1 - (end - time) / SPAN) * (width - PAD.left - PAD.right);
    const y = (value) => HEIGHT - PAD.bottom - (value / most) * (HEIGHT - PAD.top - PAD.bottom);
    this.#plot.setAttribute('width', width);
    this.#plot.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    show(this.#plot,
      [0, most / 2, most].map((value) => [
        svg('line', { class: 'grid', x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value) }),
        svg('text', { class: 'tick', x: PAD.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, number(value, 2)),
      ]),
      (width < 400 ? [4, 2, 0] : [5, 4, 3, 2, 1, 0]).map((minutes) => svg('text', {
        class: 'tick', x: x(end - minutes * 60_000), y: HEIGHT - 4,
        'text-anchor': minutes === 5 ? 'start' : minutes === 0 ? 'end' : 'middle',
      }, minutes === 0 ? t('chart.now') : t('chart.ago', { n: minutes }))),
      this.#series.map((series) => lines(series, figures, x, y, y(0))),
      this.#mark(figures, x, y));
    this.#tell();
  }

  /** The newest figures beside their names, and in one sentence. */
  #tell() {
    const newest = this.#figures.at(-1);
    show(this.#legend, this.#series.map(({ label, kind, read }) => el('li', {},
      el('i', { class: kind, 'aria-hidden': 'true' }), label, ' ',
      el('strong', { class: 'number' }, newest ? this.#say(read(newest)) : '–'))));
    show(this.#summary, this.#series.map(({ label, read }) => {
      const values = this.#figures.map(read).filter((value) => value !== null);
      if (values.length === 0) return t('chart.nothing', { label });
      const [now, least, most] = [read(newest), Math.min(...values), Math.max(...values)].map(this.#say);
      return t('chart.summary', { label, now, least, most });
    }).join(' '));
  }

  #list() {
    if (!this.#table.open) return;
    show(this.#rows, this.#figures.filter((_, place, all) => (all.length - 1 - place) % EVERY === 0).reverse()
      .map((figure) => el('tr', {}, el('th', { scope: 'row' }, clock(figure.time)),
        this.#series.map(({ read }) => el('td', { class: 'end number' }, this.#say(read(figure)))))));
  }

  #point(event) {
    this.#pointed = event && event.offsetX;
    this.#draw();
  }

  /** What the pointer is at: a line through the plot, the figures beside it. */
  #mark(figures, x, y) {
    this.#tip.hidden = this.#pointed === null || figures.length === 0;
    if (this.#tip.hidden) return null;
    const distance = (figure) => Math.abs(x(figure.time) - this.#pointed);
    const nearest = figures.reduce((best, figure) => (distance(figure) < distance(best) ? figure : best));
    const at = x(nearest.time);
    show(this.#tip, el('span', { class: 'soft' }, clock(nearest.time)),
      this.#series.map(({ label, read }) => el('span', {}, `${label} `, el('strong', {}, this.#say(read(nearest))))));
    // The policy forbids styles in markup, not those set from here.
    const width = this.#plot.parentElement.clientWidth;
    this.#tip.style.insetInlineStart = `${Math.max(0, Math.min(at + 8, width - this.#tip.offsetWidth - 4))}px`;
    return [
      svg('line', { class: 'pointer', x1: at, x2: at, y1: PAD.top, y2: HEIGHT - PAD.bottom }),
      this.#series.filter(({ read }) => read(nearest) !== null).map(({ kind, read }) =>
        svg('circle', { class: `dot ${kind}`, cx: at, cy: y(read(nearest)), r: 3 })),
    ];
  }
}

/** One series: a line for each stretch without a hole, and what is below the first series shaded. */
function lines({ kind, read }, figures, x, y, ground) {
  const stretches = [];
  let open = null;
  let before = 0;
  for (const figure of figures) {
    const value = read(figure);
    if (value === null || figure.time - before > HOLE) open = null;
    if (value !== null) {
      if (open === null) stretches.push(open = []);
      open.push([x(figure.time), y(value)]);
    }
    before = figure.time;
  }
  return stretches.map((points) => {
    const path = points.map(([left, top]) => `${left.toFixed(1)} ${top.toFixed(1)}`).join('L');
    // Alone between two holes: a line has no length, a dot is seen.
    if (points.length === 1) return svg('circle', { class: `dot ${kind}`, cx: points[0][0], cy: points[0][1], r: 1.5 });
    const below = `L${points.at(-1)[0]} ${ground}L${points[0][0]} ${ground}Z`;
    return [
      kind === 'first' && svg('path', { class: 'area', d: `M${path}${below}` }),
      svg('path', { class: `line ${kind}`, d: `M${path}` }),
    ];
  });
}

/** The least number that is not below `value` and is round, as is its half. */
function nice(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * size).find((step) => step >= value) ?? 10 * size;
}
