//! Heartbeats while the loop is busy: a thread says again what the node has said last.
//!
//! A turn may take long whatever is done about it: a command that is one piece of work, a page
//! that is read from a slow disk. Others would take the silence for a death. So a thread repeats
//! the last heartbeat to each member, or the last answer to one, as long as the loop stands in one
//! turn, and no longer than `STANDS_MAX`. It says nothing new: a network may double any frame at
//! any time, and a doubled heartbeat confirms the round, the commit and the token that it names,
//! which are those of the time when the node made it. A process that is stopped repeats nothing.
#![expect(
    clippy::disallowed_types,
    reason = "the thread measures how long the loop stands, and writes where the loop would write"
)]

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::link::HEAD_BYTES;

/// How often the thread looks at the loop.
const LOOK: Duration = Duration::from_millis(20);
/// How long a turn takes at least until its member's heartbeats are repeated.
const STANDS_MIN: Duration = Duration::from_millis(60);
/// How long a turn takes at most until its member is given up. A longer one may never end.
const STANDS_MAX: Duration = Duration::from_secs(3);
/// A heartbeat is repeated in the turn that follows so closely on it.
const FRESH: Duration = Duration::from_millis(100);
/// How often it is repeated.
const AGAIN: Duration = Duration::from_millis(40);
/// How many pieces go into one system call.
const SLICES: usize = 64;

/// The time since which the loop of this process is awake, in milliseconds since `BEGAN`; 0: it
/// sleeps.
static AWAKE_SINCE_MS: AtomicU64 = AtomicU64::new(0);
/// When the last turn ended.
static TURN_ENDED_MS: AtomicU64 = AtomicU64::new(0);
/// The connections that the thread writes to.
static WIRES: Mutex<Vec<Arc<Mutex<Wire>>>> = Mutex::new(Vec::new());
static BEGAN: OnceLock<Instant> = OnceLock::new();

fn now_ms() -> u64 {
    let began = BEGAN.get_or_init(Instant::now);
    began.elapsed().as_millis() as u64 + 1
}

/// The loop has something to do.
pub(crate) fn loop_wakes() {
    AWAKE_SINCE_MS.store(now_ms(), Ordering::Relaxed);
}

/// The loop waits for something to do.
pub(crate) fn loop_sleeps() {
    AWAKE_SINCE_MS.store(0, Ordering::Relaxed);
}

/// A turn is over: what is ready is looked at before the next.
pub(crate) fn turn_ended() {
    TURN_ENDED_MS.store(now_ms(), Ordering::Relaxed);
}

/// Since when the loop stands in one turn, if it stands in one.
fn stands_since() -> Option<u64> {
    let awake = AWAKE_SINCE_MS.load(Ordering::Relaxed);
    let ended = TURN_ENDED_MS.load(Ordering::Relaxed);
    (awake != 0).then(|| awake.max(ended))
}

/// Frames on their way to one member over one connection.
#[derive(Debug, Default)]
pub(super) struct Wire {
    stream: Option<TcpStream>,
    pub(super) queue: VecDeque<([u8; HEAD_BYTES], Vec<u8>)>,
    pub(super) queued_bytes: usize,
    /// So much of the first frame has left.
    sent: usize,
    /// The last heartbeat or answer to one, and when the node said it.
    beat: Option<(u64, Vec<u8>)>,
    /// When something last left.
    wrote_ms: u64,
}

impl Wire {
    /// A new one, known to the thread for as long as it is used.
    pub(super) fn new() -> Arc<Mutex<Self>> {
        let wire = Arc::new(Mutex::new(Self::default()));
        lock(&WIRES).push(Arc::clone(&wire));
        wire
    }

    /// A connection begins, or ends; what was to leave over the last one is dropped.
    pub(super) fn connect(&mut self, stream: Option<TcpStream>) {
        *self = Self {
            stream,
            ..Self::default()
        };
    }

    pub(super) fn push(&mut self, head: [u8; HEAD_BYTES], frame: Vec<u8>, repeats: bool) {
        if repeats {
            self.beat = Some((now_ms(), [&head[..], &frame[..]].concat()));
        }
        self.queued_bytes += frame.len();
        self.queue.push_back((head, frame));
    }

