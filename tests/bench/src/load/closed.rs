//! The closed loop: so many clients, each of which sends its next batch when the last is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::connection::Connection;
use super::requests::{Numbers, Template};
use super::{Measured, PATIENCE};
use crate::failure::{Failure, Result};

/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;
/// How often a server that says nothing is asked about.
const TICK: Duration = Duration::from_millis(100);

/// How many clients there are, and when they end.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// The number of connections.
    pub clients: usize,
    /// The requests of a batch.
    pub pipeline: usize,
    /// The load ends after this time, or …
    pub time: Duration,
    /// … when so many requests have been sent.
    pub requests: u64,
    /// A server that owes replies and gives none for so long ends the load with an error.
    pub patience: Duration,
}

impl Closed {
    /// Clients that send for this long.
    pub fn during(clients: usize, pipeline: usize, time: Duration) -> Self {
        Self {
            clients,
            pipeline,
            time,
            requests: u64::MAX,
            patience: PATIENCE,
        }
    }

    /// Clients that send about so many requests: whole batches.
    pub fn of(clients: usize, pipeline: usize, requests: u64) -> Self {
        Self {
            clients,
            pipeline,
            time: Duration::MAX,
            requests,
            patience: PATIENCE,
        }
    }
}

struct Client {
    connection: Connection,
    since: Instant,
    owed: u64,
}

/// Plays the load. Latency is measured from the moment a batch is written.
pub fn run(
    address: SocketAddr,
    request: &Template,
    numbers: &mut Numbers,
    how: Closed,
) -> Result<Measured> {
    let mut measured = Measured::empty()?;
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; READ_BYTES];
    let mut batch = request.repeated(how.pipeline);
    let mut clients = Vec::with_capacity(how.clients);
    let now = Instant::now();
    for number in 0..how.clients {
        let connection = Connection::open(address, poll.registry(), number)?;
        clients.push(Client {
            connection,
            since: now,
            owed: 0,
        });
    }
    let start = Instant::now();
    let (mut heard, mut sent, mut busy) = (start, 0, 0);
    for client in &mut clients {
        if sent < how.requests {
            sent += client.send(&mut batch, numbers, how.pipeline, start)?;
            busy += 1;
        }
    }
    while busy > 0 {
        match poll.poll(&mut events, Some(TICK)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let client = &mut clients[event.token().0];
            let whole = client.connection.ready(event, &mut buffer)?;
            if whole == 0 {
                continue;
            }
            heard = Instant::now();
            client.owed = client.owed.checked_sub(whole).ok_or_else(|| {
                Failure::new("the server has sent more replies than it was asked for")
            })?;
            measured.record(heard - client.since, whole);
            if client.owed > 0 {
                continue;
            }
            if sent < how.requests && heard - start < how.time {
                sent += client.send(&mut batch, numbers, how.pipeline, heard)?;
            } else {
                busy -= 1;
            }
        }
        if events.is_empty() && heard.elapsed() > how.patience {
            return Err(super::silent(how.patience));
        }
    }
    measured.elapsed = heard - start;
    Ok(measured)
}

impl Client {
    fn send(
        &mut self,
        batch: &mut Template,
        numbers: &mut Numbers,
        pipeline: usize,
        now: Instant,
    ) -> Result<u64> {
        self.connection.queue(batch.draw(numbers));
        self.since = now;
        self.owed = pipeline as u64;
        self.connection.flush()?;
        Ok(self.owed)
    }
}
