//! What a start says after the listening line: the secrets made on the very first one, and what to do next.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::admin::ACTOR;
use super::args::SettingsFile;
use super::failure::Failure;
use crate::domain::app::SecretKey;
use crate::domain::{App, SdkAppId};
use crate::engine::Engine;
use crate::settings::{DemoServed, Settings};

/// The identifier that may call the REST API of the first app.
const ADMIN: &str = "administrator";
const OPERATOR: &str = "admin";

/// What the first start made; shown once.
#[derive(Debug)]
pub(super) struct Made {
    app: SdkAppId,
    key: SecretKey,
    password: String,
}

/// Makes an app and an operator where the store has no app and the settings name none.
pub(super) async fn first_start(
    engine: &Engine,
    settings: &Settings,
) -> Result<Option<Made>, Failure> {
    let apps = engine.apps().await?;
    if !apps.is_empty() || !settings.bootstrap.apps.is_empty() {
        return Ok(None);
    }
    // The app last: as long as there is none, a start that was cut short is made up for by the next.
    let name = OPERATOR.parse().map_err(|error| {
        Failure::new(Failure::SOFTWARE, format!("operator {OPERATOR:?}: {error}"))
    })?;
    let password = engine.set_operator(ACTOR, name, None).await?;
    let (app, key) = engine.new_app(None, vec![ADMIN.into()], ACTOR).await?;
    Ok(Some(Made { app, key, password }))
}

/// How to reach this server and its store from another terminal.
#[derive(Debug)]
pub(super) struct Commands {
    program: String,
    /// Arguments that lead to the same settings.
    settings: String,
    url: String,
    console: String,
    /// Where the demo is, if somebody on this machine can open it.
    demo: Option<String>,
}

impl Commands {
    /// `program`: as this process was started; `address`: where it listens.
    pub(super) fn new(
        program: &str,
        file: &SettingsFile,
        settings: &Settings,
        address: SocketAddr,
    ) -> Self {
        // The other terminal does not have this one's environment; what finds the store must go with the command.
        let elsewhere = Settings::load_files(file.config.as_deref())
            .is_ok_and(|there| there.store.path != settings.store.path);
        let path = settings.store.path.to_string_lossy();
        let environment = if elsewhere {
            format!("CHATSYNC__STORE__PATH={} ", quoted(&path))
        } else {
            String::new()
        };
        let config = file.config.as_ref().map_or_else(String::new, |file| {
            format!(" --config {}", quoted(&file.to_string_lossy()))
        });
        Self {
            program: format!("{environment}{}", quoted(program)),
            settings: config,
            url: format!("ws://{}/ws", reachable(address)),
            console: format!("http://{}/console/", reachable(address)),
            demo: demo(settings.demo.serve, reachable(address)),
        }
    }

    fn usersig(&self, app: SdkAppId) -> String {
        let Self {
            program, settings, ..
        } = self;
        format!("{program} usersig{settings} --app {app} --user alice")
    }

    fn operator(&self) -> String {
        let Self {
            program, settings, ..
        } = self;
        format!("{program} operator set{settings}")
    }

    fn switch_on(&self, app: SdkAppId) -> String {
        let Self {
            program, settings, ..
        } = self;
        format!("{program} app set{settings} --app {app} sync-conversation-deletion=on")
    }

    fn client(&self, app: SdkAppId, user: &str, device: &str, platform: &str) -> String {
        let Self {
            program,
            settings,
            url,
            ..
        } = self;
        format!(
            "{program} client{settings} --url {url} --app {app} --user {user} --device {device} --platform {platform}"
        )
    }
}

/// The lines after the first. `operated`: whether there is an operator.
pub(super) fn greeting(
    made: Option<&Made>,
    apps: &[App],
    operated: bool,
    commands: &Commands,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if let Some(demo) = &commands.demo {
        _ = writeln!(
            text,
            "demo         {demo}  open it and watch a deletion cross devices"
        );
    }
    if let Some(Made { app, key, password }) = made {
        _ = writeln!(
            text,
            "\nThis is the first start. Keep these; they are not shown again:\n  \
             app         {app}\n  \
             secret key  {}\n  \
             operator    {OPERATOR}, password {password}",
            key.reveal(),
        );
    }
    _ = writeln!(text, "\nThe console, for operators: {}", commands.console);
    if !operated {
        _ = writeln!(
            text,
            "  # there is no operator yet; this makes one\n  {}",
            commands.operator()
        );
    }
    let Some(app) = apps.iter().find(|app| !app.disabled) else {
        return text;
    };
    let id = app.id;
    text.push_str("\nWhat to do next, each in a terminal of its own:\n");
    if !app.features.sync_conversation_deletion {
        _ = writeln!(
            text,
            "  # tell a user's other devices of deletions (off by default)\n  {}",
            commands.switch_on(id)
        );
    }
    _ = writeln!(
        text,
        "  # two devices of alice, one of bob; then: send C2Cbob hello, delete C2Cbob, help\n  {}\n  {}\n  {}\n  \
         # what a client of your own logs in with\n  {}",
        commands.client(id, "alice", "alice-phone", "iPhone"),
        commands.client(id, "alice", "alice-laptop", "Mac"),
        commands.client(id, "bob", "bob-phone", "Android"),
        commands.usersig(id),
    );
    text
}

