//! A client's socket: TCP or Unix.

use std::io;

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

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
            Self::Unix(stream) => stream.try_read(buffer),
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }
}
