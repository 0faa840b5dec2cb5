//! The server in a process of its own, which can be killed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use chatsync::domain::Millis;
use chatsync::engine::{Clock, SystemClock};

use super::device::{TestDevice, Who};
use super::server::{APP, Host, key_of};
use super::wire::PATIENCE;

/// Killed when dropped; its folder lives as long as it does.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    folder: TempDir,
    child: Child,
    address: SocketAddr,
}

impl ServerProcess {
    /// With the settings a product is shipped with, deletions included: not synced.
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(config(&folder), settings(&folder)).expect("a settings file");
        let (child, address) = serve(&folder).await;
        Self {
            folder,
            child,
            address,
        }
    }

    /// Kills it without warning (SIGKILL) and starts it again on the same store.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        (self.child, self.address) = serve(&self.folder).await;
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.expect("kill runs").success());
    }

    pub(crate) async fn exited(mut self) -> ExitStatus {
        let waited = spawn_blocking(move || self.child.wait().expect("a child"));
        let waited = timeout(PATIENCE * 3, waited)
            .await
            .expect("stopped in time");
        waited.expect("waited")
    }

    /// Runs another command of the same program on the same settings, beside the server.
    pub(crate) async fn command(&self, words: &[&str]) -> Output {
        let mut command = program();
        command
            .args(words)
            .arg("--config")
            .arg(config(&self.folder));
        let output = spawn_blocking(move || command.output().expect("runs"));
        timeout(PATIENCE * 3, output)
            .await
            .expect("done in time")
            .expect("ran")
    }

    /// `chatsync app set … sync-conversation-deletion=on|off`.
    pub(crate) async fn set_switch(&self, on: bool) {
        let value = format!(
            "sync-conversation-deletion={}",
            if on { "on" } else { "off" }
        );
        let output = self
            .command(&["app", "set", "--app", &APP.to_string(), &value])
            .await;
        assert!(output.status.success(), "{output:?}");
    }

    pub(crate) async fn device(&self, user: &str, name: &str) -> TestDevice {
        TestDevice::fresh(self, Who::new(user, name)).await
    }
}

impl Host for ServerProcess {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn now(&self) -> Millis {
        SystemClock.now()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have gone by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatsync"));
    // What the machine that runs the tests has set is not what is tested.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHATSYNC__") {
            command.env_remove(name);
        }
    }
    command
}

async fn serve(folder: &TempDir) -> (Child, SocketAddr) {
    let log = folder.path().join("server.log");
    let mut child = program()
        .arg("serve")
        .arg("--config")
        .arg(config(folder))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log).expect("a log file"))
        .spawn()
        .expect("starts");
    let first = first_line(child.stdout.take().expect("piped"));
    let line = timeout(PATIENCE * 3, first)
        .await
        .map(Result::unwrap_or_default);
    let address = line.as_deref().ok().and_then(address_in);
    if let Some(address) = address {
        return (child, address);
    }
    drop(child.kill());
    drop(child.wait());
    let log = std::fs::read_to_string(log).unwrap_or_default();
    panic!("the server did not start: {line:?}\n{log}");
}

/// Its first line. What follows is read too, or the server would block once the pipe is full.
fn first_line(output: ChildStdout) -> oneshot::Receiver<String> {
    let (first, answer) = oneshot::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        _ = first.send(lines.next().unwrap_or_default());
        lines.for_each(drop);
    });
    answer
}

/// `listening on http://ADDRESS:PORT`.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.trim()
        .strip_prefix("listening on http://")?
        .parse()
        .ok()
}

fn config(folder: &TempDir) -> PathBuf {
    folder.path().join("chatsync.toml")
}

fn settings(folder: &TempDir) -> String {
    let data = folder.path().join("data");
    let key = key_of(APP);
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
drain_ms = 500
[store]
path = "{}"
[limits]
requests_per_second = 100000
request_burst = 100000
[[bootstrap.apps]]
sdk_app_id = {APP}
secret_key = "{key}"
admins = ["administrator"]
"#,
        data.display()
    )
}
