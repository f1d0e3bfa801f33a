//! The doors: TCP addresses and a Unix socket, and who is let in.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task;
use tokio::time::Instant;

use crate::proxy;
use crate::serve::Server;
use crate::stream::Stream;

/// Waiting connections that the kernel keeps.
const BACKLOG: i32 = 511;

/// The longest time between probes that Linux takes, in seconds.
const KEEPALIVE_S_MAX: u64 = 32_767;
/// How long nothing is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The answer to a client from another machine, in Redis's words as far as clients match on them.
const DENIED: &[u8] = b"-DENIED Seedis runs in protected mode because no password is set for the \
    default user. In this mode connections are only accepted from the loopback interface. To \
    accept others, set a password (requirepass), or turn the mode off (--protected-mode no), and \
    be sure that nobody from outside can reach the server.\r\n";

/// Listens on a TCP address. Every failure names the address.
pub(crate) fn listen(address: &str, port: u16) -> io::Result<Vec<TcpListener>> {
    // Redis's way of saying "do not mind if this address cannot be had".
    let optional = address.starts_with('-');
    let host = host_of(address);
    let mut listeners = Vec::new();
    let named = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {host}:{port}: {error}"),
        )
    };
    let resolved = (host, port).to_socket_addrs().map_err(named)?;
    // One of the fourth version that is written in the sixth is had only as what it is.
    let resolved = resolved.map(|one| SocketAddr::new(one.ip().to_canonical(), one.port()));
    let resolved: BTreeSet<SocketAddr> = resolved.collect();
    for resolved in resolved {
        match listen_on(resolved) {
            Ok(listener) => listeners.push(listener),
            Err(error) if optional && is_missing(&error) => {
                tracing::debug!("not listening on {resolved}: {error}");
            }
            Err(error) => return Err(named(error)),
        }
    }
    Ok(listeners)
}

/// The host that an address to listen on names.
pub(crate) fn host_of(address: &str) -> &str {
    match address.trim_start_matches('-') {
        "*" => "0.0.0.0",
        "::*" => "::",
        host => host,
    }
}

/// Returns true if this machine has no such address. A port that somebody else has is another
/// matter.
fn is_missing(error: &io::Error) -> bool {
    const UNSUPPORTED: [rustix::io::Errno; 3] = [
        rustix::io::Errno::AFNOSUPPORT,
        rustix::io::Errno::PROTONOSUPPORT,
        rustix::io::Errno::NOPROTOOPT,
    ];
    let code = error.raw_os_error();
    error.kind() == io::ErrorKind::AddrNotAvailable
        || UNSUPPORTED
            .iter()
            .any(|one| Some(one.raw_os_error()) == code)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// Listens on a Unix socket, whose file only its owner may use unless `mode` says otherwise.
pub(crate) fn listen_unix(path: &Path, mode: Option<u32>) -> io::Result<UnixListener> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    // Nobody must be able to connect between bind and chmod.
    let before = rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    let listener = listener?;
    if let Some(mode) = mode {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(listener)
}

/// How often a silent client is probed, of what the operator wants: no more seldom than the kernel
/// knows how to.
pub(crate) fn keepalive_s(wanted: u64) -> u64 {
    let most = wanted.min(KEEPALIVE_S_MAX);
    if most < wanted {
        tracing::warn!(
            "tcp-keepalive {wanted}: the longest interval of this kernel is {most} seconds, which \
             is used instead"
        );
    }
    most
}

/// Lets TCP clients in, for ever. A failed accept is noted, and accepting goes on. A silent client
/// is probed every `keepalive_s` seconds; 0: never.
pub(crate) async fn accept(server: Rc<Server>, listener: TcpListener, keepalive_s: u64) {
    let mut refusals = Refusals::new("a client could not be accepted");
    loop {
        server.room().await;
        match listener.accept().await {
            Ok((stream, address)) => {
                prepare(&stream, keepalive_s, address);
                if server.is_protected() && !address.ip().to_canonical().is_loopback() {
                    let _ = stream.try_write(DENIED);
                    task::spawn_local(async move { Stream::Tcp(stream).part().await });
                    continue;
                }
                let serve = Rc::clone(&server);
                let place = server.place();
                let stream = Stream::Tcp(stream);
                task::spawn_local(async move {
                    proxy::serve(serve, stream, address.to_string()).await;
                    drop(place);
                });
            }
            Err(error) => refusals.note(&error).await,
        }
    }
}

/// Lets clients of the Unix socket in, for ever.
pub(crate) async fn accept_unix(server: Rc<Server>, listener: UnixListener, path: String) {
    let mut refusals = Refusals::new("a client could not be accepted");
    loop {
        server.room().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let serve = Rc::clone(&server);
                let place = server.place();
                // As in Redis: what is no port tells that it is a path.
                let address = format!("{path}:0");
                // Whoever sits on this machine may want to look at this very member.
                task::spawn_local(async move {
                    serve.connection(Stream::Unix(stream), address).await;
                    drop(place);
                });
            }
            Err(error) => refusals.note(&error).await,
        }
    }
}

/// The operating system's errors on accepting, logged once in a while.
#[derive(Debug)]
pub(crate) struct Refusals {
    what: &'static str,
    told_at: Option<Instant>,
    untold: u64,
}

impl Refusals {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            told_at: None,
            untold: 0,
        }
    }

    /// Takes note of one, and lets a while pass: it is mostly a want of descriptors or memory,
    /// which only time mends.
    pub(crate) async fn note(&mut self, error: &io::Error) {
        let is_due = self.told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
        if is_due {
            let (what, untold) = (self.what, self.untold);
            if untold > 0 {
                tracing::warn!("{what}: {error} ({untold} times more since the last such line)");
            } else {
                tracing::warn!("{what}: {error}");
            }
            (self.told_at, self.untold) = (Some(Instant::now()), 0);
        } else {
            self.untold += 1;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Sets the socket options of a client's connection. A client is served without it as well.
fn prepare(stream: &TcpStream, keepalive_s: u64, address: SocketAddr) {
    let mut done = stream.set_nodelay(true);
    if keepalive_s > 0 {
        let probes = socket2::TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive_s))
            .with_interval(Duration::from_secs((keepalive_s / 3).max(1)))
            .with_retries(3);
        done = done.and(socket2::SockRef::from(stream).set_tcp_keepalive(&probes));
    }
    if let Err(error) = done {
        tracing::debug!("cannot set the options of the connection of {address}: {error}");
    }
}
