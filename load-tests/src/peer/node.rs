//! Servers on Node.js: a script of `load-tests/peers` each.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{output, program};
use crate::Fallible;
use crate::server::{Running, Server};
use crate::wire::Protocol;

/// The version of a package, and of what runs it.
pub(super) fn version(folder: &Path, package: &str) -> Fallible<String> {
    let file = folder
        .join("node_modules")
        .join(package)
        .join("package.json");
    let described: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
    let version = described["version"].as_str().ok_or("it has no version")?;
    Ok(format!(
        "{version}, Node.js {}",
        output("node", &["--version"])?
    ))
}

pub(super) fn start(folder: &Path, script: &str, protocol: Protocol) -> Fallible<Server> {
    let own = tempfile::tempdir()?;
    let mut command = Command::new(program("node")?);
    command
        .arg(folder.join(script))
        .env("NODE_ENV", "production")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(own.path().join("log"))?);
    let mut running = Running::spawn(command, own)?;
    let server = running.listening()?;
    Ok(Server::other(protocol, server, running))
}