    /// Writes as much of the queue as `write` takes at once.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let pieces = self
            .queue
            .iter()
            .flat_map(|(head, frame)| [&head[..], &frame[..]]);
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut filled, mut skip) = (0, self.sent);
        for piece in pieces {
            let from = skip.min(piece.len());
            skip -= from;
            if from < piece.len() {
                slices[filled] = IoSlice::new(&piece[from..]);
                filled += 1;
                if filled == SLICES {
                    break;
                }
            }
        }
        self.sent += write(&slices[..filled])?;
        self.wrote_ms = now_ms();
        while let Some((_, frame)) = self.queue.front()
            && self.sent >= HEAD_BYTES + frame.len()
        {
            self.sent -= HEAD_BYTES + frame.len();
            self.queued_bytes -= frame.len();
            self.queue.pop_front();
        }
        Ok(())
    }

    /// The loop stands in one turn since then: writes what waits, or repeats the last heartbeat.
    fn keep_alive(&mut self, since: u64) {
        let Some(stream) = self.stream.as_ref().and_then(|s| s.try_clone().ok()) else {
            return;
        };
        if !self.queue.is_empty() {
            // Whatever is wrong with the connection the loop sees too.
            let _ = self.write(|slices| (&stream).write_vectored(slices));
            return;
        }
        let Some((said, beat)) = &self.beat else {
            return;
        };
        let now = now_ms();
        let is_fresh = said + FRESH.as_millis() as u64 >= since;
        if !is_fresh || now < self.wrote_ms + AGAIN.as_millis() as u64 {
            return;
        }
        match (&stream).write(beat) {
            Ok(count) if count < beat.len() => {
                // What follows would be taken for the rest of it.
                let _ = stream.shutdown(Shutdown::Both);
            }
            Ok(_) => self.wrote_ms = now,
            Err(_) => {}
        }
    }
}

/// Locks what a thread that has panicked may have held: the process ends then anyway.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread.
pub(super) fn start() -> io::Result<()> {
    turn_ended();
    std::thread::Builder::new()
        .name("heartbeat".into())
        .spawn(|| {
            loop {
                std::thread::sleep(LOOK);
                let stands = stands_since().map(|since| (since, now_ms().saturating_sub(since)));
                let (min, max) = (STANDS_MIN.as_millis() as u64, STANDS_MAX.as_millis() as u64);
                let Some((since, _)) = stands.filter(|(_, ms)| (min..max).contains(ms)) else {
                    continue;
                };
                let mut wires = lock(&WIRES);
                wires.retain(|wire| Arc::strong_count(wire) > 1);
                for wire in wires.iter() {
                    lock(wire).keep_alive(since);
                }
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_last_heartbeat_is_repeated_in_the_turn_behind_it_and_in_no_later_one() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let stream = TcpStream::connect(address).expect("a connection");
        let (mut other, _) = listener.accept().expect("the other end");
        let mut wire = Wire::default();
        wire.connect(Some(stream.try_clone().expect("a second handle")));
        wire.push([1; HEAD_BYTES], b"beat".to_vec(), true);
        wire.push([2; HEAD_BYTES], b"word".to_vec(), false);
        let said = now_ms();
        // What waits leaves first, and is not said twice.
        wire.keep_alive(said);
        wire.keep_alive(said);
        std::thread::sleep(AGAIN * 2);
        wire.keep_alive(said);
        // A turn that began much later follows on another word than this one.
        std::thread::sleep(AGAIN * 2);
        wire.keep_alive(said + 10_000);
        drop((wire, stream));
        let mut heard = Vec::new();
        other.read_to_end(&mut heard).expect("all of it");
        let wanted = [
            &[1; HEAD_BYTES][..],
            b"beat",
            &[2; HEAD_BYTES],
            b"word",
            &[1; HEAD_BYTES],
            b"beat",
        ];
        assert_eq!(heard, wanted.concat());
    }
}
