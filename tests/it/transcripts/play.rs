//! The servers that a transcript is played against: a bare node, or a process behind a socket.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seedis::node::config::Config;
use seedis::resp::value::{Decoded, Decoder, Value};
use seedis_fuzz::served::Served;

use super::script::{Script, Step, fits, parse, rendered, sorted};
use crate::process::{Directory, free_port};

/// The reply that a client gets.
#[derive(Debug)]
pub(super) enum Heard {
    Reply(Value),
    Closed,
    Nothing,
}

impl Heard {
    pub(super) fn text(&self, is_sorted: bool) -> String {
        match self {
            Self::Reply(value) if is_sorted => format!("sorted {}", rendered(&sorted(value))),
            Self::Reply(value) => rendered(value),
            Self::Closed => "closed".into(),
            Self::Nothing => "nothing".into(),
        }
    }
}

/// A server with clients, numbered from 1, which connect when they are first named.
pub(super) trait Peer {
    fn send(&mut self, client: u64, bytes: &[u8]);
    /// The next reply; waits for it at most as long as is said.
    fn hear(&mut self, client: u64, patience: Duration) -> Heard;
    fn sleep(&mut self, millis: u64);
}

/// Plays a transcript; what differs from it, by line.
pub(super) fn play(peer: &mut impl Peer, script: &Script, is_redis: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for step in &script.steps {
        match step {
            Step::Send { client, bytes } => peer.send(*client, bytes),
            Step::Sleep(millis) => peer.sleep(*millis),
            Step::Expect {
                line,
                client,
                text,
                instead,
            } => {
                // Nothing is only heard by waiting; it must not take long.
                let is_nothing = |text: &String| text == "nothing";
                let waits_in_vain =
                    is_nothing(text) || is_redis && instead.as_ref().is_some_and(is_nothing);
                let patience = if waits_in_vain { 100 } else { 10_000 };
                let heard = peer.hear(*client, Duration::from_millis(patience));
                let said = |text: &String| fits(text, &heard.text(text.starts_with("sorted ")));
                let good = said(text) || is_redis && instead.as_ref().is_some_and(said);
                if !good {
                    let got = heard.text(text.starts_with("sorted "));
                    complaints.push(format!("{line}: expected {text}, got {got}"));
                }
            }
        }
    }
    complaints
}

/// The text of a transcript with each request's replies behind its line.
pub(super) fn recorded(peer: &mut impl Peer, text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(line);
        out.push('\n');
        for step in parse(line).expect("it was parsed before").steps {
            let client = match step {
                Step::Expect { .. } => continue,
                Step::Sleep(millis) => {
                    peer.sleep(millis);
                    continue;
                }
                Step::Send { client, bytes } => {
                    peer.send(client, &bytes);
                    client
                }
            };
            let sign = line.split('>').next().unwrap_or_default();
            loop {
                let heard = peer.hear(client, Duration::from_millis(60));
                if matches!(heard, Heard::Nothing) {
                    break;
                }
                out.push_str(&[sign, "< ", &heard.text(false), "\n"].concat());
                if matches!(heard, Heard::Closed) {
                    break;
                }
            }
        }
    }
    out
}

/// A node without disk and network.
pub(super) struct Bare {
    served: Served,
    replies: BTreeMap<u64, VecDeque<Value>>,
}

impl Bare {
    pub(super) fn new(requirepass: &str) -> Self {
        let config = Config {
            requirepass: requirepass.into(),
            ..Config::default()
        };
        Self {
            served: Served::with(config),
            replies: BTreeMap::new(),
        }
    }
}

impl Peer for Bare {
    fn send(&mut self, client: u64, bytes: &[u8]) {
        self.served.connect(client);
        self.served.send(client, bytes);
    }

    fn hear(&mut self, client: u64, patience: Duration) -> Heard {
        const STEP_MILLIS: u64 = 10;
        let replies = self.replies.entry(client).or_default();
        let mut left = patience.as_millis() as u64;
        loop {
            replies.extend(self.served.replies(client));
            if let Some(value) = replies.pop_front() {
                return Heard::Reply(value);
            }
            if self.served.is_closed(client) {
                return Heard::Closed;
            }
            if left < STEP_MILLIS {
                return Heard::Nothing;
            }
            left -= STEP_MILLIS;
            self.served.pass(STEP_MILLIS);
        }
    }

    fn sleep(&mut self, millis: u64) {
        self.served.pass(millis);
    }
}

/// A process, and sockets to it.
pub(super) struct Remote {
    child: Child,
    port: u16,
    clients: BTreeMap<u64, Socket>,
    _directory: Directory,
}

struct Socket {
    stream: TcpStream,
    decoder: Decoder,
    unread: Vec<u8>,
}

impl Remote {
    /// Starts a server that understands Redis's options, and waits until it answers.
    pub(super) fn start(
        mut program: Command,
        name: &str,
        requirepass: &str,
        options: &[&str],
    ) -> Self {
        let (directory, port) = (Directory::new(name), free_port());
        program.args(["--port", &port.to_string(), "--dir"]);
        program.arg(directory.path()).args(options);
        if !requirepass.is_empty() {
            program.args(["--requirepass", requirepass]);
        }
        program.stdout(Stdio::null()).stderr(Stdio::null());
        let mut remote = Self {
            child: program.spawn().expect("the server starts"),
            port,
            clients: BTreeMap::new(),
            _directory: directory,
        };
        let begun = Instant::now();
        while !remote.answers(requirepass) {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "no answer in 60 s"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        remote
    }

    fn answers(&mut self, requirepass: &str) -> bool {
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            return false;
        }
        let hello = format!("AUTH {requirepass}\r\nPING ready\r\n");
        self.send(0, hello.as_bytes());
        self.hear(0, Duration::from_secs(1));
        let heard = self.hear(0, Duration::from_secs(1)).text(false);
        self.clients.remove(&0);
        heard == "\"ready\""
    }
}

impl Peer for Remote {
    fn send(&mut self, client: u64, bytes: &[u8]) {
        let port = self.port;
        let socket = self.clients.entry(client).or_insert_with(|| {
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("it takes clients");
            stream.set_nodelay(true).expect("a socket");
            Socket {
                stream,
                decoder: Decoder::new(),
                unread: Vec::new(),
            }
        });
        // A server that has closed in between is found out when it is heard.
        let _ = socket.stream.write_all(bytes);
    }

    fn hear(&mut self, client: u64, patience: Duration) -> Heard {
        let Some(socket) = self.clients.get_mut(&client) else {
            return Heard::Nothing;
        };
        let mut buffer = [0; 4096];
        loop {
            match socket.decoder.next(&socket.unread).expect("RESP") {
                Decoded::Value { value, consumed } => {
                    socket.unread.drain(..consumed);
                    return Heard::Reply(value);
                }
                Decoded::Incomplete { .. } => {}
            }
            socket
                .stream
                .set_read_timeout(Some(patience))
                .expect("a socket");
            match socket.stream.read(&mut buffer) {
                Ok(0) => return Heard::Closed,
                Ok(count) => socket.unread.extend_from_slice(&buffer[..count]),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Heard::Nothing,
                    _ => return Heard::Closed,
                },
            }
        }
    }

    fn sleep(&mut self, millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
