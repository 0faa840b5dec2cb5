//! The server in a process of its own, which can be killed, and run under a program that harms it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use chatsync::domain::Millis;
use chatsync::engine::{Clock, SystemClock};

use super::device::{TestDevice, Who};
use super::server::{APP, Host, key_of};
use super::wire::PATIENCE;

/// How a server process is started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Launch {
    /// A program and its arguments, before the server's own: `strace`, `faketime`.
    pub(crate) under: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Launch {
    pub(crate) fn under(words: &[&str]) -> Self {
        Self {
            under: words.iter().map(|word| (*word).into()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs the program with these arguments.
    fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_chatsync");
        let mut words = self.under.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        command.args(words).args(arguments).kill_on_drop(true);
        // What the machine that runs the tests has set is not what is tested.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CHATSYNC__") {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.clone());
        command
    }
}

/// A process that has come to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Standard output.
    pub(crate) printed: String,
    /// Standard error.
    pub(crate) said: String,
}

impl Ended {
    /// It failed with this code; the one line that says why.
    pub(crate) fn because(&self, code: i32) -> &str {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        let mut lines = self
            .said
            .lines()
            .filter_map(|l| l.strip_prefix("chatsync: "));
        match (lines.next(), lines.next()) {
            (Some(line), None) => line,
            _ => panic!("not one line says why: {self:?}"),
        }
    }
}

/// Its folder lives as long as it does; a running server is killed when dropped.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    /// For the next start.
    pub(crate) launch: Launch,
    folder: TempDir,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// The server's own; the child may be a program that runs it.
    pid: u32,
    address: SocketAddr,
    output: JoinHandle<String>,
}

impl ServerProcess {
    /// With the settings a product is shipped with, deletions included: not synced.
    pub(crate) async fn start() -> Self {
        Self::start_with(Launch::default()).await
    }

    pub(crate) async fn start_with(launch: Launch) -> Self {
        let mut server = Self::prepared(launch);
        server.run().await;
        server
    }

    /// A folder with settings, and nothing started.
    pub(crate) fn prepared(launch: Launch) -> Self {
        let folder = TempDir::new().expect("a folder");
        let server = Self {
            launch,
            folder,
            running: None,
        };
        std::fs::write(server.config(), settings(&server.data())).expect("a settings file");
        server
    }

    /// Starts it on what its folder holds.
    pub(crate) async fn run(&mut self) {
        if let Err(ended) = self.try_run().await {
            panic!("the server did not start: {ended:?}");
        }
    }

    /// Starts it; unless it ends before it listens.
    pub(crate) async fn try_run(&mut self) -> Result<(), Ended> {
        assert!(self.running.is_none(), "runs already");
        let config = self.config();
        let mut child = self
            .launch
            .command(&["serve", "--config", &config.to_string_lossy()])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(self.log()).expect("a log file"))
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.launch));
        let stdout = child.stdout.take().expect("piped").into_owned_fd();
        let (first, output) = read_lines(File::from(stdout.expect("a pipe")));
        let line = timeout(PATIENCE * 3, first).await;
        let line = line.expect("listens or ends in time").unwrap_or_default();
        let Some(address) = address_in(&line) else {
            let status = end(&mut child).await;
            return Err(self.ended_with(status, output));
        };
        let child_id = child.id().expect("not waited for");
        let pid = if self.launch.under.is_empty() {
            child_id
        } else {
            only_child(child_id).unwrap_or(child_id)
        };
        self.running = Some(Running {
            child,
            pid,
            address,
            output,
        });
        Ok(())
    }

    /// Kills it without warning (SIGKILL) and starts it again on the same store.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.crash().await;
        self.run().await;
    }

    pub(crate) async fn crash(&mut self) -> Ended {
        self.strike();
        self.ended().await
    }

    /// SIGKILL, now; [`ended`](Self::ended) waits for it.
    pub(crate) fn strike(&mut self) {
        if let Some(running) = &mut self.running {
            running.kill();
        }
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) {
        signal("-TERM", self.running().pid);
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> Ended {
        let running = self.running.as_mut().expect("was started");
        let status = end(&mut running.child).await;
        let running = self.running.take().expect("was started");
        self.ended_with(status, running.output)
    }

    fn ended_with(&self, status: ExitStatus, output: JoinHandle<String>) -> Ended {
        Ended {
            status,
            printed: output.join().expect("read"),
            said: std::fs::read_to_string(self.log()).expect("a log file"),
        }
    }

    /// Runs another command of the same program on the same settings, beside the server.
    pub(crate) async fn command(&self, words: &[&str]) -> Output {
        let config = self.config().to_string_lossy().into_owned();
        let words = [words, &["--config", &config]].concat();
        let launch = Launch {
            under: Vec::new(),
            ..self.launch.clone()
        };
        timeout(PATIENCE * 3, launch.command(&words).output())
            .await
            .expect("done in time")
            .expect("runs")
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

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("chatsync.toml")
    }

    /// The store's folder, unless it was [started](Launch::set) with another.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("is running")
    }
}

impl Host for ServerProcess {
    fn address(&self) -> SocketAddr {
        self.running().address
    }

    fn now(&self) -> Millis {
        SystemClock.now()
    }
}

impl Running {
    fn kill(&mut self) {
        if self.child.id() == Some(self.pid) {
            // It may have gone by itself.
            drop(self.child.start_kill());
        } else {
            signal("-KILL", self.pid);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.strike();
    }
}

/// It may have gone by itself, which is not for here to judge.
fn signal(name: &str, pid: u32) {
    let mut command = std::process::Command::new("kill");
    let command = command.args([name, &pid.to_string()]).stderr(Stdio::null());
    command.status().expect("kill runs");
}

fn only_child(of: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).ok()?;
    children.trim().parse().ok()
}

async fn end(child: &mut Child) -> ExitStatus {
    let status = timeout(PATIENCE * 3, child.wait()).await;
    status.expect("ended in time").expect("was a child")
}

/// The first line, once it is there, and everything, once it has ended. It is read all along, or the server would
/// block on a full pipe.
fn read_lines(output: File) -> (oneshot::Receiver<String>, JoinHandle<String>) {
    let (first, answer) = oneshot::channel();
    let all = std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut text = String::new();
        output.read_line(&mut text).expect("text");
        drop(first.send(text.clone()));
        output.read_to_string(&mut text).expect("text");
        text
    });
    (answer, all)
}

/// `listening on http://ADDRESS:PORT`.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.trim()
        .strip_prefix("listening on http://")?
        .parse()
        .ok()
}

fn settings(data: &Path) -> String {
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
