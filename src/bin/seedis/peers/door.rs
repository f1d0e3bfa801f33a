//! The port for other members: accepts their connections and hands their frames to the node.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;

use seedis::ids::NodeId;
use seedis::limits::{PEER_CONTROL_FRAME_BYTES_MAX, PEER_FRAME_BYTES_MAX};
use seedis::node::greeting::{Greeting, Line, Refusal};
use seedis::node::input::Input;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task;

use super::address::{self, keepalive};
use super::handshake::{self, Failure};
use super::link::{HEAD_BYTES, Kind};
use super::strangers::Waiting;
use super::{Peers, Talker};
use crate::listener::Refusals;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 256 << 10;
/// A buffer that was needed for one long frame is not kept.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// The longest frame that a line carries, in bytes.
fn frame_bytes_max(line: Line) -> usize {
    match line {
        Line::Control => PEER_CONTROL_FRAME_BYTES_MAX,
        Line::Bulk => PEER_FRAME_BYTES_MAX,
    }
}

impl Peers {
    /// Lets members in, for ever.
    pub(crate) async fn answer(self: Rc<Self>, listener: TcpListener) {
        let mut refusals = Refusals::new("a connection of a member could not be accepted");
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    let from = address.ip().to_canonical();
                    let place = self.strangers.come(from);
                    let peers = Rc::clone(&self);
                    task::spawn_local(async move {
                        peers.let_in(stream, from, place).await;
                    });
                    // Whom it has pushed out is to be closed before the next one comes.
                    task::yield_now().await;
                }
                Err(error) => refusals.note(&error).await,
            }
        }
    }

    async fn let_in(self: Rc<Self>, mut stream: TcpStream, from: IpAddr, place: Waiting) {
        let welcomed = tokio::select! {
            welcomed = self.welcome(&mut stream, from) => welcomed,
            () = place.is_lost() => {
                Err(Failure::Lost(io::Error::other("too many connections are waiting")))
            }
        };
        drop(place);
        match welcomed {
            // One that has no number yet has said all that it has to say.
            Ok(other) if other.id != NodeId(0) => {
                let talker = (other.id, other.incarnation);
                self.listen_alone(&mut stream, talker, other.line).await;
            }
            // Mostly somebody who is no member, and does not know what this port is for.
            Err(Failure::Lost(error)) => {
                self.refused(format!(
                    "a connection from {from} did not prove to be a member: {error}"
                ));
            }
            Err(Failure::Refused(refusal)) if !refusal.passes() => {
                self.refused(format!("refused a member from {from}: {refusal}"));
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// Somebody was not let in: it is counted, and told.
    fn refused(&self, text: String) {
        if let Some(server) = self.server() {
            server.tell(Input::RefusedPeer);
        }
        self.tell(text);
    }

    async fn welcome(
        self: &Rc<Self>,
        stream: &mut TcpStream,
        from: IpAddr,
    ) -> Result<Greeting, Failure> {
        stream.set_nodelay(true)?;
        socket2::SockRef::from(&*stream).set_tcp_keepalive(&keepalive())?;
        let is_protected = !self.settings.has_secret();
        let other = handshake::answer(stream, self.settings.secret.bytes(), |other| {
            if is_protected && !address::is_here(from) {
                return Err(Refusal::Protected);
            }
            self.judge(other)
        })
        .await?;
        self.met(&other, stream.local_addr()?.ip(), from);
        Ok(other)
    }

    /// Listens to a member until the connection ends, or the member has made the same anew.
    async fn listen_alone(&self, stream: &mut TcpStream, talker: Talker, line: Line) {
        let replaced = Rc::new(Notify::new());
        let ours = Rc::clone(&replaced);
        if let Some(former) = self.heard.borrow_mut().insert((talker, line), replaced) {
            former.notify_one();
        }
        tokio::select! {
            // How a connection ends says nothing that its next beginning does not.
            _ = self.listen(stream, talker, line) => {}
            () = ours.notified() => return,
        }
        let mut heard = self.heard.borrow_mut();
        if heard
            .get(&(talker, line))
            .is_some_and(|now| Rc::ptr_eq(now, &ours))
        {
            heard.remove(&(talker, line));
        }
    }

    /// Hands the frames of a connection to the node until it ends.
    async fn listen(&self, stream: &mut TcpStream, talker: Talker, line: Line) -> io::Result<()> {
        let from = talker.0;
        let most = frame_bytes_max(line);
        let mut buffer = Vec::with_capacity(READ_BYTES.min(most));
        loop {
            // What a frame says of its length is not believed: memory comes with the bytes.
            buffer.reserve(READ_BYTES.min(most));
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..];
            while let Some((head, behind)) = rest.split_first_chunk::<HEAD_BYTES>() {
                let [a, b, c, d, kind] = *head;
                let len = u32::from_le_bytes([a, b, c, d]) as usize;
                if len == 0 || len > most {
                    self.tell(format!(
                        "member {} announces a frame of {len} bytes, which is too large",
                        from.0
                    ));
                    return Err(io::ErrorKind::InvalidData.into());
                }
                let Some((frame, behind)) = behind.split_at_checked(len - 1) else {
                    break;
                };
                if Kind::of(kind) == Some(Kind::Wants) && self.is_another(talker) {
                    // It is told so when it connects again.
                    return Ok(());
                }
                self.heard(talker, kind, frame);
                rest = behind;
            }
            let done = buffer.len() - rest.len();
            buffer.drain(..done);
            if buffer.is_empty() && buffer.capacity() > KEPT_BYTES_MAX {
                buffer = Vec::with_capacity(READ_BYTES);
            }
        }
    }

    /// Returns true if the number of a peer that wants to vote has been given to another disk.
    fn is_another(&self, (id, incarnation): Talker) -> bool {
        let members = self.server().map(|server| server.members());
        let members = members.unwrap_or_default();
        let own = members.iter().find(|(member, _)| *member == id);
        own.is_some_and(|(_, life)| *life != incarnation)
    }

    fn heard(&self, (from, incarnation): Talker, kind: u8, frame: &[u8]) {
        let Some(server) = self.server() else {
            return;
        };
        match Kind::of(kind) {
            Some(Kind::Raft) => server.tell(Input::Message { from, frame }),
            Some(Kind::Wants) => server.tell(Input::Wants {
                id: from,
                incarnation,
            }),
            Some(Kind::Told) => server.tell(Input::Told { from, frame }),
            // A newer version says what this one does not know.
            None => {}
        }
    }
}
