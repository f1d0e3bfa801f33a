//! Clients of a member that does not lead, carried to the one that does (`--follower-proxy yes`).

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use seedis::node::relay::Relay;
use tokio::net::TcpStream;

use crate::serve::Server;
use crate::stream::Stream;

/// How long a new client waits for somebody to lead before it is answered all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often that is looked for.
const PAUSE: Duration = Duration::from_millis(10);
/// How much is carried at a time, in bytes.
const CARRY_BYTES: usize = 64 << 10;

/// What a client is told for whom there is no second socket, in Redis's words.
const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// Serves a client here, or carries it to the leader, until it is gone.
pub(crate) async fn serve(server: Rc<Server>, stream: Stream, address: String) {
    let begun = tokio::time::Instant::now();
    while server.waits_for_leader() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(PAUSE).await;
    }
    if let Some(leader) = server.forwards_to() {
        if !server.has_place() {
            let _ = stream.try_write(TOO_MANY);
            return;
        }
        let _place = server.place();
        match TcpStream::connect(&leader).await {
            Ok(other) if other.set_nodelay(true).is_ok() => {
                // However it ends, the client is told by the end of its connection.
                return drop(carry(&stream, &Stream::Tcp(other)).await);
            }
            Ok(_) => return,
            Err(error) => {
                tracing::debug!("the leader at {leader} takes no clients: {error}");
                return;
            }
        }
    }
    server.connection(stream, address).await;
}

async fn carry(client: &Stream, leader: &Stream) -> io::Result<()> {
    let relay = RefCell::new(Relay::default());
    tokio::select! {
        gone = pump(client, leader, |bytes| relay.borrow_mut().asked(bytes)) => {
            // A client that says no more is owed what it has asked, and a leader that cannot be
            // written to may have answered some of it before.
            if gone.is_ok() {
                leader.end()?;
            }
            let _ = pump(leader, client, |bytes| relay.borrow_mut().answered(bytes)).await;
        }
        _ = pump(leader, client, |bytes| relay.borrow_mut().answered(bytes)) => {}
    }
    let last_words = relay.borrow().lost();
    write_all(client, &last_words).await
}

/// Carries bytes until one side ends; an error where they cannot be written.
async fn pump(from: &Stream, to: &Stream, mut note: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; CARRY_BYTES];
    loop {
        if from.readable().await.is_err() {
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
