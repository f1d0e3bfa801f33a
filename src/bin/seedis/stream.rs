//! A client's socket: TCP or Unix.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// One connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }

    /// Ends when the other side has closed, without reading what it may have sent before.
    pub(crate) async fn hung_up(&self) -> io::Result<()> {
        let ready = match self {
            Self::Tcp(stream) => stream.ready(Interest::ERROR).await?,
            Self::Unix(stream) => stream.ready(Interest::ERROR).await?,
        };
        debug_assert!(ready.is_error() || ready.is_read_closed() || ready.is_write_closed());
        Ok(())
    }

    /// Reads what has come. A read that leaves room has taken everything: then the socket counts as
    /// empty at once, without a second call that would only say so (epoll(7), "edge-triggered").
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut outcome = Err(io::ErrorKind::WouldBlock.into());
        let mut read = |fd: BorrowedFd<'_>| match rustix::io::read(fd, &mut *buffer) {
            Ok(count) if count > 0 && count < buffer.len() => {
                outcome = Ok(count);
                Err(io::ErrorKind::WouldBlock.into())
            }
            full_or_failed => full_or_failed.map_err(io::Error::from),
        };
        let tried = match self {
            Self::Tcp(stream) => stream.try_io(Interest::READABLE, || read(stream.as_fd())),
            Self::Unix(stream) => stream.try_io(Interest::READABLE, || read(stream.as_fd())),
        };
        match tried {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => outcome,
            tried => tried,
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }
}
