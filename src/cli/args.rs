//! What can be said on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use super::change::{Change, KEYS};
use super::failure::Failure;
use crate::domain::{DeviceId, OperatorName, Platform, Role, SdkAppId, UserId};

/// A self-hosted multi-client chat sync server over WebSockets.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "chatsync", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; none: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// For serving without naming the command.
    #[command(flatten)]
    pub settings: SettingsFile,
}

/// Where settings are read from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SettingsFile {
    /// Settings file (TOML), read over the defaults; the environment is read over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(SettingsFile),
    /// Print a UserSig: what a client logs in with
    Usersig(Usersig),
    /// Create, show and change apps, also while a server runs on the same store
    #[command(subcommand)]
    App(App),
    /// Manage who may sign in to the console
    #[command(subcommand)]
    Operator(Operator),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Copy the store to a file, also while a server runs on it
    Backup(Backup),
    /// Log in as a device and chat from the terminal
    Client(Client),
    /// Print the wire protocol as an AsyncAPI document
    Protocol,
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// `chatsync usersig`
#[derive(Debug, Args)]
pub struct Usersig {
    #[command(flatten)]
    pub settings: SettingsFile,
    /// The app's sdkAppID
    #[arg(long, value_name = "ID", value_parser = app_id)]
    pub app: SdkAppId,
    /// The account it is for
    #[arg(long, value_name = "NAME")]
    pub user: UserId,
    /// Seconds until it expires
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..))]
    pub expire: u32,
}

/// `chatsync app …`
#[derive(Debug, Subcommand)]
pub enum App {
    /// Create an app and print its secret key, once
    Create {
        #[command(flatten)]
        settings: SettingsFile,
        /// The new app's sdkAppID; left out: the next free one
        #[arg(long, value_name = "ID", value_parser = app_id)]
        app: Option<SdkAppId>,
        /// Identifier that may call the REST API; may be repeated
        #[arg(long = "admin", value_name = "NAME", default_value = "administrator")]
        admins: Vec<UserId>,
    },
    /// Show all apps and their settings
    List {
        #[command(flatten)]
        settings: SettingsFile,
    },
    /// Give an app a new secret key and print it, once; the key before it stays valid, older ones do not
    RotateKey {
        #[command(flatten)]
        settings: SettingsFile,
        /// The app's sdkAppID
        #[arg(long, value_name = "ID", value_parser = app_id)]
        app: SdkAppId,
    },
    /// Change an app's settings; they hold from the next commit on
    Set {
        #[command(flatten)]
        settings: SettingsFile,
        /// The app's sdkAppID
        #[arg(long, value_name = "ID", value_parser = app_id)]
        app: SdkAppId,
        /// What to change
        #[arg(value_name = "KEY=VALUE", required = true, help = format!("What to change: {KEYS}"))]
        changes: Vec<Change>,
    },
}

/// `chatsync operator …`
#[derive(Debug, Subcommand)]
pub enum Operator {
    /// Create an operator, or give one a new password; prints the password, once
    Set {
        #[command(flatten)]
        settings: SettingsFile,
        /// Who signs in
        #[arg(long, value_name = "NAME", default_value = "admin")]
        name: OperatorName,
        /// What the operator may do: administrator or viewer; left out: as before, or administrator if new
        #[arg(long, value_name = "ROLE")]
        role: Option<Role>,
    },
}

/// `chatsync config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read and check the settings as the server would, and print them
    Check(SettingsFile),
}

/// `chatsync backup`
#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    pub settings: SettingsFile,
    /// File to write; must not be there yet
    #[arg(long, value_name = "PATH")]
    pub to: PathBuf,
}

/// `chatsync client`
#[derive(Debug, Args)]
pub struct Client {
    /// Where the server's WebSocket is
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8080/ws", value_parser = websocket_url)]
    pub url: String,
    /// The app's sdkAppID
    #[arg(long, value_name = "ID", value_parser = app_id)]
    pub app: SdkAppId,
    /// The account to log in to
    #[arg(long, value_name = "NAME")]
    pub user: UserId,
    /// Which of the account's devices this is; keep it the same from start to start
    #[arg(long, value_name = "NAME")]
    pub device: DeviceId,
    /// Android, iPhone, iPad, Windows, Mac, Linux or Web
    #[arg(long, default_value = "Linux")]
    pub platform: Platform,
    /// UserSig to log in with; left out: made with the app's key from the store of the settings
    #[arg(long, value_name = "TEXT", conflicts_with = "config")]
    pub usersig: Option<String>,
    #[command(flatten)]
    pub settings: SettingsFile,
}

