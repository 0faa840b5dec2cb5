//! Installing the peers: packages of Debian's with `apt-get`, of npm's with `npm ci`. What is there already is left
//! alone; where something is missing and can't be installed, the error says what.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use super::Peer;
use crate::Fallible;

/// Debian starts a service with its package unless this says no. It is there for the time of installing.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const NO: &str = "#!/bin/sh\nexit 101\n";

impl Peer {
    /// Programs that must be there, each with Debian's package.
    fn programs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::SocketIo | Self::Ws | Self::Uwebsockets => &[("node", "nodejs"), ("npm", "npm")],
            Self::Ejabberd => &[("ejabberdctl", "ejabberd"), ("erl", "erlang-base")],
            Self::Nats => &[("nats-server", "nats-server")],
        }
    }
}

/// Makes `peers` ready to run; `folder` is that of the servers on Node.js.
pub(crate) fn install(peers: &[Peer], folder: &Path) -> Fallible<()> {
    let mut packages: Vec<_> = peers
        .iter()
        .flat_map(|peer| peer.programs())
        .filter(|(program, _)| !is_there(program))
        .map(|(_, package)| *package)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    if !packages.is_empty() {
        debian(&packages)?;
    }
    let is_on_node = |peer: &Peer| {
        peer.programs()
            .iter()
            .any(|(program, _)| *program == "node")
    };
    if peers.iter().any(is_on_node) {
        npm(folder)?;
    }
    Ok(())
}

fn is_there(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program is.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        // Where Debian keeps servers, and other users than root don't look.
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn debian(packages: &[&str]) -> Fallible<()> {
    let packages_named = packages.join(" ");
    if !is_there("apt-get") || !rustix::process::geteuid().is_root() {
        return Err(format!(
            "missing: {packages_named}. Install them (on Debian, as root: apt-get install {packages_named}), \
             or name peers that are there with --peer"
        )
        .into());
    }
    let _denied = Denied::new()?;
    run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    run(Command::new("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// While it lives, installing starts no service.
struct Denied {
    is_ours: bool,
}

impl Denied {
    fn new() -> Fallible<Self> {
        // One that is there already has its reasons.
        let is_ours = !Path::new(POLICY).exists();
        if is_ours {
            fs::write(POLICY, NO)?;
            fs::set_permissions(POLICY, Permissions::from_mode(0o755))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for Denied {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("{POLICY} is left behind: {error}");
        }
    }
}

/// The packages that the lock names, unless they are there.
fn npm(folder: &Path) -> Fallible<()> {
    let lock = folder.join("package-lock.json");
    let wanted = changed(&lock).ok_or_else(|| {
        format!(
            "no {}: run this from the repository, or name the folder with --peers-folder",
            lock.display()
        )
    })?;
    if changed(&folder.join("node_modules/.package-lock.json")).is_some_and(|there| there >= wanted)
    {
        return Ok(());
    }
    run(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--silent"])
        .current_dir(folder))
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

fn run(command: &mut Command) -> Fallible<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    // What it says goes where the reports don't.
    let output = command
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} failed, {}: {}", output.status, said.trim()).into())
}
