//! One connection to another member, made again whenever it breaks.

use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seedis::ids::NodeId;
use seedis::limits::TOLD_BYTES_MAX;
use seedis::node::effect::may_be_repeated;
use seedis::node::greeting::{Line, Refusal};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::Peers;
use super::address;
use super::beat::{Wire, lock};
use super::handshake::{self, Failure};

/// How long it takes until a member that could not be reached is dialled again: at first, at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// How long a member that has refused this one is left alone.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// How many bytes may wait for a slow member before more is dropped. Raft's own limits are lower;
/// this one is for its mistakes.
const QUEUE_BYTES_MAX: usize = 64 << 20;
/// The head of a frame: the length of what follows, kind included, and the kind.
pub(super) const HEAD_BYTES: usize = 5;

/// The content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message of Raft.
    Raft,
    /// The sender wants to vote in the group.
    Wants,
    /// Messages for subscribers.
    Told,
}

impl Kind {
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Raft),
            1 => Some(Self::Wants),
            2 => Some(Self::Told),
            _ => None,
        }
    }
}

/// The frames to one member over one of the connections.
#[derive(Debug)]
pub(super) struct Link {
    to: NodeId,
    pub(super) line: Line,
    wire: Arc<Mutex<Wire>>,
    is_up: Cell<bool>,
    /// It is to be given up: the member has left the group.
    pub(super) is_over: Cell<bool>,
    changed: Notify,
}

impl Link {
    pub(super) fn new(to: NodeId, line: Line) -> Self {
        Self {
            to,
            line,
            wire: Wire::new(),
            is_up: Cell::new(false),
            is_over: Cell::new(false),
            changed: Notify::new(),
        }
    }

    /// Sends a frame, or drops it where it could not leave soon.
    pub(super) fn send(&self, kind: Kind, frame: Vec<u8>) {
        let mut wire = lock(&self.wire);
        let bytes = wire.queued_bytes + frame.len();
        let Ok(len) = u32::try_from(frame.len() + 1) else {
            return;
        };
        if !self.is_up.get() || bytes > QUEUE_BYTES_MAX && bytes > frame.len() {
            return;
        }
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(&len.to_le_bytes());
        head[4] = kind as u8;
        let repeats = kind == Kind::Raft && may_be_repeated(&frame);
        wire.push(head, frame, repeats);
        self.changed.notify_one();
    }

    /// Sends messages for subscribers; false where too much waits already, or nothing can leave.
    pub(super) fn tell(&self, frame: &[u8]) -> bool {
        let waits = lock(&self.wire).queued_bytes;
        let goes = self.is_up.get() && (waits == 0 || waits + frame.len() <= TOLD_BYTES_MAX);
        if goes {
            self.send(Kind::Told, frame.to_vec());
        }
        goes
    }

    pub(super) fn give_up(&self) {
        self.is_over.set(true);
        self.changed.notify_one();
    }

    /// Sends what comes until the connection breaks.
    async fn pump(&self, stream: &TcpStream) -> io::Result<()> {
        loop {
            if self.is_over.get() {
                return Ok(());
            }
            if lock(&self.wire).queue.is_empty() {
                tokio::select! {
                    () = self.changed.notified() => {}
                    // The other side says nothing here: what can be read is the end.
                    ready = stream.readable() => {
                        ready?;
                        let mut byte = [0];
                        match stream.try_read(&mut byte) {
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                            Err(error) => return Err(error),
                            Ok(_) => return Ok(()),
                        }
                    }
                }
                continue;
            }
            let written = lock(&self.wire).write(|slices| stream.try_write_vectored(slices));
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stream.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The connection that frames leave by from now on.
    fn connect(&self, stream: Option<&TcpStream>) {
        let again = stream.and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
        lock(&self.wire).connect(again.map(Into::into));
    }
}

/// Keeps a connection to a member for as long as it is known.
pub(super) async fn keep(peers: Rc<Peers>, link: Rc<Link>) {
    let mut back_off = BACK_OFF.0;
    while !link.is_over.get() {
        let outcome = match open(&peers, &link).await {
            Ok(stream) => {
                back_off = BACK_OFF.0;
                link.connect(Some(&stream));
                link.is_up.set(true);
                let ended = link.pump(&stream).await;
                link.is_up.set(false);
                link.connect(None);
                ended.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        let to = link.to.0;
        match outcome {
            Ok(()) => {}
            Err(Failure::Lost(error)) => tracing::debug!("cannot reach member {to}: {error}"),
            Err(Failure::NotYet(why)) => tracing::debug!("member {to} is not ready: {why}"),
            Err(Failure::Refused(refusal)) if refusal.passes() => {}
            Err(Failure::Refused(refusal)) => {
                peers.tell(format!("refused member {to}: {refusal}"));
                back_off = PAUSE_AFTER_REFUSAL;
            }
            Err(Failure::TurnedAway(why)) => {
                peers.tell(format!("member {to} refused this member: {why}"));
                back_off = PAUSE_AFTER_REFUSAL;
            }
        }
        tokio::time::sleep(back_off).await;
        back_off = (back_off * 2).min(BACK_OFF.1);
    }
}

async fn open(peers: &Rc<Peers>, link: &Link) -> Result<TcpStream, Failure> {
    let address = peers.state.borrow().roster.contacts.get(&link.to).cloned();
    let address = address.ok_or(io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let own = peers.greeting(link.line).ok_or(Refusal::NotReady)?;
    let has_secret = peers.settings.has_secret();
    let mut stream = address::connect(&address, has_secret).await?;
    let other = handshake::dial(&mut stream, peers.settings.secret.bytes(), &own).await?;
    if other.id != link.to {
        let (wanted, found) = (link.to, other.id);
        return Err(Refusal::OtherNumber { wanted, found }.into());
    }
    peers.judge(&other)?;
    let (here, there) = (stream.local_addr()?.ip(), stream.peer_addr()?.ip());
    peers.met(&other, here, there);
    Ok(stream)
}
