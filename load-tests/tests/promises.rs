#![cfg(test)]
//! A short run of the harness, for what must hold on any machine: nothing about times.

#![cfg(test)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// What every load is measured by.
const LATENCY: &str = "to the other devices, p99";

/// Runs a scenario; its outcome, and the report.
fn run(arguments: &[&str]) -> (Output, Value) {
    run_with(&[], arguments)
}

/// Likewise, with settings for the server.
fn run_with(settings: &[(&str, &str)], arguments: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_load-tests"))
        .args(arguments)
        .envs(settings.iter().copied())
        .arg("--out")
        .arg(folder.path())
        .output()
        .unwrap();
    let files = fs::read_dir(folder.path()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let has = |kind: &str| {
        let file = files
            .iter()
            .find(|file| file.extension().is_some_and(|found| found == kind));
        file.unwrap_or_else(|| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)))
    };
    let page = fs::read_to_string(has("html")).unwrap();
    assert!(page.contains(" GMT</time>"));
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("src="));
    let report = serde_json::from_slice(&fs::read(has("json")).unwrap()).unwrap();
    (output, report)
}

/// The server that belongs to this harness, built as this test is.
fn server() -> String {
    let harness = Path::new(env!("CARGO_BIN_EXE_load-tests"));
    let mut build = Command::new(env!("CARGO"));
    // Both packages are named so that the library is the one that the harness was built with, and not built again.
    build.args([
        "build",
        "--quiet",
        "--package",
        "load-tests",
        "--package",
        "chatsync",
        "--bin",
        "chatsync",
    ]);
    if harness
        .parent()
        .is_some_and(|folder| folder.ends_with("release"))
    {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    harness
        .with_file_name("chatsync")
        .to_str()
        .unwrap()
        .to_owned()
}

fn figure(report: &Value, name: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    let figure = figures.iter().find(|figure| figure["name"] == name);
    figure.unwrap_or_else(|| panic!("no {name}"))["value"]
        .as_f64()
        .unwrap()
}

/// The figures that have the limit of the machine beside them.
fn limited(report: &Value) -> Vec<String> {
    let figures = report["figures"].as_array().unwrap().iter();
    let limited = figures.filter(|figure| figure["limit"].as_f64().is_some());
    limited
        .map(|figure| figure["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The kinds of broken promises that were found.
fn faults(report: &Value) -> Vec<String> {
    let faults = report["faults"].as_object().unwrap();
    let found = faults
        .iter()
        .filter(|(_, count)| count.as_u64().unwrap() > 0);
    found.map(|(name, _)| name.clone()).collect()
}

/// Runs a scenario in which nothing may break: how many operations were answered, and notifications delivered.
fn faultless(arguments: &str, server: &str) -> (f64, f64) {
    let arguments: Vec<_> = arguments.split(' ').chain(["--server", server]).collect();
    let (output, report) = run(&arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(faults(&report).is_empty(), "{report}");
    let answered = figure(&report, "operations answered");
    assert!(answered > 100.0, "{answered}");
    let commits = figure(&report, "commits of the store");
    assert!(commits > 10.0, "{commits}");
    (answered, figure(&report, "notifications delivered"))
}

#[test]
fn every_deletion_reaches_every_other_device_once_or_nobody_as_the_switch_says() {
    let server = server();
    let run = |arguments: &str| faultless(arguments, &server);
    let shape = "delete --accounts 60 --devices 4 --idle 60 --processes 2 --rate 200 --no-limit";
    let (answered, delivered) = run(&format!("{shape} --seconds 3"));
    assert!(
        (delivered - 3.0 * answered).abs() < 0.5,
        "{delivered} of {answered}"
    );
    let (_, delivered) = run(&format!("{shape} --seconds 1 --switch off"));
    assert!(delivered < 0.5, "{delivered}");
}

#[test]
fn every_message_reaches_all_devices_of_a_pair_or_a_group() {
    let server = server();
    let shape = "messages --seconds 3 --devices 2 --rate 100 --no-limit";
    for (talking, others) in [("--pairs 20", 3.0), ("--members 30 --processes 2", 59.0)] {
        let (answered, delivered) = faultless(&format!("{shape} {talking}"), &server);
        assert!(
            (delivered - others * answered).abs() < 0.5,
            "{talking}: {delivered} of {answered}"
        );
    }
}

/// What was refused while the conversations were made was never made: later deletions of it seemed to be broken promises.
#[test]
fn a_server_that_refuses_at_times_is_asked_again_for_what_later_ones_need() {
    let server = server();
    let (output, report) = run_with(
        &[("CHATSYNC__STORE__QUEUE", "16")],
        &[
            "delete",
            "--accounts",
            "60",
            "--idle",
            "0",
            "--rate",
            "20",
            "--seconds",
            "2",
            "--no-limit",
            "--server",
            &server,
        ],
    );
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{out}");
    assert!(faults(&report).is_empty(), "{report}");
    assert!(out.contains("600 (wanted all)"), "{out}");
}

/// A hub that does something wrong with every tenth notification.
struct Hub {
    process: Child,
    address: String,
}

impl Hub {
    fn that(spoils: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_load-tests"))
            .args(["hub", "--spoil", spoils])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        let address = address.to_owned();
        Self { process, address }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_server_that_breaks_a_promise_fails_the_run() {
    for (spoils, found) in [
        ("lose", "lost"),
        ("repeat", "twice"),
        ("swap", "disordered"),
        ("misplace", "misplaced"),
        ("shorten", "garbled"),
    ] {
        let hub = Hub::that(spoils);
        let load = "delete --accounts 10 --rate 200 --seconds 1 --no-limit --patience 1 --secret-key none --url";
        let arguments: Vec<_> = load.split(' ').chain([hub.address.as_str()]).collect();
        let (output, report) = run(&arguments);
        assert!(!output.status.success(), "{spoils} went unnoticed");
        let faults = faults(&report);
        assert!(
            faults.iter().any(|name| name == found),
            "{spoils}: {faults:?}"
        );
    }
}

/// A figure of one machine says nothing on another: the ratio to what raw sockets do on the same one does.
#[test]
fn every_scenario_says_what_raw_sockets_take() {
    let server = server();
    for (scenario, limited_by) in [
        (
            "idle --from 10 --to 200 --seconds 0 --settle 0 --back 1",
            "server, own memory for each connection",
        ),
        (
            "storm --connections 200 --jitter 0",
            "at once: all are back after",
        ),
        (
            "catchup --accounts 2 --operations 3,6 --changed 2 --rounds 2",
            "6 operations in 2 conversations, p50",
        ),
        (
            "slow --accounts 1 --others 10 --rate 5 --seconds 1",
            "others, p99, while some don't",
        ),
        ("toggle --accounts 20 --turns 2 --seconds 1", LATENCY),
        ("mixed --accounts 20 --rate 500 --seconds 3", LATENCY),
        (
            "soak --accounts 20 --rate 100 --stretch 1 --minutes 0.03",
            LATENCY,
        ),
    ] {
        let with_limit: Vec<_> = scenario.split(' ').chain(["--server", &server]).collect();
        let (output, report) = run(&with_limit);
        // Whether the clients kept up as well is another matter, in so short a run beside other tests.
        assert_eq!(faults(&report), [""; 0], "{scenario}: {output:?}");
        let found = limited(&report);
        assert!(
            found.iter().any(|name| name == limited_by),
            "{scenario}: {found:?}"
        );
    }
}
