//! What a session needs of a socket.

use std::fmt;
use std::io::{self, IoSlice, Read as _};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::Interest;
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
            let mut read = 0;
            let outcome = self.try_io(Interest::READABLE, || {
                read = (&*SockRef::from(self)).read(buffer)?;
                // There was no more than that: told now, it saves a call that finds nothing.
                if 0 < read && read < buffer.len() {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(())
            });
            match outcome {
                Err(error) if read == 0 => {
                    if error.kind() != io::ErrorKind::WouldBlock {
                        return Poll::Ready(Err(error));
                    }
                }
                _ => return Poll::Ready(Ok(read)),
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
            match gathered(self, parts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        gathered(self, parts)
    }

    fn shut(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }
}

/// What is written in one piece if it has no more bytes than this.
const SMALL: usize = 1024;

/// Writes parts by the cheaper way: `writev` costs the kernel a tenth more than `send`, far more than copying a short
/// frame.
fn gathered(socket: &TcpStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut bytes = [0; SMALL];
    let mut length = 0;
    for part in parts {
        let Some(place) = bytes.get_mut(length..length + part.len()) else {
            return socket.try_write_vectored(parts);
        };
        place.copy_from_slice(part);
        length += part.len();
    }
    socket.try_write(&bytes[..length])
}
