//! The command line: what is asked for, who does it, and how it ends.
//!
//! Wrong arguments or settings end with 64 before anything is started, other failures as `sysexits.h` has them
//! ([`Failure`]); each with one line on standard error.

mod admin;
pub mod args;
pub mod change;
mod client;
mod failure;
mod local;
mod serve;
mod welcome;

pub use failure::Failure;

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use tokio::runtime::Runtime;

use args::{Cli, Command, NoCommand};

/// Does what `arguments` (the program's own name first) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = arguments.first().map_or_else(
        || "chatsync".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    let outcome = match args::parse(&arguments) {
        Ok(cli) => run(cli, &program, &mut io::stdout()),
        Err(NoCommand::Print(text)) => text.print().map_err(Failure::from),
        Err(NoCommand::Wrong(failure)) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell if this fails.
            _ = writeln!(io::stderr(), "chatsync: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli, program: &str, out: &mut dyn Write) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Serve(cli.settings)) {
        Command::Serve(file) => serve::run(&file, program, out),
        Command::Usersig(call) => wait(admin::usersig(&call, out)),
        Command::App(command) => wait(admin::app(command, out)),
        Command::Operator(command) => wait(admin::operator(command, out)),
        Command::Config(command) => admin::config(&command, out),
        Command::Backup(call) => admin::backup(&call, out),
        Command::Client(call) => client::run(call, out),
        Command::Protocol => Ok(writeln!(
            out,
            "{:#}",
            crate::protocol::asyncapi::document()
        )?),
        Command::Completions { shell } => {
            // Through memory: the generator panics when it can't write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "chatsync", &mut script);
            Ok(out.write_all(&script)?)
        }
    }
}

fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(Failure::MACHINE, format!("no runtime: {error}")))
}

fn wait(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    runtime()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(arguments: &str) -> Result<String, Failure> {
        let cli = args::parse(arguments.split(' ')).expect("well-formed");
        let mut out = Vec::new();
        run(cli, "chatsync", &mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn a_missing_settings_file_is_a_usage_error_of_every_command() {
        for arguments in [
            "chatsync",
            "chatsync serve",
            "chatsync usersig --app 1 --user a",
            "chatsync app create",
            "chatsync app list",
            "chatsync app rotate-key --app 1",
            "chatsync app set --app 1 disabled=on",
            "chatsync operator set",
            "chatsync config check",
            "chatsync backup --to /nonexistent/copy",
            "chatsync client --app 1 --user a --device d",
        ] {
            let failure = ran(&format!("{arguments} --config /nonexistent/file")).unwrap_err();
            assert_eq!(failure.code, Failure::USAGE, "{arguments}");
            assert!(
                failure.line.starts_with("--config /nonexistent/file: "),
                "{failure}"
            );
        }
    }

    #[test]
    fn settings_are_checked_and_shown() {
        let shown = ran("chatsync config check").unwrap();
        assert!(shown.starts_with("ok\n"), "{shown}");
        assert!(shown.contains("login_timeout_ms = 5000"), "{shown}");
    }

    #[test]
    fn every_shell_gets_a_script() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = ran(&format!("chatsync completions {shell}")).unwrap();
            assert!(script.contains("rotate-key"), "{shell}");
        }
    }

    #[test]
    fn wrong_arguments_exit_with_64() {
        let code = main(["chatsync", "serve", "--nonsense"].map(OsString::from));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(64)));
    }
}
