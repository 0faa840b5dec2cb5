//! A report for a terminal.

use std::fmt::Write as _;

use super::{Kind, Report, shown};

/// The report as text.
pub(crate) fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let machine = &report.machine;
    writeln!(out, "\n{}", report.command)?;
    writeln!(
        out,
        "{} cores ({}), Linux {}, load {:.1} at the start",
        machine.cores, machine.processor, machine.kernel, machine.load
    )?;
    for (name, value) in &report.raised {
        writeln!(out, "server setting {name} = {value}")?;
    }
    let wide = report
        .figures
        .iter()
        .map(|figure| figure.name.chars().count())
        .max()
        .unwrap_or(0);
    writeln!(out)?;
    for figure in &report.figures {
        write!(
            out,
            "{:wide$}  {:>10} {}",
            figure.name,
            shown(figure.value),
            figure.unit
        )?;
        if let Some(limit) = figure.limit {
            write!(out, "   limit {} {}", shown(limit), figure.unit)?;
            if let Some(ratio) = figure.ratio() {
                write!(out, ", ratio {ratio:.2}")?;
            }
        }
        writeln!(out)?;
    }
    if let Some(comparison) = &report.comparison {
        comparison.text(out)?;
    }
    writeln!(out)?;
    let wide = report
        .verdicts
        .iter()
        .map(|verdict| verdict.what.chars().count())
        .max()
        .unwrap_or(0);
    for verdict in &report.verdicts {
        let word = match (verdict.passed, verdict.kind) {
            (true, _) => "pass",
            (false, Kind::Promise) => "FAIL",
            (false, Kind::Target) => "miss",
        };
        write!(
            out,
            "{word}  {:wide$}  {} (wanted {})",
            verdict.what, verdict.measured, verdict.wanted
        )?;
        if let Some(ratio) = verdict.ratio {
            write!(out, ", {ratio:.2} of it")?;
        }
        writeln!(out)?;
    }
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}
