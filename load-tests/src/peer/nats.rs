//! nats-server.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use super::{output, program};
use crate::Fallible;
use crate::server::{Running, Server};
use crate::wire::Protocol;

const SETTINGS: &str = include_str!("../../peers/nats.conf");

pub(super) fn version() -> Fallible<String> {
    let line = output("nats-server", &["--version"])?;
    Ok(line.rsplit(' ').next().unwrap_or(&line).to_owned())
}

pub(super) fn start() -> Fallible<Server> {
    let own = tempfile::tempdir()?;
    let file = own.path().join("nats.conf");
    let folder = own
        .path()
        .to_str()
        .ok_or("the temporary folder has a strange name")?;
    fs::write(&file, SETTINGS.replace("@FOLDER@", folder))?;
    // Its lines have no level to choose by: they are for whom it doesn't start.
    let mut command = Command::new(program("nats-server")?);
    command
        .arg("--config")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(own.path().join("log"))?);
    let mut running = Running::spawn(command, own)?;
    let ports = running
        .folder()
        .join(format!("nats-server_{}.ports", running.pid()));
    let server = running.wait_until(|| {
        let ports = fs::read(&ports).ok()?;
        // Half of it is no JSON yet.
        let ports: serde_json::Value = serde_json::from_slice(&ports).ok()?;
        websocket(&ports)
    })?;
    Ok(Server::other(Protocol::Nats, server, running))
}

/// `{"nats":["nats://127.0.0.1:1"],"websocket":["ws://127.0.0.1:2"]}`
fn websocket(ports: &serde_json::Value) -> Option<SocketAddr> {
    ports["websocket"][0]
        .as_str()?
        .strip_prefix("ws://")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_the_one_for_websockets() {
        let ports = serde_json::json!({ "nats": ["nats://127.0.0.1:1"], "websocket": ["ws://127.0.0.1:2"] });
        assert_eq!(websocket(&ports), "127.0.0.1:2".parse().ok());
    }
}
