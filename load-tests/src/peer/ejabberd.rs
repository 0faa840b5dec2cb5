//! ejabberd, without distribution: no node name, so no daemon that maps names to ports.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{output, program};
use crate::Fallible;
use crate::server::{Running, Server};
use crate::wire::Protocol;
use crate::wire::xmpp::{DOMAIN, PASSWORD, user};

const SETTINGS: &str = include_str!("../../peers/ejabberd.yml");
/// For it to take in all accounts.
const IMPORT: Duration = Duration::from_mins(5);

pub(super) fn version() -> Fallible<String> {
    let version = output(
        "dpkg-query",
        &["--show", "--showformat=${Version}", "ejabberd"],
    )?;
    let otp = "io:put_chars(erlang:system_info(otp_release)), halt().";
    Ok(format!(
        "{version}, Erlang/OTP {}",
        output("erl", &["-noshell", "-eval", otp])?
    ))
}

/// Where the package's modules are, which Erlang must be told.
fn libraries() -> Fallible<String> {
    let files = output("dpkg-query", &["--listfiles", "ejabberd"])?;
    let module = "/ejabberd.app";
    let file = files
        .lines()
        .find(|file| file.ends_with(module))
        .ok_or("the package ejabberd has no module of that name")?;
    // …/ejabberd-VERSION/ebin/ejabberd.app
    let folder = Path::new(file).ancestors().nth(3).and_then(Path::to_str);
    Ok(folder.ok_or("its path is strange")?.to_owned())
}

pub(super) fn start(accounts: u32) -> Fallible<Server> {
    let own = tempfile::tempdir()?;
    let folder = own.path().to_path_buf();
    let address = free()?;
    fs::write(
        folder.join("ejabberd.yml"),
        SETTINGS.replace("@PORT@", &address.port().to_string()),
    )?;
    fs::write(folder.join("accounts.xml"), piefxis(accounts))?;
    let mut command = Command::new(program("erl")?);
    command
        // As `ejabberdctl` has them.
        .args(["+K", "true", "+P", "250000", "-noinput", "-mnesia", "dir"])
        .arg(format!("\"{}\"", folder.join("store").display()))
        .args(["-s", "ejabberd"])
        .env("ERL_MAX_PORTS", "32000")
        .env("ERL_MAX_ETS_TABLES", "1400")
        .env("ERL_LIBS", libraries()?)
        .env("ERL_CRASH_DUMP_BYTES", "0")
        .env("HOME", &folder)
        .env("EJABBERD_CONFIG_PATH", folder.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", folder.join("ejabberd.log"))
        .stdin(Stdio::null())
        .stdout(File::create(folder.join("log"))?)
        .stderr(Stdio::null());
    let mut running = Running::spawn(command, own)?;
    running.wait_until(|| TcpStream::connect(address).ok())?;
    import(address, &folder.join("accounts.xml"))?;
    Ok(Server::other(Protocol::Xmpp, address, running))
}

/// A port that is free now: ejabberd can't choose one and say which.
fn free() -> Fallible<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// The accounts in the format of XEP-0227.
fn piefxis(accounts: u32) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<server-data xmlns=\"urn:xmpp:pie:0\"><host jid=\"{DOMAIN}\">\n"
    );
    for account in 0..accounts {
        // Writing to a String cannot fail.
        _ = writeln!(
            out,
            "<user name=\"{}\" password=\"{PASSWORD}\"/>",
            user(account)
        );
    }
    out.push_str("</host></server-data>\n");
    out
}

/// Has it take in the accounts, with the API's command for that.
fn import(address: SocketAddr, file: &Path) -> Fallible<()> {
    let body = serde_json::json!({ "file": file }).to_string();
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(IMPORT))?;
    write!(
        socket,
        "POST /api/import_piefxis HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n0") {
        Ok(())
    } else {
        Err(format!("the accounts could not be made: {answer}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_in_the_file_to_import() {
        let file = piefxis(3);
        assert_eq!(file.matches("<user name=").count(), 3);
        assert!(file.contains("<user name=\"u2\" password=\"of-no-use\"/>"));
    }
}
