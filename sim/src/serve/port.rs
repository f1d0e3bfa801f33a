//! The real port of a simulated group: sockets that are looked at, and never waited for.

#![expect(
    clippy::disallowed_types,
    reason = "the only sockets of the simulator; what comes is given to a world that knows none"
)]

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use super::session::Given;

/// One real client.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    /// The bytes that are still to be sent.
    out: Vec<u8>,
    /// Nothing more will be sent behind that.
    closing: bool,
}

/// The port and all who have come.
#[derive(Debug)]
pub(super) struct Port {
    listener: TcpListener,
    lines: BTreeMap<u64, Line>,
    last: u64,
}

impl Port {
    /// Listens on this machine alone.
    pub(super) fn open(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            lines: BTreeMap::new(),
            last: 0,
        })
    }

    /// The address on which it listens.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The input since the last time.
    pub(super) fn given(&mut self) -> Vec<Given> {
        let mut given = Vec::new();
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                self.last += 1;
                let (out, closing) = (Vec::new(), false);
                let line = Line {
                    stream,
                    out,
                    closing,
                };
                self.lines.insert(self.last, line);
                given.push(Given::Comes(self.last));
            }
        }
        let mut gone = Vec::new();
        for (number, line) in &mut self.lines {
            let mut bytes = [0; 16 << 10];
            match line.stream.read(&mut bytes) {
                Ok(0) => gone.push(*number),
                Ok(count) => given.push(Given::Sends(*number, bytes[..count].to_vec())),
                Err(error) if is_later(&error) => {}
                Err(_) => gone.push(*number),
            }
        }
        for number in gone {
            self.lines.remove(&number);
            given.push(Given::Goes(number));
        }
        given
    }

    /// Something is to be sent to a client, which is closed behind that if it is to be.
    pub(super) fn send(&mut self, number: u64, bytes: &[u8], closing: bool) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.out.extend_from_slice(bytes);
            line.closing |= closing;
        }
    }

    /// Writes what the sockets take. A guest that is to be closed is, and comes back as gone.
    pub(super) fn flush(&mut self) -> Vec<Given> {
        let mut gone = Vec::new();
        for (number, line) in &mut self.lines {
            let is_open = match line.stream.write(&line.out) {
                Ok(count) => {
                    line.out.drain(..count);
                    true
                }
                Err(error) => is_later(&error),
            };
            if !is_open || line.closing && line.out.is_empty() {
                gone.push(*number);
            }
        }
        for number in &gone {
            self.lines.remove(number);
        }
        gone.into_iter().map(Given::Goes).collect()
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
