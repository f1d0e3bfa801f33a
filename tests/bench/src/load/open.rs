//! The open loop: requests leave at a given rate, whatever the server does meanwhile.
//!
//! Latency is measured from the moment at which a request was *meant* to leave. A server that
//! stands still for a second so delays all requests of that second, as it would with real clients;
//! a closed loop would count one slow request.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::Measured;
use super::connection::Connection;
use super::requests::{Numbers, Template};
use crate::failure::{Failure, Result};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// So long before a request is due the generator may sleep; nearer to it, it asks again and again.
const SLEEP_MIN: Duration = Duration::from_millis(2);

/// A rate of requests, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Connections, which take turns.
    pub clients: usize,
    /// Requests that leave in a second.
    pub rate: f64,
    /// How long requests leave. The last replies may come later.
    pub time: Duration,
    /// A server that owes replies and gives none for so long ends the load with an error.
    pub patience: Duration,
}

/// A request that is sent once, on a connection of its own, and is not measured.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The time after the start.
    pub after: Duration,
    /// The request.
    pub request: Template,
}

struct Client {
    connection: Connection,
    /// When the requests that are not answered yet were meant to leave.
    owed: VecDeque<Instant>,
    /// It has bytes that are not written yet.
    is_dirty: bool,
}

/// Plays the load, and the request beside it.
pub fn run(
    address: SocketAddr,
    request: &Template,
    numbers: &mut Numbers,
    how: Open,
    beside: Option<&Beside>,
) -> Result<Measured> {
    let mut measured = Measured::empty()?;
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; READ_BYTES];
    let mut request = request.clone();
    let mut clients = Vec::with_capacity(how.clients);
    // The last one is the client beside.
    for number in 0..=how.clients {
        clients.push(Client {
            connection: Connection::open(address, poll.registry(), number)?,
            owed: VecDeque::new(),
            is_dirty: false,
        });
    }
    let start = Instant::now();
    let total = (how.rate * how.time.as_secs_f64()) as u64;
    let due = |sent: u64| start + Duration::from_secs_f64(sent as f64 / how.rate);
    let mut beside = beside.cloned();
    let (mut sent, mut answered, mut heard, mut now) = (0, 0, start, start);
    while answered < total {
        let first = sent;
        while sent < total && due(sent) <= now {
            let client = &mut clients[sent as usize % how.clients];
            client.connection.queue(request.draw(numbers));
            client.owed.push_back(due(sent));
            client.is_dirty = true;
            sent += 1;
        }
        if sent > first && first == answered {
            // Nothing was owed until now: patience begins here.
            heard = now;
        }
        if let Some(mut once) = beside.take_if(|beside| start + beside.after <= now) {
            let client = &mut clients[how.clients];
            client.connection.queue(once.request.draw(numbers));
            client.owed.push_back(now);
            client.is_dirty = true;
        }
        for client in &mut clients {
            if std::mem::take(&mut client.is_dirty) {
                client.connection.flush()?;
            }
        }
        let pause = if sent == total {
            SLEEP_MIN
        } else {
            due(sent).saturating_duration_since(Instant::now())
        };
        // The system's timer counts milliseconds, and wakes up late rather than early.
        let pause = if pause < SLEEP_MIN {
            Duration::ZERO
        } else {
            pause / 2
        };
        match poll.poll(&mut events, Some(pause)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            polled => polled?,
        }
        now = Instant::now();
        for event in &events {
            let number = event.token().0;
            let client = &mut clients[number];
            let whole = client.connection.ready(event, &mut buffer)?;
            now = Instant::now();
            for _ in 0..whole {
                let meant = client.owed.pop_front().ok_or_else(|| {
                    Failure::new("the server has sent more replies than it was asked for")
                })?;
                if number < how.clients {
                    measured.record(now.saturating_duration_since(meant), 1);
                    answered += 1;
                }
                heard = now;
            }
        }
        if sent > answered && now.saturating_duration_since(heard) > how.patience {
            return Err(super::silent(how.patience));
        }
    }
    measured.elapsed = heard - start;
    Ok(measured)
}
