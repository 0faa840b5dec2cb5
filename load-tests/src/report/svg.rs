//! Line charts, drawn by hand.

use std::fmt::Write as _;

use super::{Axis, Chart, shown};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;
/// Told apart also by those who don't see colours as most do.
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00",
];

/// A scale from values to places on the page.
struct Scale {
    logarithmic: bool,
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn new(axis: &Axis, values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let logarithmic = axis.logarithmic;
        let values =
            values.filter(move |value| value.is_finite() && (!logarithmic || *value > 0.0));
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(f64::NEG_INFINITY, f64::max);
        let (least, most) = match (least.is_finite(), axis.logarithmic) {
            (false, _) => (1.0, 10.0),
            (true, true) => (
                10f64.powf(least.log10().floor()),
                10f64.powf(most.log10().ceil()),
            ),
            (true, false) => (least.min(0.0), most),
        };
        let most = if most > least { most } else { least + 1.0 };
        Self {
            logarithmic: axis.logarithmic,
            least,
            most,
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.least) / self.least).log10() / (self.most / self.least).log10()
        } else {
            (value - self.least) / (self.most - self.least)
        };
        self.from + share * (self.to - self.from)
    }

    /// Round values to write at the axis.
    fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        if self.logarithmic {
            let mut tick = self.least;
            while tick <= self.most * 1.001 {
                ticks.push(tick);
                tick *= 10.0;
            }
            return ticks;
        }
        let rough = (self.most - self.least) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let mut tick = (self.least / step).ceil() * step;
        while tick <= self.most * 1.001 {
            ticks.push(tick);
            tick += step;
        }
        ticks
    }
}

/// The chart as an `<svg>` element.
pub(crate) fn chart(chart: &Chart) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    _ = draw(&mut out, chart);
    out
}

fn draw(out: &mut String, chart: &Chart) -> std::fmt::Result {
    let points = || chart.lines.iter().flat_map(|line| line.points.iter());
    let x = Scale::new(&chart.x, points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let y = Scale::new(
        &chart.y,
        points().map(|point| point.1),
        HEIGHT - BOTTOM,
        TOP,
    );
    writeln!(
        out,
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
        escaped(&chart.title)
    )?;
    for tick in x.ticks() {
        let at = x.place(tick);
        writeln!(
            out,
            r#"<line class="grid" x1="{at:.1}" y1="{TOP}" x2="{at:.1}" y2="{:.1}"/>"#,
            HEIGHT - BOTTOM
        )?;
        writeln!(
            out,
            r#"<text x="{at:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            HEIGHT - BOTTOM + 16.0,
            shown(tick)
        )?;
    }
    for tick in y.ticks() {
        let at = y.place(tick);
        writeln!(
            out,
            r#"<line class="grid" x1="{LEFT}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}"/>"#,
            WIDTH - RIGHT
        )?;
        writeln!(
            out,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 6.0,
            at + 4.0,
            shown(tick)
        )?;
    }
    writeln!(
        out,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 8.0,
        escaped(&chart.x.name)
    )?;
    let middle = f64::midpoint(TOP, HEIGHT - BOTTOM);
    writeln!(
        out,
        r#"<text x="14" y="{middle:.1}" text-anchor="middle" transform="rotate(-90 14 {middle:.1})">{}</text>"#,
        escaped(&chart.y.name)
    )?;
    for (line, colour) in chart.lines.iter().zip(COLOURS.iter().cycle()) {
        let places: Vec<_> = line
            .points
            .iter()
            .filter(|(_, value)| value.is_finite() && (!chart.y.logarithmic || *value > 0.0))
            .map(|(a, b)| (x.place(*a), y.place(*b)))
            .collect();
        let path: Vec<_> = places
            .iter()
            .map(|(a, b)| format!("{a:.1},{b:.1}"))
            .collect();
        writeln!(
            out,
            r#"<polyline stroke="{colour}" points="{}"/>"#,
            path.join(" ")
        )?;
        for (a, b) in places.iter().filter(|_| places.len() <= 40) {
            writeln!(
                out,
                r#"<circle fill="{colour}" cx="{a:.1}" cy="{b:.1}" r="2.5"/>"#
            )?;
        }
    }
    writeln!(out, "</svg>")?;
    writeln!(out, r#"<p class="legend">"#)?;
    for (line, colour) in chart.lines.iter().zip(COLOURS.iter().cycle()) {
        writeln!(
            out,
            r#"<span><i style="background:{colour}"></i>{}</span>"#,
            escaped(&line.name)
        )?;
    }
    writeln!(out, "</p>")
}

/// Text as it may stand in a page.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Line;

    #[test]
    fn a_chart_holds_its_lines_within_its_frame() {
        for logarithmic in [false, true] {
            let axis = || Axis {
                name: "<x>".into(),
                logarithmic,
            };
            let svg = chart(&Chart {
                title: "t".into(),
                x: axis(),
                y: axis(),
                lines: vec![Line {
                    name: "a & b".into(),
                    points: vec![(1.0, 3.0), (50.0, 20.0), (100.0, 700.0)],
                }],
            });
            assert!(svg.contains("&lt;x&gt;") && svg.contains("a &amp; b"));
            let (_, rest) = svg.split_once("points=\"").unwrap();
            let (points, _) = rest.split_once('"').unwrap();
            let places: Vec<Vec<f64>> = points
                .split(' ')
                .map(|point| {
                    point
                        .split(',')
                        .map(|number| number.parse().unwrap())
                        .collect()
                })
                .collect();
            assert_eq!(places.len(), 3);
            for place in places {
                assert!((LEFT..=WIDTH - RIGHT).contains(&place[0]), "{place:?}");
                assert!((TOP..=HEIGHT - BOTTOM).contains(&place[1]), "{place:?}");
            }
        }
    }

    #[test]
    fn a_chart_of_nothing_is_drawn_too() {
        let svg = chart(&Chart {
            title: String::new(),
            x: Axis::linear("x"),
            y: Axis::logarithmic("y"),
            lines: Vec::new(),
        });
        assert!(svg.starts_with("<svg"));
    }
}
