//! The same measured of several servers, side by side: the first one is compared with each of the others.

use std::fmt::Write as _;

use serde::Serialize;

use super::shown;
use super::svg::escaped;

/// Servers and what was measured of each.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) servers: Vec<Compared>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) name: String,
    pub(crate) version: String,
    /// What a connection has been through when it counts as ready.
    pub(crate) login: String,
    /// What is told to a user's other devices.
    pub(crate) event: String,
    /// Whether an event is on disk before anybody hears of it.
    pub(crate) durable: bool,
    /// Whether the first server is to be ahead of it.
    pub(crate) is_rival: bool,
}

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    /// Whether a durable server has to write to the disk for it.
    pub(crate) is_stored: bool,
    /// By server.
    pub(crate) cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Better {
    Less,
    More,
    /// There for its own sake.
    Neither,
}

/// What was found of one server.
#[derive(Debug, Serialize)]
pub(crate) struct Cell {
    /// In each run.
    pub(crate) runs: Vec<f64>,
    pub(crate) median: Option<f64>,
    /// How many times better the first server is; below 1 this one is.
    pub(crate) ahead: Option<f64>,
}

/// A value of one server in one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) is_stored: bool,
    pub(crate) value: f64,
}

impl Comparison {
    /// `runs` are each server's, and each has the values that were found.
    pub(crate) fn new(servers: Vec<Compared>, runs: &[Vec<Vec<Finding>>]) -> Self {
        // In the order of the first that has them.
        let mut rows: Vec<Row> = Vec::new();
        for value in runs.iter().flatten().flatten() {
            if rows.iter().any(|row| row.name == value.name) {
                continue;
            }
            let mut cells: Vec<_> = runs
                .iter()
                .map(|runs| Cell::new(&value.name, runs))
                .collect();
            let ours = cells.first().and_then(|cell| cell.median);
            for cell in cells.iter_mut().skip(1) {
                cell.ahead = ahead(value.better, ours, cell.median);
            }
            rows.push(Row {
                name: value.name.clone(),
                unit: value.unit,
                better: value.better,
                is_stored: value.is_stored,
                cells,
            });
        }
        Self { servers, rows }
    }

    /// As text: a block of lines for each row, for six columns are too wide for a terminal.
    pub(crate) fn text(&self, out: &mut String) -> std::fmt::Result {
        let wide = self
            .servers
            .iter()
            .map(|server| server.name.len())
            .max()
            .unwrap_or(0);
        writeln!(out)?;
        for server in &self.servers {
            let durable = if server.durable {
                "durable"
            } else {
                "not durable"
            };
            writeln!(
                out,
                "{:wide$}  {}; login: {}; event: {}, {durable}",
                server.name, server.version, server.login, server.event
            )?;
        }
        for row in &self.rows {
            writeln!(out, "\n{}", row.title())?;
            for (server, cell) in self.servers.iter().zip(&row.cells) {
                let line = format!(
                    "  {:wide$}  {:>10}  {}",
                    server.name,
                    cell.value(),
                    cell.notes().join(" ")
                );
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }

    /// As tables of a page.
    pub(crate) fn html(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "<h2>Servers</h2><table><tr><th>server</th><th>version</th><th>login</th><th>event</th><th>durable</th></tr>"
        )?;
        for server in &self.servers {
            writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&server.name),
                escaped(&server.version),
                escaped(&server.login),
                escaped(&server.event),
                if server.durable { "yes" } else { "no" }
            )?;
        }
        write!(out, "</table><h2>Side by side</h2><table><tr><th>what</th>")?;
        for server in &self.servers {
            write!(out, "<th>{}</th>", escaped(&server.name))?;
        }
        writeln!(out, "</tr>")?;
        for row in &self.rows {
            write!(out, "<tr><td>{}</td>", escaped(&row.title()))?;
            for cell in &row.cells {
                let mut lines = vec![cell.value()];
                lines.extend(cell.notes());
                write!(out, "<td class=\"n\">{}</td>", lines.join("<br>"))?;
            }
            writeln!(out, "</tr>")?;
        }
        writeln!(out, "</table>")
    }
}

impl Cell {
    fn new(name: &str, runs: &[Vec<Finding>]) -> Self {
        let runs: Vec<_> = runs
            .iter()
            .filter_map(|values| values.iter().find(|value| value.name == name))
            .map(|value| value.value)
            .collect();
        Self {
            median: median(&runs),
            runs,
            ahead: None,
        }
    }

    fn value(&self) -> String {
        self.median.map_or("–".into(), shown)
    }

    /// The ratio, and how far the runs are apart.
    fn notes(&self) -> Vec<String> {
        let ratio = self.ahead.map(|ahead| format!("{ahead:.2} ×"));
        let least = self.runs.iter().copied().reduce(f64::min);
        let most = self.runs.iter().copied().reduce(f64::max);
        let range = least
            .zip(most)
            .filter(|_| self.runs.len() > 1)
            .map(|(least, most)| format!("({}–{})", shown(least), shown(most)));
        ratio.into_iter().chain(range).collect()
    }
}

impl Row {
    fn title(&self) -> String {
        if self.unit.is_empty() {
            self.name.clone()
        } else {
            format!("{}, {}", self.name, self.unit)
        }
    }
}

fn ahead(better: Better, ours: Option<f64>, theirs: Option<f64>) -> Option<f64> {
    let (ours, theirs) = (ours?, theirs?);
    match better {
        Better::Less if ours > 0.0 => Some(theirs / ours),
        Better::More if theirs > 0.0 => Some(ours / theirs),
        _ => None,
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted.get(middle).copied()
    } else {
        Some(f64::midpoint(
            *sorted.get(middle.checked_sub(1)?)?,
            *sorted.get(middle)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, better: Better, value: f64) -> Finding {
        Finding {
            name: name.into(),
            unit: "ms",
            better,
            is_stored: false,
            value,
        }
    }

    fn server(name: &str) -> Compared {
        Compared {
            name: name.into(),
            version: "1".into(),
            login: "none".into(),
            event: "a message".into(),
            durable: false,
            is_rival: true,
        }
    }

    #[test]
    fn a_ratio_above_one_is_the_first_server_ahead() {
        let run = |latency, rate| {
            vec![
                value("latency", Better::Less, latency),
                value("rate", Better::More, rate),
            ]
        };
        let runs = [
            vec![run(2.0, 30.0), run(9.0, 10.0), run(1.0, 20.0)],
            vec![run(4.0, 10.0), run(4.0, 10.0)],
        ];
        let comparison = Comparison::new(vec![server("a"), server("b")], &runs);
        let cells: Vec<_> = comparison
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .map(|cell| (cell.median, cell.ahead))
            .collect();
        assert_eq!(
            cells,
            [
                (Some(2.0), None),
                (Some(4.0), Some(2.0)),
                (Some(20.0), None),
                (Some(10.0), Some(2.0)),
            ]
        );
        let mut text = String::new();
        comparison.text(&mut text).unwrap();
        assert!(text.contains("2.00 × (4.00–4.00)"), "{text}");
    }

    #[test]
    fn what_a_server_does_not_have_is_left_empty() {
        let runs = [
            vec![vec![value("rate", Better::More, 1.0)]],
            vec![vec![value("other", Better::Neither, 0.0)]],
        ];
        let comparison = Comparison::new(vec![server("a"), server("b")], &runs);
        let values: Vec<_> = comparison
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .map(Cell::value)
            .collect();
        assert_eq!(values, ["1.00", "–", "–", "0"]);
    }
}
