//! One connection that never blocks: what is to be sent, and what has come.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::replies::Replies;
use crate::failure::{Failure, Result};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection of the generator.
pub(super) struct Connection {
    stream: TcpStream,
    /// Bytes that the socket has not taken yet begin at `sent`.
    out: Vec<u8>,
    sent: usize,
    replies: Replies,
}

impl Connection {
    /// Connects, and asks to be told under this number when something has come.
    pub(super) fn open(address: SocketAddr, registry: &Registry, number: usize) -> Result<Self> {
        let stream = std::net::TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)
            .map_err(|error| Failure::from(error).during("the server takes no connection"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(number), both)?;
        Ok(Self {
            stream,
            out: Vec::new(),
            sent: 0,
            replies: Replies::default(),
        })
    }

    /// Adds bytes to what is sent with the next flush.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Sends as much as the socket takes.
    pub(super) fn flush(&mut self) -> Result<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(0) => return Err(closed()),
                Ok(taken) => self.sent += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(error)),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }

    /// Does what an event asks for: reads what has come, and sends what the socket had no room for.
    /// Returns how many replies have become whole.
    pub(super) fn ready(&mut self, event: &Event, buffer: &mut [u8]) -> Result<u64> {
        let mut whole = self.read(buffer)?;
        if event.is_read_closed() {
            // The end may have come together with the last bytes: no other event will tell it.
            whole += self.read(buffer)?;
        }
        self.flush()?;
        Ok(whole)
    }

    /// Reads what has come, through a buffer that all connections share, and returns how many
    /// replies have become whole.
    fn read(&mut self, buffer: &mut [u8]) -> Result<u64> {
        let mut whole = 0;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(closed()),
                Ok(length) => {
                    whole += self.replies.take(&buffer[..length])?;
                    // Less than there was room for: the socket is empty, and what comes later is
                    // another event.
                    if length < buffer.len() {
                        return Ok(whole);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(whole),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(error)),
            }
        }
    }
}

fn closed() -> Failure {
    Failure::new("the server has closed a connection")
}

fn lost(error: std::io::Error) -> Failure {
    Failure::from(error).during("the server has closed a connection")
}
