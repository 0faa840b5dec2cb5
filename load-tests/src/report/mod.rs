//! What a run found: as a table, as JSON, as a page.

pub(crate) mod comparison;
pub(crate) mod html;
pub(crate) mod svg;
pub(crate) mod table;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::Fallible;
use crate::oracle::Faults;
use crate::server::Server;

use comparison::Comparison;

/// What a run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    /// The command that was run.
    pub(crate) command: String,
    /// Seconds since 1970.
    pub(crate) time: u64,
    pub(crate) machine: Machine,
    /// How the server's settings differ from the defaults.
    pub(crate) raised: Vec<(String, String)>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) faults: Faults,
    pub(crate) charts: Vec<Chart>,
    /// The same measured of other servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comparison: Option<Comparison>,
    /// What has to be known to read the figures.
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) memory_mib: u64,
    /// Processes ready to run over the minute before: what else went on.
    pub(crate) load: f64,
}

/// A measured value.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The same thing done as directly as this machine can, in the same run.
    pub(crate) limit: Option<f64>,
}

impl Figure {
    /// To the limit, where that is above nothing: what takes less than the clock's step is counted as none.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let limit = self.limit.filter(|limit| *limit > 0.0)?;
        Some(self.value / limit)
    }
}

/// Whether something is as it must be.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) kind: Kind,
    pub(crate) passed: bool,
    pub(crate) measured: String,
    pub(crate) wanted: String,
    /// How much of the target is used, or reached: 1 is just on it.
    pub(crate) ratio: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Kind {
    /// Must hold on every machine.
    Promise,
    /// A speed or a size, which depends on the machine.
    Target,
}

#[derive(Debug, Serialize)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) logarithmic: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Axis {
    pub(crate) fn linear(name: &str) -> Self {
        Self {
            name: name.into(),
            logarithmic: false,
        }
    }

    pub(crate) fn logarithmic(name: &str) -> Self {
        Self {
            name: name.into(),
            logarithmic: true,
        }
    }
}

impl Report {
    pub(crate) fn new(scenario: &str, server: &Server) -> Self {
        Self {
            raised: server.raised.clone(),
            ..Self::of(scenario)
        }
    }

    /// Of no server in particular.
    pub(crate) fn of(scenario: &str) -> Self {
        Self {
            scenario: scenario.into(),
            command: std::env::args()
                .skip(1)
                .filter(|arg| !arg.contains("secret"))
                .collect::<Vec<_>>()
                .join(" "),
            time: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs(),
            machine: Machine::this(),
            raised: Vec::new(),
            figures: Vec::new(),
            verdicts: Vec::new(),
            faults: Faults::default(),
            charts: Vec::new(),
            comparison: None,
            notes: Vec::new(),
        }
    }

    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.beside(name, value, unit, None);
    }

    /// A figure with the limit measured beside it.
    pub(crate) fn beside(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        limit: Option<f64>,
    ) {
        self.figures.push(Figure {
            name: name.into(),
            value,
            unit,
            limit,
        });
    }

    /// Something that must hold on every machine.
    pub(crate) fn promise(
        &mut self,
        what: impl Into<String>,
        passed: bool,
        measured: impl Display,
        wanted: &str,
    ) {
        self.verdicts.push(Verdict {
            what: what.into(),
            kind: Kind::Promise,
            passed,
            measured: measured.to_string(),
            wanted: wanted.into(),
            ratio: None,
        });
    }

    /// The smaller the better: `most` is the target.
    pub(crate) fn at_most(&mut self, what: impl Into<String>, value: f64, most: f64, unit: &str) {
        self.target(what.into(), value <= most, (value, most), "≤", unit);
    }

    /// The larger the better: `least` is the target.
    pub(crate) fn at_least(&mut self, what: impl Into<String>, value: f64, least: f64, unit: &str) {
        self.target(what.into(), value >= least, (value, least), "≥", unit);
    }

    fn target(
        &mut self,
        what: String,
        passed: bool,
        (value, wanted): (f64, f64),
        sign: &str,
        unit: &str,
    ) {
        self.verdicts.push(Verdict {
            what,
            kind: Kind::Target,
            passed,
            measured: format!("{} {unit}", shown(value)).trim_end().into(),
            wanted: format!("{sign} {} {unit}", shown(wanted)).trim_end().into(),
            ratio: (wanted != 0.0).then_some(value / wanted),
        });
    }

    /// Adds broken promises of a part of the run.
    pub(crate) fn judge(&mut self, faults: Faults) {
        self.faults += faults;
    }

    /// The last verdicts: that nothing was broken. And what the server had to say.
    pub(crate) fn close(&mut self, server: &Server) {
        self.note_log(server);
        for (name, count) in self.faults.named() {
            self.promise(name, count == 0, count, "0");
        }
    }

    pub(crate) fn note_log(&mut self, server: &Server) {
        let log = server.log();
        self.notes.extend(
            log.lines()
                .take(20)
                .map(|line| format!("the server's log: {line}")),
        );
    }

    pub(crate) fn chart(
        &mut self,
        title: &str,
        x: Axis,
        y: Axis,
        lines: Vec<(String, Vec<(f64, f64)>)>,
    ) {
        self.charts.push(Chart {
            title: title.into(),
            x,
            y,
            lines: lines
                .into_iter()
                .map(|(name, points)| Line { name, points })
                .collect(),
        });
    }

    /// Whether all promises held, and with `strict` all targets too.
    pub(crate) fn passed(&self, strict: bool) -> bool {
        self.verdicts
            .iter()
            .all(|verdict| verdict.passed || (verdict.kind == Kind::Target && !strict))
    }

    /// Writes `SCENARIO-TIME.json` and `.html` into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Fallible<PathBuf> {
        fs::create_dir_all(folder)?;
        let file = folder.join(format!("{}-{}", self.scenario, self.time));
        fs::write(
            file.with_extension("json"),
            serde_json::to_vec_pretty(self)?,
        )?;
        let page = file.with_extension("html");
        fs::write(&page, html::page(self))?;
        Ok(page)
    }
}

impl Machine {
    fn this() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let line = |text: &str, name: &str| {
            let value = text.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .split_once(':')
                    .map(|(_, value)| value.trim().to_owned())
            });
            value.unwrap_or_default()
        };
        let memory = line(&read("/proc/meminfo"), "MemTotal");
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: line(&read("/proc/cpuinfo"), "model name"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_mib: memory
                .split(' ')
                .next()
                .and_then(|kb| kb.parse::<u64>().ok())
                .unwrap_or(0)
                / 1024,
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .and_then(|load| load.parse().ok())
                .unwrap_or(0.0),
        }
    }
}

/// A number with as many digits as matter.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 1000.0 => {
            let digits = format!("{:.0}", value.abs());
            let groups: Vec<_> = digits
                .as_bytes()
                .rchunks(3)
                .rev()
                .map(String::from_utf8_lossy)
                .collect();
            format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(","))
        }
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_matters() {
        let shown: Vec<_> = [
            0.0,
            0.125,
            9.5,
            42.0,
            512.3,
            1234.0,
            19000.0,
            1_234_567.0,
            -1500.0,
        ]
        .map(shown)
        .to_vec();
        assert_eq!(
            shown,
            [
                "0",
                "0.12",
                "9.50",
                "42.0",
                "512",
                "1,234",
                "19,000",
                "1,234,567",
                "-1,500"
            ]
        );
    }
}
