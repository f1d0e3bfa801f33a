//! Addresses of members: how they are written, whom they reach, and which are of this machine
//! alone.
//!
//! An address of the sixth version stands in brackets wherever a port follows it. A name may have
//! addresses of both versions: all of them are tried, and all of them are listened on.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tokio::net::TcpStream;

/// How long it may take to connect to a member, all of its addresses together.
const PATIENCE: Duration = Duration::from_secs(2);

/// Errors if this is not a host and a port that can be dialled. The error says what is wrong with
/// it.
#[cfg(test)]
fn check(text: &str) -> Result<(), String> {
    seedis::node::options::form::address(text.as_bytes()).map(|_| ())
}

/// Returns true if only processes of this machine can be there.
pub(crate) fn is_here(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Returns whether all that an address stands for is of this machine; `None` if that cannot be told
/// now.
pub(crate) fn all_here(address: &str) -> Option<bool> {
    let found = address.to_socket_addrs().ok()?;
    Some(found.map(|one| one.ip()).all(is_here))
}

/// Connects to a member's port, at whichever of its addresses answers. Without a secret only
/// members of this machine are reached.
pub(crate) async fn connect(address: &str, has_secret: bool) -> io::Result<TcpStream> {
    let timed_out = || io::Error::from(io::ErrorKind::TimedOut);
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host(address)).await;
    let mut found: Vec<SocketAddr> = found.map_err(|_| timed_out())??.collect();
    found.dedup();
    let here = |one: &SocketAddr| is_here(one.ip());
    if !has_secret && !found.iter().all(here) {
        return Err(io::Error::other(
            "it is on another machine: that needs a --cluster-secret, the same for all members",
        ));
    }
    // One that swallows what is sent must leave time for the next.
    let each = PATIENCE / u32::try_from(found.len().max(1)).unwrap_or(1);
    let mut outcome = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
    for one in found {
        let connected = tokio::time::timeout(each, TcpStream::connect(one)).await;
        outcome = connected.unwrap_or_else(|_| Err(timed_out()));
        if outcome.is_ok() {
            break;
        }
    }
    let stream = outcome?;
    // A port of this machine that nobody listens on can be connected to itself, and is then taken.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(&stream);
    // A member behind a cut cable is to be dialled again soon after that is mended.
    socket.set_tcp_user_timeout(Some(PATIENCE))?;
    socket.set_tcp_keepalive(&keepalive())?;
    Ok(stream)
}

/// A member of which nothing is heard at all is gone after a few seconds.
pub(super) fn keepalive() -> socket2::TcpKeepalive {
    socket2::TcpKeepalive::new()
        .with_time(PATIENCE)
        .with_interval(Duration::from_secs(1))
        .with_retries(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_they_are_written_and_refused_with_the_reason() {
        for good in [
            "10.0.0.1:16379",
            "node-1.example:1",
            "[::1]:16379",
            "[fd00::2]:65535",
            "[::ffff:10.0.0.1]:1",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (wrong, why) in [
            ("10.0.0.1", "no port"),
            ("10.0.0.1:", "no port from 1"),
            ("10.0.0.1:0", "no port from 1"),
            ("10.0.0.1:65536", "no port from 1"),
            ("::1:16379", "without brackets"),
            ("fd00::2:16379", "without brackets"),
            ("[fe80::1%eth0]:1", "zone id"),
            ("fe80::1%eth0:1", "zone id"),
            ("[::1:16379", "between its brackets"),
            ("[name]:1", "between its brackets"),
            (":16379", "has no host"),
            ("a b:1", "has no host"),
        ] {
            let said = check(wrong).expect_err(wrong);
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }

    #[test]
    fn an_address_of_the_fourth_version_written_in_the_sixth_is_the_same() {
        assert!(is_here("::ffff:127.0.0.1".parse().unwrap()));
        assert!(is_here("::1".parse().unwrap()));
        assert!(!is_here("::ffff:10.0.0.1".parse().unwrap()));
        assert_eq!(all_here("[::ffff:127.0.0.1]:1"), Some(true));
        assert_eq!(all_here("0.0.0.0:1"), Some(false));
        assert_eq!(all_here("[::]:1"), Some(false));
    }
}
