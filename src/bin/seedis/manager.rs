//! The service manager: it is told when the server serves, what it does, and that it ends.
//!
//! The protocol is systemd's (`sd_notify(3)`): lines `NAME=value` in datagrams to a Unix socket
//! that the environment names. A word that cannot be said is lost: the server does not depend on
//! who watches it.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use crate::config::Supervised;

/// For how long a member that comes into its group may keep a service manager waiting.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest status, in bytes.
const STATUS_BYTES_MAX: usize = 512;

/// The service manager that started this process, if it wants to be notified.
#[derive(Debug, Default)]
pub(crate) struct Manager {
    socket: Option<UnixDatagram>,
    /// How often it is to be told that the server is alive.
    alive_every: Option<Duration>,
    /// It waits until the process stops itself.
    is_upstart: bool,
    is_ready: std::cell::Cell<bool>,
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

impl Manager {
    /// The one that the option and the environment name.
    pub(crate) fn find(wanted: Supervised) -> Self {
        let mut manager = Self::default();
        match wanted {
            Supervised::No => {}
            Supervised::Upstart => {
                manager.is_upstart = variable("UPSTART_JOB").is_some();
                if !manager.is_upstart {
                    tracing::warn!("upstart supervision requested, but UPSTART_JOB not found!");
                }
            }
            Supervised::Auto | Supervised::Systemd => match variable("NOTIFY_SOCKET") {
                None if wanted == Supervised::Systemd => {
                    tracing::warn!("systemd supervision requested, but NOTIFY_SOCKET not found!");
                }
                None => {}
                Some(address) => match connect(address.as_bytes()) {
                    Ok(socket) => manager.socket = Some(socket),
                    Err(error) => {
                        let address = address.display();
                        tracing::warn!("cannot notify the service manager at {address}: {error}");
                    }
                },
            },
        }
        if manager.socket.is_some() {
            manager.alive_every = watchdog();
        }
        manager
    }

    fn say(&self, lines: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(lines.as_bytes())
        {
            tracing::debug!("cannot notify the service manager: {error}");
        }
    }

    /// Reports what the server does at the moment.
    pub(crate) fn status(&self, text: &str) {
        if self.socket.is_some() {
            self.say(&format!("STATUS={}", line(text)));
        }
    }

    /// The server has read its log and takes clients; said once.
    pub(crate) fn ready(&self, status: &str) {
        if self.is_ready.replace(true) {
            return;
        }
        let pid = std::process::id();
        self.say(&format!("READY=1\nMAINPID={pid}\nSTATUS={}", line(status)));
        if self.is_upstart {
            // Upstart continues it, and takes that for the answer.
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }

    /// The server has begun to stop.
    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=stopping");
    }

    /// While this is waited for, a member that has to wait for others is not taken for one that
    /// does not start. It never ends.
    pub(crate) async fn has_patience(&self) {
        tokio::time::sleep(PATIENCE).await;
        self.ready("waiting for the other members of its group");
        std::future::pending::<()>().await;
    }

    /// Says again and again that the loop which serves goes round.
    pub(crate) async fn keep_alive(self: Rc<Self>) {
        if let Some(every) = self.alive_every {
            loop {
                self.say("WATCHDOG=1");
                tokio::time::sleep(every).await;
            }
        }
    }
}

/// One line of at most so many bytes.
fn line(text: &str) -> String {
    let end = text.floor_char_boundary(STATUS_BYTES_MAX);
    text[..end].replace(['\r', '\n'], " ")
}

/// How often a watchdog wants to hear of this process: twice in the time that it waits.
fn watchdog() -> Option<Duration> {
    let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
    let is_meant = match variable("WATCHDOG_PID") {
        None => true,
        Some(_) => number("WATCHDOG_PID") == Some(std::process::id().into()),
    };
    let patience_us = number("WATCHDOG_USEC").filter(|us| is_meant && *us > 0)?;
    Some(Duration::from_micros(patience_us / 2))
}

/// A path, or a name without a file where it begins with "@".
fn connect(address: &[u8]) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    let address = match address.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(address))?,
    };
    socket.connect_addr(&address)?;
    Ok(socket)
}
