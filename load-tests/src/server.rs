//! The server under load: one that is started for the run, or one that is running.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use tempfile::TempDir;

use crate::Fallible;
use crate::cargo;
use crate::client::order::Access;
use crate::measure::commits::Commits;
use crate::wire::Protocol;

pub(crate) const APP: u32 = 1_400_000_001;
/// For a server to start or to notice that clients have gone, and between two looks.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);
const SECRET_KEY: &str = "of-no-use-to-anybody";

/// Which server.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// The server's program; it is started in a temporary folder [default: chatsync beside this program]
    #[arg(long, value_name = "FILE", global = true)]
    server: Option<PathBuf>,
    /// A server that runs already, instead: its address and port
    #[arg(long, value_name = "HOST:PORT", global = true, requires = "secret_key")]
    url: Option<String>,
    /// That server's app
    #[arg(long, value_name = "ID", global = true, default_value_t = APP)]
    app: u32,
    /// That app's secret key
    #[arg(long, value_name = "KEY", global = true)]
    secret_key: Option<String>,
    /// That server's process, if it is on this machine: for memory and processor time
    #[arg(long, value_name = "PID", global = true)]
    pid: Option<u32>,
}

/// A server that answers. Dropping it stops it if it was started here.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) access: Access,
    /// None: on another machine.
    pub(crate) pid: Option<u32>,
    /// Settings that differ from the defaults.
    pub(crate) raised: Vec<(String, String)>,
    /// Whether it may have a page of figures: a limit or a peer has none.
    tells: bool,
    started: Option<Running>,
}

/// A server's process that was started here. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    program: PathBuf,
    /// Its settings, its store, its log.
    folder: TempDir,
}

impl Which {
    /// The server, started if need be with the switch on and with `limits` (of the section `limits`) raised.
    pub(crate) fn serve(&self, limits: &[(&str, u64)]) -> Fallible<Server> {
        match (&self.url, &self.secret_key) {
            (Some(url), Some(key)) => self.running(url, key),
            _ => self.start(limits),
        }
    }

    fn running(&self, url: &str, key: &str) -> Fallible<Server> {
        let host = url
            .trim_start_matches("http://")
            .trim_start_matches("ws://");
        let host = host.split('/').next().unwrap_or(host);
        let server = host
            .to_socket_addrs()?
            .next()
            .ok_or("the address has no host")?;
        Ok(Server {
            access: Access {
                protocol: Protocol::Chatsync,
                server,
                app: self.app,
                secret_key: key.to_owned(),
            },
            pid: self.pid,
            raised: Vec::new(),
            tells: true,
            started: None,
        })
    }

    /// The version of the server that is started here.
    pub(crate) fn version(&self) -> Fallible<String> {
        if self.url.is_some() {
            return Ok("running already".into());
        }
        let said = output(&self.program()?, &["--version"])?;
        Ok(said.trim_start_matches("chatsync ").to_owned())
    }

    fn program(&self) -> Fallible<PathBuf> {
        if let Some(program) = &self.server {
            return Ok(program.clone());
        }
        let program = std::env::current_exe()?.with_file_name("chatsync");
        cargo::build(&program)?;
        if program.is_file() {
            Ok(program)
        } else {
            Err(format!(
                "{} is missing: `cargo build --release --workspace` builds it",
                program.display()
            )
            .into())
        }
    }

    fn start(&self, limits: &[(&str, u64)]) -> Fallible<Server> {
        let program = self.program()?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("chatsync.toml"), settings(folder.path()))?;
        let raised: Vec<_> = limits
            .iter()
            .map(|(name, value)| (format!("limits.{name}"), value.to_string()))
            .collect();
        let variables = raised.iter().map(|(name, value)| {
            (
                format!("CHATSYNC__{}", name.to_uppercase().replace('.', "__")),
                value.clone(),
            )
        });
        let mut command = Command::new(&program);
        command
            .arg("serve")
            .arg("--config")
            .arg(folder.path().join("chatsync.toml"))
            .env("CHATSYNC__LOG__FILTER", "warn")
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log"))?);
        let mut running = Running::spawn(command, folder)?;
        let server = running
            .listening()
            .map_err(|error| format!("the server did not start: {error}"))?;
        let mut server = Server::other(Protocol::Chatsync, server, running);
        server.raised = raised;
        server.tells = true;
        Ok(server)
    }
}

impl Server {
    /// The bare hub of [`limit::sockets`](crate::limit::sockets), in a process of its own.
    pub(crate) fn bare() -> Fallible<Self> {
        // It serves for as long as this pipe is open.
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("hub")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut running = Running::spawn(command, tempfile::tempdir()?)?;
        let server = running.listening()?;
        Ok(Self::other(Protocol::Chatsync, server, running))
    }

