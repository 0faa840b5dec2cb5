//! What a session needs of a socket.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::net::TcpStream;

/// A stream of bytes that is read by one task and written by whoever has the turn; a pipe can play it in tests.
pub trait Socket: fmt::Debug + Send + Sync + 'static {
    /// Reads some bytes; 0 is the end.
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes as much as goes, and at least a byte.
    fn poll_write(
        &self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// As [`poll_write`](Self::poll_write), with [`WouldBlock`](io::ErrorKind::WouldBlock) rather than a wake-up.
    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Says that nothing more will be written.
    fn shut(&self) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_read_ready(context))?;
            match self.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    fn poll_write(
        &self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(context))?;
            match self.try_write_vectored(parts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_write_vectored(parts)
    }

    fn shut(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }
}
