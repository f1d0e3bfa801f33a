//! A client's socket: TCP or Unix.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// How many pieces of what a client is owed are written at a time: replies, and messages between
/// them.
const PIECES_MAX: usize = 64;
/// How long a client that was told to go is still read.
const PARTING_TIME: Duration = Duration::from_secs(1);
/// And how much of it.
const PARTING_BYTES: usize = 1 << 20;
/// How many clients are parted from in this way at a time; the others are closed.
const PARTING_MAX: usize = 128;

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

    /// Ends when the other side is gone or, where that is asked for, will send nothing more;
    /// without reading what it may have sent before. True: it is gone.
    pub(crate) async fn hung_up(&self, ends_too: bool) -> io::Result<bool> {
        // What counts as ready for PRIORITY is the end of input and urgent data, which the socket
        // is not registered for; for READABLE it would be the bytes too that are left unread.
        let interest = if ends_too {
            Interest::ERROR | Interest::PRIORITY
        } else {
            Interest::ERROR
        };
        let ready = match self {
            Self::Tcp(stream) => stream.ready(interest).await?,
            Self::Unix(stream) => stream.ready(interest).await?,
        };
        debug_assert!(ready.is_error() || ready.is_read_closed() || ready.is_write_closed());
        Ok(ready.is_error() || ready.is_write_closed())
    }

    /// The address that the client came to, as the node shows it.
    pub(crate) fn local(&self) -> String {
        match self {
            Self::Tcp(stream) => match stream.local_addr() {
                Ok(address) => address.to_string(),
                Err(_) => String::new(),
            },
            Self::Unix(stream) => {
                let address = stream.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                path.map_or_else(String::new, |path| format!("{}:0", path.display()))
            }
        }
    }

    /// The number of the socket in this process.
    pub(crate) fn descriptor(&self) -> i32 {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Unix(stream) => stream.as_raw_fd(),
        }
    }

    /// Ends a conversation so that the last words arrive: says that nothing more comes, and reads
    /// on for a moment. A socket that is closed while it holds unread bytes is reset, and with it
    /// goes what the other side has not read.
    pub(crate) async fn part(&self) {
        static PARTING: AtomicUsize = AtomicUsize::new(0);
        if self.end().is_err() {
            return;
        }
        if PARTING.fetch_add(1, Ordering::Relaxed) < PARTING_MAX {
            let _ = tokio::time::timeout(PARTING_TIME, self.drain()).await;
        }
        PARTING.fetch_sub(1, Ordering::Relaxed);
    }

    /// Says that nothing more comes.
    pub(crate) fn end(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => socket2::SockRef::from(stream).shutdown(Shutdown::Write),
            Self::Unix(stream) => socket2::SockRef::from(stream).shutdown(Shutdown::Write),
        }
    }

    /// Reads and forgets, until the other side is done or has said enough.
    async fn drain(&self) {
        let (mut buffer, mut left) = ([0; 4096], PARTING_BYTES);
        while left > 0 && self.readable().await.is_ok() {
            match self.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
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

    /// Writes pieces behind one another as far as the socket takes them, and so many at most. How
    /// many bytes it took, and whether these were all of those; nothing where there is no piece.
    pub(crate) fn try_write_pieces<'a>(
        &self,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Option<io::Result<(usize, bool)>> {
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        let (mut filled, mut bytes) = (0, 0);
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            filled += 1;
            bytes += piece.len();
        }
        let slices = &slices[..filled];
        let written = match (filled, self) {
            (0, _) => return None,
            (_, Self::Tcp(stream)) => stream.try_write_vectored(slices),
            (_, Self::Unix(stream)) => stream.try_write_vectored(slices),
        };
        Some(written.map(|count| (count, count == bytes)))
    }
}
