//! One device's connection.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::time::Instant;

use mio::net::TcpStream;

use super::frame::Parser;
use super::order::Resume;
use crate::wire::Who;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Closed,
    Connecting,
    Shaking,
    LoggingIn,
    Ready,
}

/// A device, connected or not. Small while nothing happens: tens of thousands of them wait.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) who: Who,
    pub(crate) stage: Stage,
    pub(crate) socket: Option<TcpStream>,
    pub(crate) parser: Parser,
    /// The answer to the handshake as far as it is there.
    pub(crate) head: Vec<u8>,
    /// What the socket did not take yet.
    output: Vec<u8>,
    /// When it was to begin to connect.
    pub(crate) intended: Instant,
    /// Where to resume.
    pub(crate) cursor: Option<String>,
    /// What this connection's login brings along.
    pub(crate) resume: Resume,
    /// The cursor to go back to once the device has caught up.
    pub(crate) anchor: Option<String>,
    /// Up to where the device had its circle's messages when it was last connected.
    pub(crate) circle_at: Option<u64>,
    /// Calls that wait for an answer.
    pub(crate) waiting: u32,
    /// Reads nothing while set.
    pub(crate) stalled: bool,
    /// It did not read for a while: the server may close it.
    pub(crate) excused: bool,
}

impl Connection {
    pub(crate) fn new(who: Who) -> Self {
        Self {
            who,
            stage: Stage::Closed,
            socket: None,
            parser: Parser::default(),
            head: Vec::new(),
            output: Vec::new(),
            intended: Instant::now(),
            cursor: None,
            resume: Resume::Nothing,
            anchor: None,
            circle_at: None,
            waiting: 0,
            stalled: false,
            excused: false,
        }
    }

    /// Forgets the socket, which closes it.
    pub(crate) fn reset(&mut self) {
        self.stage = Stage::Closed;
        self.socket = None;
        self.parser = Parser::default();
        self.head = Vec::new();
        self.output = Vec::new();
        self.stalled = false;
        self.excused = false;
    }

    /// Writes now what the socket takes, and the rest later.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.output.is_empty() {
            self.write_some(bytes)?
        } else {
            0
        };
        self.output.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// The socket takes more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let output = std::mem::take(&mut self.output);
        let written = self.write_some(&output)?;
        self.output.extend_from_slice(&output[written..]);
        Ok(())
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(socket) = &mut self.socket else {
            return Ok(bytes.len());
        };
        let mut written = 0;
        while written < bytes.len() {
            match socket.write(&bytes[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Reads once; none if there is nothing now, 0 at the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(socket) = &mut self.socket else {
            return Ok(None);
        };
        loop {
            match socket.read(buffer) {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
