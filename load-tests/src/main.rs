//! Load harness of chatsync; README.md says how to run, read and extend it.

mod cargo;
mod client;
mod fill;
mod fleet;
mod limit;
mod measure;
mod oracle;
mod peer;
mod report;
mod scenario;
mod schedule;
mod server;
mod start;
mod wire;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use scenario::{Common, Scenario};

pub(crate) type Fallible<T> = Result<T, Box<dyn Error>>;

/// Measures a chatsync server, and checks its promises meanwhile.
#[derive(Debug, Parser)]
#[command(name = "load-tests", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
    /// Folder of the reports
    #[arg(
        long,
        value_name = "FOLDER",
        global = true,
        default_value = "load-tests/reports"
    )]
    out: PathBuf,
    /// A missed target fails the run too
    #[arg(long, global = true)]
    strict: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Time from starting the process to listening
    Start(start::Start),
    /// Memory and processor time of connections that do nothing
    Idle(scenario::idle::Idle),
    /// Deletions by many accounts, told to each one's other devices
    Delete(scenario::delete::Delete),
    /// One account with very many devices, and what others notice of it
    Fanout(scenario::fanout::Fanout),
    /// Everybody reconnects at once and catches up
    Storm(scenario::storm::Storm),
    /// What catching up costs, by how much happened and in how many conversations
    Catchup(scenario::catchup::Catchup),
    /// Devices that read nothing for a while
    Slow(scenario::slow::Slow),
    /// The switch is turned while accounts delete
    Toggle(scenario::toggle::Toggle),
    /// Messages between pairs of accounts
    Messages(scenario::messages::Messages),
    /// Messages, read marks and deletions together
    Mixed(scenario::mixed::Mixed),
    /// The same for hours, with devices that go and come back
    Soak(scenario::soak::Soak),
    /// The same of other servers, which are installed for it: memory, a storm, telling a user's devices
    Peers(scenario::peers::Peers),
    /// A client process of another scenario
    #[command(hide = true)]
    Worker,
    /// The bare hub beside which a scenario measures
    #[command(hide = true)]
    Hub(limit::sockets::Options),
}

impl Command {
    fn scenario(&self) -> Option<&dyn Scenario> {
        match self {
            Self::Idle(scenario) => Some(scenario),
            Self::Delete(scenario) => Some(scenario),
            Self::Fanout(scenario) => Some(scenario),
            Self::Storm(scenario) => Some(scenario),
            Self::Catchup(scenario) => Some(scenario),
            Self::Slow(scenario) => Some(scenario),
            Self::Toggle(scenario) => Some(scenario),
            Self::Messages(scenario) => Some(scenario),
            Self::Mixed(scenario) => Some(scenario),
            Self::Soak(scenario) => Some(scenario),
            Self::Peers(scenario) => Some(scenario),
            Self::Start(_) | Self::Worker | Self::Hub(_) => None,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match (&cli.command, cli.command.scenario()) {
        (_, Some(scenario)) => measure(&cli, scenario),
        (Command::Start(start), _) => start.run().map(|()| true),
        (Command::Hub(options), _) => limit::sockets::serve(*options).map(|()| true),
        (_, None) => client::worker::run().map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load-tests: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a scenario and reports; whether it passed.
fn measure(cli: &Cli, scenario: &dyn Scenario) -> Fallible<bool> {
    let report = scenario.run(&cli.common)?;
    let page = report.write(&cli.out)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}\n{}",
        report::table::text(&report).trim_end(),
        page.display()
    )?;
    Ok(report.passed(cli.strict))
}
