//! `chatsync serve`: settings, log, clock, socket, store, in this order, so that what is wrong is said before
//! anything is begun; then run until told to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::args::SettingsFile;
use super::failure::Failure;
use super::welcome;
use crate::domain::Millis;
use crate::engine::{Clock, SystemClock};
use crate::server::{self, Server};
use crate::settings::{LogFormat, LogSettings, Settings};

/// 2020-01-01: before it the clock was never set, and no UserSig would hold.
const EARLIEST: Millis = 1_577_836_800_000;
/// As a shell reports a process that a signal ended.
const INTERRUPTED: u8 = 130;

pub(super) fn run(file: &SettingsFile, program: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let settings = Settings::load(file.config.as_deref())?;
    start_log(&settings.log)?;
    check_clock(SystemClock.now())?;
    super::wait(serve(&settings, file, program, out))
}

async fn serve(
    settings: &Settings,
    file: &SettingsFile,
    program: &str,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    // From here on a signal stops the server in order, however early it comes.
    let (stop, stop_now) = (Stop::new()?, Stop::new()?);
    let cannot_listen = |error: io::Error| {
        let address = settings.server.listen;
        Failure::io(format!("server.listen: {address}: {error}"))
    };
    let listener = server::bind(settings).map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let server = Server::build(settings, Arc::new(SystemClock)).await?;
    let made = welcome::first_start(server.engine(), settings).await?;
    let mut apps = server.engine().apps().await?;
    let demo = server.engine().demo_app_id().await?;
    apps.retain(|app| Some(app.id) != demo);
    let operated = !server.engine().operators().await?.is_empty();

    let there = welcome::Commands::new(program, file, settings, address);
    let greeting = welcome::greeting(made.as_ref(), &apps, operated, &there);
    // A closed standard output is no reason not to serve.
    if let Err(error) = announce(out, address, &greeting) {
        tracing::warn!(%error, "standard output can't be written");
    }

    tokio::select! {
        outcome = server.run(listener, stop.after(1)) => {
            outcome.map_err(|error| Failure::io(error.to_string()))
        }
        () = stop_now.after(2) => {
            Err(Failure::new(INTERRUPTED, "stopped by a second signal before every client was told"))
        }
    }
}

fn announce(out: &mut dyn Write, address: SocketAddr, greeting: &str) -> io::Result<()> {
    write!(out, "listening on http://{address}\n{greeting}")?;
    out.flush()
}

fn start_log(settings: &LogSettings) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&settings.filter)
        .map_err(|error| Failure::usage(format!("log.filter: {error}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match settings.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    }
    .map_err(|error| Failure::new(Failure::SOFTWARE, format!("log: {error}")))
}

fn check_clock(now: Millis) -> Result<(), Failure> {
    if now < EARLIEST {
        Err(Failure::new(
            Failure::MACHINE,
            "the machine's clock is before 2020: set it first, or credentials and windows would be wrong",
        ))
    } else {
        Ok(())
    }
}

/// SIGTERM and SIGINT.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::new(Failure::MACHINE, format!("signals: {error}")))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Resolves with the signal of this number.
    async fn after(mut self, number: u32) {
        for _ in 0..number {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_stops_the_start() {
        assert_eq!(check_clock(0).unwrap_err().code, Failure::MACHINE);
        assert_eq!(check_clock(EARLIEST), Ok(()));
    }

    #[test]
    fn the_first_line_is_the_address() {
        let mut out = Vec::new();
        announce(
            &mut out,
            SocketAddr::from(([127, 0, 0, 1], 8080)),
            "\nmore\n",
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "listening on http://127.0.0.1:8080\n\nmore\n"
        );
    }
}