    /// One that was started here and is ready.
    pub(crate) fn other(protocol: Protocol, server: SocketAddr, running: Running) -> Self {
        Self {
            access: Access {
                protocol,
                server,
                app: APP,
                secret_key: SECRET_KEY.into(),
            },
            pid: Some(running.pid()),
            raised: Vec::new(),
            tells: false,
            started: Some(running),
        }
    }

    /// The server's process and those that it has started; none if it is on another machine.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let mut pids: Vec<_> = self.pid.into_iter().collect();
        let mut at = 0;
        while let Some(pid) = pids.get(at) {
            // A process that has ended meanwhile has no children.
            let children =
                fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            pids.extend(
                children
                    .split_ascii_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
            at += 1;
        }
        pids
    }

    /// Turns the app's switch, with the server's own command, while it runs.
    pub(crate) fn switch(&self, on: bool) -> Fallible<()> {
        let Some(started) = &self.started else {
            return Err("the switch of a server that was not started here can't be turned".into());
        };
        let status = Command::new(&started.program)
            .args(["app", "set", "--config"])
            .arg(started.folder.path().join("chatsync.toml"))
            .args(["--app", &APP.to_string()])
            .arg(format!(
                "sync-conversation-deletion={}",
                if on { "on" } else { "off" }
            ))
            .stdout(Stdio::null())
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the switch could not be turned: {status}").into())
        }
    }

    /// Waits until the server has no more files and sockets open than `most`: until it has noticed that clients
    /// have gone. Not for one on another machine.
    pub(crate) fn wait_for_files(&self, most: usize) -> Fallible<()> {
        let Some(pid) = self.pid else { return Ok(()) };
        let began = Instant::now();
        while fs::read_dir(format!("/proc/{pid}/fd"))?.count() > most {
            if began.elapsed() > PATIENCE {
                return Err("the server does not let go of connections that were closed".into());
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The commits of the server's store so far; nothing of a server that does not tell.
    pub(crate) fn commits(&self) -> Fallible<Option<Commits>> {
        if !self.tells {
            return Ok(None);
        }
        let mut socket = TcpStream::connect(self.access.server)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // In the older version of HTTP the page ends with the connection, and is not cut into chunks.
        socket.write_all(b"GET /metrics HTTP/1.0\r\nHost: chatsync\r\n\r\n")?;
        let mut page = String::new();
        socket.read_to_string(&mut page)?;
        Ok(Commits::read(&page))
    }

    /// What the server has logged as a warning or worse.
    pub(crate) fn log(&self) -> String {
        self.started.as_ref().map_or_else(String::new, Running::log)
    }
}

impl Running {
    pub(crate) fn spawn(mut command: Command, folder: TempDir) -> Fallible<Self> {
        let program = PathBuf::from(command.get_program());
        let child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self {
            child,
            program,
            folder,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address that it prints first.
    pub(crate) fn listening(&mut self) -> Fallible<SocketAddr> {
        listening(&mut self.child).map_err(|error| format!("{error}\n{}", self.log()).into())
    }

    /// Waits until it is seen to be ready.
    pub(crate) fn wait_until<T>(&mut self, look: impl Fn() -> Option<T>) -> Fallible<T> {
        let began = Instant::now();
        loop {
            if let Some(seen) = look() {
                return Ok(seen);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("it ended, {status}\n{}", self.log()).into());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("it is not ready after a minute\n{}", self.log()).into());
            }
            thread::sleep(PAUSE);
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A server that has ended can't be killed, and nothing is lost by that.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a program prints.
pub(crate) fn output(program: &Path, arguments: &[&str]) -> Fallible<String> {
    let name = program.display();
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name}: {}: {}", output.status, error.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Reads `listening on http://ADDRESS:PORT`, the first line; the rest is read and dropped.
pub(crate) fn listening(child: &mut Child) -> Fallible<SocketAddr> {
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    let address = line
        .trim()
        .strip_prefix("listening on http://")
        .ok_or_else(|| format!("its first line is {line:?}"))?
        .parse()?;
    thread::spawn(move || {
        let mut rest = Vec::new();
        // Only so that the server can write.
        drop(output.read_to_end(&mut rest));
    });
    Ok(address)
}

/// Settings of a server whose store is in `folder`, with one app.
pub(crate) fn settings(folder: &Path) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
[store]
path = "{}"
[[bootstrap.apps]]
sdk_app_id = {APP}
secret_key = "{SECRET_KEY}"
sync_conversation_deletion = true
"#,
        folder.join("data").display()
    )
}