fn app_id(text: &str) -> Result<SdkAppId, String> {
    match text.parse() {
        Ok(id) if id > 0 => Ok(SdkAppId(id)),
        _ => Err(format!("must be 1 to {}", u32::MAX)),
    }
}

fn websocket_url(text: &str) -> Result<String, String> {
    if text.starts_with("wss://") {
        // TLS would bring a second crypto library for a tool that is run beside the server.
        return Err("this client speaks ws:// only; run it where the server is".into());
    }
    let url: axum::http::Uri = text.parse().map_err(|error| format!("{error}"))?;
    if url.scheme_str() == Some("ws") && url.host().is_some_and(|host| !host.is_empty()) {
        Ok(text.into())
    } else {
        Err("must be like ws://127.0.0.1:8080/ws".into())
    }
}

/// What to print to standard output instead of doing anything, or why the arguments are wrong.
#[derive(Debug)]
pub enum NoCommand {
    /// Help or version: asked for, so no failure.
    Print(clap::Error),
    /// Wrong arguments.
    Wrong(Failure),
}

/// Understands the command line. `arguments` begins with the program's own name.
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Cli, NoCommand> {
    Cli::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NoCommand::Print(error),
        // A command group named alone; clap would print its help as an error.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            NoCommand::Wrong(Failure::usage("a subcommand is missing (see --help)"))
        }
        _ => NoCommand::Wrong(Failure::usage(one_line(&error))),
    })
}

/// clap explains over several lines; the first paragraph says what is wrong, and with which argument.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph: Vec<&str> = text
        .lines()
        .take_while(|line| !line.trim().is_empty() && !line.starts_with("Usage"))
        .map(str::trim)
        .collect();
    let line = paragraph.join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line} (see --help)")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn refused(arguments: &str) -> String {
        match parse(arguments.split(' ')) {
            Err(NoCommand::Wrong(failure)) => {
                assert_eq!(failure.code, Failure::USAGE);
                assert!(!failure.line.contains('\n'), "{failure}");
                failure.line
            }
            other => panic!("{arguments}: {other:?}"),
        }
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_is_serve_and_takes_its_settings() {
        let cli = parse(["chatsync"]).unwrap();
        assert!(cli.command.is_none() && cli.settings.config.is_none());
        let cli = parse(["chatsync", "--config", "f.toml"]).unwrap();
        assert_eq!(cli.settings.config, Some("f.toml".into()));
        let cli = parse(["chatsync", "serve", "--config", "f.toml"]).unwrap();
        assert!(
            matches!(cli.command, Some(Command::Serve(s)) if s.config == Some("f.toml".into()))
        );
    }

    #[test]
    fn a_wrong_argument_is_named_in_one_line() {
        for (arguments, named) in [
            ("chatsync srve", "srve"),
            ("chatsync serve --cfg x", "--cfg"),
            ("chatsync serve --config", "--config"),
            ("chatsync usersig --app 1", "--user"),
            ("chatsync usersig --app 0 --user a", "--app"),
            ("chatsync usersig --app 1 --user a --expire 0", "--expire"),
            ("chatsync app", "subcommand"),
            ("chatsync app set --app 1", "KEY=VALUE"),
            (
                "chatsync app set --app 1 sync-conversation-deletion=maybe",
                "sync-conversation-deletion",
            ),
            ("chatsync app set --app 1 nonsense=on", "nonsense"),
            (
                "chatsync client --app 1 --user a --device d --platform Toaster",
                "--platform",
            ),
            (
                "chatsync client --app 1 --user a --device d --url http://x/ws",
                "--url",
            ),
            (
                "chatsync client --app 1 --user a --device d --url wss://x/ws",
                "--url",
            ),
            (
                "chatsync client --app 1 --user a --device d --usersig x --config y",
                "--config",
            ),
            ("chatsync completions tcsh", "tcsh"),
            ("chatsync backup", "--to"),
        ] {
            let line = refused(arguments);
            assert!(line.contains(named), "{arguments}: {line}");
        }
    }

    #[test]
    fn help_and_version_are_no_failures() {
        for arguments in [
            "chatsync --help",
            "chatsync --version",
            "chatsync app set --help",
        ] {
            assert!(matches!(
                parse(arguments.split(' ')),
                Err(NoCommand::Print(_))
            ));
        }
    }
}
