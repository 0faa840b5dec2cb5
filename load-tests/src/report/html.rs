//! A report as a page that needs nothing else.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use super::svg::{self, escaped};
use super::{Kind, Report, shown};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c62828; --missed: #b26a00 }
@media (prefers-color-scheme: dark) { :root { --good: #4caf6e; --bad: #ff7961; --missed: #ffb74d } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line) }
td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.pass { color: var(--good) } .fail { color: var(--bad); font-weight: bold } .miss { color: var(--missed) }
svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor }
.grid { stroke: var(--line) } polyline { fill: none; stroke-width: 1.8 }
.legend span { margin-right: 1rem } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
code { overflow-wrap: anywhere }
";

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let title = format!("chatsync load test: {}", escaped(&report.scenario));
    let machine = &report.machine;
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n<h1>{title}</h1>"
    )?;
    writeln!(
        out,
        "<p><code>{}</code><br><time>{}</time>; {} cores ({}), {} MiB, Linux {}, load {:.1} at the start</p>",
        escaped(&report.command),
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(report.time)),
        machine.cores,
        escaped(&machine.processor),
        shown(f64::from(
            u32::try_from(machine.memory_mib).unwrap_or(u32::MAX)
        )),
        escaped(&machine.kernel),
        machine.load
    )?;
    if let Some(comparison) = &report.comparison {
        comparison.html(out)?;
    }
    writeln!(
        out,
        "<h2>Verdicts</h2><table><tr><th></th><th>what</th><th>measured</th><th>wanted</th><th>ratio</th></tr>"
    )?;
    for verdict in &report.verdicts {
        let word = match (verdict.passed, verdict.kind) {
            (true, _) => "pass",
            (false, Kind::Promise) => "fail",
            (false, Kind::Target) => "miss",
        };
        writeln!(
            out,
            "<tr><td class=\"{word}\">{word}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            escaped(&verdict.what),
            escaped(&verdict.measured),
            escaped(&verdict.wanted),
            verdict
                .ratio
                .map_or(String::new(), |ratio| format!("{ratio:.2}"))
        )?;
    }
    writeln!(
        out,
        "</table><h2>Figures</h2><table><tr><th>what</th><th>value</th><th>limit of this machine</th><th>ratio</th></tr>"
    )?;
    for figure in &report.figures {
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{} {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(&figure.name),
            shown(figure.value),
            figure.unit,
            figure.limit.map_or(String::new(), |limit| format!(
                "{} {}",
                shown(limit),
                figure.unit
            )),
            figure
                .ratio()
                .map_or(String::new(), |ratio| format!("{ratio:.2}"))
        )?;
    }
    writeln!(out, "</table>")?;
    for chart in &report.charts {
        writeln!(
            out,
            "<h2>{}</h2>{}",
            escaped(&chart.title),
            svg::chart(chart)
        )?;
    }
    if !report.raised.is_empty() {
        writeln!(
            out,
            "<h2>Server settings that differ from the defaults</h2><ul>"
        )?;
        for (name, value) in &report.raised {
            writeln!(
                out,
                "<li><code>{} = {}</code></li>",
                escaped(name),
                escaped(value)
            )?;
        }
        writeln!(out, "</ul>")?;
    }
    if !report.notes.is_empty() {
        writeln!(out, "<h2>Notes</h2><ul>")?;
        for note in &report.notes {
            writeln!(out, "<li>{}</li>", escaped(note))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</body></html>")
}
