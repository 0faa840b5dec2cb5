//! Opening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// Ports of an address that are used, once each: those of connections just closed can't be taken for a minute. They
/// are named one by one, for the kernel takes a millisecond to find a free one; none is in its own range.
const PER_ADDRESS: u16 = 10_000;
const FIRST_PORT: u16 = 20_000;

/// Begins to connect, without blocking.
///
/// Towards loopback each 10,000 connections that a process opens come from an address of their own, and no two
/// processes share one: else the ports of a single address would run out.
pub(crate) fn connect(server: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(server),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source(server.ip(), number, std::process::id()) {
        // A process of the same P may have had this port a moment ago, towards another server.
        socket.set_reuse_address(true)?;
        socket.bind(&source.into())?;
    }
    match socket.connect(&server.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// 127.P.x.y: P by the process, x.y by how many it has opened.
fn source(server: IpAddr, number: usize, process: u32) -> Option<SocketAddr> {
    if !matches!(server, IpAddr::V4(server) if server.is_loopback()) {
        return None;
    }
    let process = u8::try_from(1 + process % 250).ok()?;
    let range = 1 + number / usize::from(PER_ADDRESS) % usize::from(u16::MAX - 1);
    let [high, low] = u16::try_from(range).ok()?.to_be_bytes();
    let port = FIRST_PORT + u16::try_from(number % usize::from(PER_ADDRESS)).ok()?;
    Some((Ipv4Addr::new(127, process, high, low), port).into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;

    use super::*;

    /// A run failed that came within a minute of another one, by a process whose number was 250 higher: all its ports
    /// were said to be in use.
    #[test]
    fn a_port_that_was_just_used_towards_another_server_can_be_used() {
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = connect(listener.local_addr().unwrap(), 9_999_999).unwrap();
            let (mut accepted, _) = listener.accept().unwrap();
            // Whoever closes first keeps the port for a minute.
            drop(client);
            assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn each_10_000_connections_and_each_process_have_an_address_of_their_own() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let is = |text: &str| Some(text.parse().unwrap());
        assert_eq!(source(loopback, 9_999, 7), is("127.8.0.1:29999"));
        assert_eq!(source(loopback, 10_000, 7), is("127.8.0.2:20000"));
        assert_eq!(source(loopback, 9_999, 8), is("127.9.0.1:29999"));
        assert_eq!(source([10, 0, 0, 1].into(), 20_000, 7), None);
    }
}
