//! Where other members come in: their frames are handed to the node.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use seedis::ids::NodeId;
use seedis::node::greeting::Refusal;
use seedis::node::input::Input;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task;

use super::Peers;
use super::handshake::{self, Failure};
use super::link::{HEAD_BYTES, Kind, keepalive};

/// The longest frame, in bytes: an entry holds one command of a client at least, and that may be
/// as long as a client may make it.
const FRAME_BYTES_MAX: usize = 3 << 30;
/// How much is read at a time, in bytes.
const READ_BYTES: usize = 256 << 10;
/// A buffer that was needed for one long frame is not kept.
const KEPT_BYTES_MAX: usize = 4 << 20;

impl Peers {
    /// Lets members in, for ever.
    pub(crate) async fn answer(self: Rc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    let peers = Rc::clone(&self);
                    task::spawn_local(async move {
                        peers.let_in(stream, address.ip().to_canonical()).await;
                    });
                }
                Err(error) => {
                    tracing::warn!("a member could not be let in: {error}");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    async fn let_in(self: Rc<Self>, mut stream: TcpStream, from: IpAddr) {
        match self.welcome(&mut stream, from).await {
            // How a connection ends says nothing that its next beginning does not.
            Ok(id) => drop(self.listen(&mut stream, id).await),
            Err(Failure::Lost(error)) => tracing::debug!("{from} came and went: {error}"),
            Err(Failure::Refused(refusal)) if refusal.passes() => {}
            Err(Failure::Refused(refusal)) => {
                if let Some(server) = self.server() {
                    server.tell(Input::RefusedPeer);
                }
                self.tell(format!("a member from {from} is refused: {refusal}"));
            }
            Err(Failure::TurnedAway(_)) => {}
        }
    }

    async fn welcome(
        self: &Rc<Self>,
        stream: &mut TcpStream,
        from: IpAddr,
    ) -> Result<NodeId, Failure> {
        stream.set_nodelay(true)?;
        socket2::SockRef::from(&*stream).set_tcp_keepalive(&keepalive())?;
        let is_protected = self.settings.secret.is_empty() && !self.settings.open;
        let other = handshake::answer(stream, &self.settings.secret, |other| {
            if is_protected && !from.is_loopback() {
                return Err(Refusal::Protected);
            }
            self.judge(other)
        })
        .await?;
        self.met(&other, stream.local_addr()?.ip(), from);
        Ok(other.id)
    }

    /// Hands the frames of a connection to the node until it ends.
    async fn listen(&self, stream: &mut TcpStream, from: NodeId) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        loop {
            buffer.reserve(READ_BYTES);
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..];
            while let Some((head, behind)) = rest.split_first_chunk::<HEAD_BYTES>() {
                let [a, b, c, d, kind] = *head;
                let len = u32::from_le_bytes([a, b, c, d]) as usize;
                if len == 0 || len > FRAME_BYTES_MAX {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                let Some((frame, behind)) = behind.split_at_checked(len - 1) else {
                    break;
                };
                self.heard(from, kind, frame);
                rest = behind;
            }
            let done = buffer.len() - rest.len();
            buffer.drain(..done);
            if buffer.is_empty() && buffer.capacity() > KEPT_BYTES_MAX {
                buffer = Vec::with_capacity(READ_BYTES);
            }
        }
    }

    fn heard(&self, from: NodeId, kind: u8, frame: &[u8]) {
        let Some(server) = self.server() else {
            return;
        };
        match Kind::of(kind) {
            Some(Kind::Raft) => server.tell(Input::Message { from, frame }),
            Some(Kind::Wants) => server.tell(Input::Wants { id: from }),
            // A newer version says what this one does not know.
            None => {}
        }
    }
}