/// The demo's address, unless nobody here would get it.
fn demo(serve: DemoServed, at: SocketAddr) -> Option<String> {
    let is_served = match serve {
        DemoServed::Loopback => at.ip().is_loopback(),
        DemoServed::Always => true,
        DemoServed::Never => false,
    };
    is_served.then(|| format!("http://{at}/demo/"))
}

/// Where a client on this machine finds a listener on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A word that a shell reads as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{self, Command};
    use crate::domain::Features;

    const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);

    fn app(sync: bool) -> App {
        App {
            id: SdkAppId(7),
            keys: vec![SecretKey::new("stored")],
            admins: Vec::new(),
            features: Features {
                sync_conversation_deletion: sync,
                ..Features::default()
            },
            disabled: false,
            created_at: 0,
        }
    }

    fn commands() -> Commands {
        Commands::new(
            "target/release/chatsync",
            &SettingsFile::default(),
            &Settings::default(),
            ADDRESS,
        )
    }

    #[tokio::test]
    async fn only_the_first_start_makes_an_app_and_an_operator() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.store.path = folder.path().join("data");
        let engine = crate::cli::local::open(&settings).await.unwrap();
        let made = first_start(&engine, &settings).await.unwrap().unwrap();
        assert_eq!(made.app, SdkAppId(1_400_000_001));
        let app = engine.app(made.app).await.unwrap().unwrap();
        assert_eq!(
            (app.keys, app.admins),
            (vec![made.key], vec![ADMIN.to_owned()])
        );
        let operators = engine.operators().await.unwrap();
        assert_eq!(operators.len(), 1);
        assert_eq!(operators[0].name.as_str(), OPERATOR);
        assert!(first_start(&engine, &settings).await.unwrap().is_none());
    }

    #[test]
    fn every_command_that_is_shown_can_be_given() {
        let text = greeting(None, &[app(false)], false, &commands());
        let shown: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("target/"))
            .collect();
        assert_eq!(shown.len(), 6);
        for line in shown {
            let cli = args::parse(line.split(' ')).unwrap_or_else(|_| panic!("{line}"));
            if let Some(Command::Client(client)) = cli.command {
                assert_eq!(client.url, "ws://127.0.0.1:8080/ws");
            }
        }
    }

    #[test]
    fn secrets_are_shown_by_the_first_start_only() {
        let made = Made {
            app: SdkAppId(7),
            key: SecretKey::new("fresh"),
            password: "word".into(),
        };
        let first = greeting(Some(&made), &[app(false)], true, &commands());
        assert!(first.contains("fresh") && first.contains("word"));
        let second = greeting(None, &[app(false)], true, &commands());
        let (_, after_demo) = second.split_once('\n').unwrap();
        assert!(!second.contains("stored") && first.ends_with(after_demo));
    }

    #[test]
    fn the_switch_is_not_suggested_once_it_is_on() {
        assert!(!greeting(None, &[app(true)], true, &commands()).contains("app set"));
    }

    #[test]
    fn the_console_is_named_and_how_to_get_in() {
        let text = greeting(None, &[], true, &commands());
        let line = "\nThe console, for operators: http://127.0.0.1:8080/console/\n";
        assert!(text.ends_with(line), "{text}");
        assert!(greeting(None, &[], false, &commands()).contains(" operator set\n"));
    }

    #[test]
    fn the_demo_comes_first_where_it_is_served() {
        let line = "demo         http://127.0.0.1:8080/demo/  open it and watch a deletion cross devices\n";
        assert_eq!(
            greeting(None, &[], true, &commands()).lines().next(),
            line.lines().next()
        );
        assert!(greeting(None, &[app(true)], true, &commands()).starts_with(line));
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 80));
        assert_eq!(demo(DemoServed::Loopback, elsewhere), None);
        assert_eq!(demo(DemoServed::Never, reachable(ADDRESS)), None);
        assert_eq!(
            demo(DemoServed::Always, elsewhere).as_deref(),
            Some("http://192.0.2.1:80/demo/")
        );
    }

    #[test]
    fn commands_lead_to_the_same_store() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut settings = Settings::default();
        settings.store.path = "my data".into();
        let file = SettingsFile {
            config: Some(file.path().into()),
        };
        let line = Commands::new("chatsync", &file, &settings, ADDRESS).usersig(SdkAppId(7));
        let path = file.config.unwrap();
        assert_eq!(
            line,
            format!(
                "CHATSYNC__STORE__PATH='my data' chatsync usersig --config {} --app 7 --user alice",
                path.display()
            )
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a/b.c"), "a/b.c");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
