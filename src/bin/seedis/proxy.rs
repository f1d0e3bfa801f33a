//! Clients of a member that does not lead, carried to the one that does (`--follower-proxy yes`).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use std::{future, io};

use seedis::node::relay::Relay;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::serve::{Elsewhere, Server};
use crate::stream::Stream;

/// How long a new client waits for somebody to lead before it is answered all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often that is looked for.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a leader that leads no longer may still answer what it was asked.
const GRACE: Duration = Duration::from_millis(100);
/// How long a client has to take what it is told at the end.
const PARTING_TIME: Duration = Duration::from_secs(2);
/// How much is carried at a time, in bytes.
const CARRY_BYTES: usize = 64 << 10;

/// The answer to a client for whom there is no second socket, in Redis's words.
const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// Serves a client here, or carries it to the leader, until it is gone.
pub(crate) async fn serve(server: Rc<Server>, stream: Stream, address: String) {
    let end = Instant::now() + PATIENCE;
    loop {
        while server.waits_for_leader() && Instant::now() < end {
            tokio::time::sleep(PAUSE).await;
        }
        let Some((leader, mut elsewhere)) = server.forwards_to() else {
            break;
        };
        if !server.has_place() {
            let _ = stream.try_write(TOO_MANY);
            return;
        }
        let _place = server.place();
        let connected = tokio::select! {
            connected = TcpStream::connect(&leader) => connected,
            _ = elsewhere.changed() => Err(io::ErrorKind::HostUnreachable.into()),
        };
        match connected {
            Ok(other) if other.set_nodelay(true).is_ok() => {
                // However it ends, the client is told by the end of its connection.
                return drop(carry(&stream, &Stream::Tcp(other), elsewhere).await);
            }
            Ok(_) => return,
            // Nothing was asked yet: the client may as well be carried to the next leader.
            Err(error) if Instant::now() < end => {
                tracing::debug!("the leader at {leader} does not accept clients yet: {error}");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::debug!("the leader at {leader} does not accept clients: {error}");
                return;
            }
        }
    }
    server.connection(stream, address).await;
}

/// Carries a client until one side is gone, or its leader leads no longer. That one may be there
/// all the same and never answer: a process that is stopped, a machine behind a broken network.
async fn carry(client: &Stream, leader: &Stream, mut elsewhere: Elsewhere) -> io::Result<()> {
    let relay = RefCell::new(Relay::default());
    let (over, never) = (Notify::new(), Notify::new());
    let asks = async {
        let asked = pump(client, leader, &never, |bytes| {
            relay.borrow_mut().asked(bytes);
        });
        // A client that says no more is owed what it has asked, and a leader that cannot be
        // written to may have answered some of it before.
        if asked.await.is_ok() {
            let _ = leader.end();
        }
        future::pending::<()>().await;
    };
    let deposed = async {
        tokio::select! {
            _ = elsewhere.changed() => {}
            () = asks => {}
        }
        // A former leader that is well says itself how it went.
        let begun = Instant::now();
        while relay.borrow().is_owing() && begun.elapsed() < GRACE {
            tokio::time::sleep(PAUSE).await;
        }
        over.notify_one();
        tokio::time::sleep(PARTING_TIME).await;
    };
    tokio::select! {
        // Not dropped before what has come is written: half of a reply cannot be followed by words.
        _ = pump(leader, client, &over, |bytes| relay.borrow_mut().answered(bytes)) => {}
        // The client does not take what it has asked for.
        () = deposed => return Ok(()),
    }
    let last_words = relay.borrow().lost();
    tokio::time::timeout(PARTING_TIME, write_all(client, &last_words)).await??;
    client.part().await;
    Ok(())
}

/// Carries bytes until one side ends or it is over; an error where they cannot be written.
async fn pump(
    from: &Stream,
    to: &Stream,
    over: &Notify,
    mut note: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; CARRY_BYTES];
    loop {
        let ready = tokio::select! {
            biased;
            () = over.notified() => return Ok(()),
            ready = from.readable() => ready,
        };
        if ready.is_err() {
            return Ok(());
        }
        match from.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                note(&buffer[..count]);
                write_all(to, &buffer[..count]).await?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Ok(()),
        }
    }
}

async fn write_all(to: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
