//! Load harness of chatsync; README.md says how to run it.

mod fill;
mod start;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

/// Measures a chatsync server.
#[derive(Debug, Parser)]
#[command(name = "load-tests", version)]
enum Scenario {
    /// Time from starting the process to listening
    Start(start::Start),
}

fn main() -> ExitCode {
    let outcome: Result<(), Box<dyn Error>> = match Scenario::parse() {
        Scenario::Start(start) => start.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load-tests: {error}");
            ExitCode::FAILURE
        }
    }
}
