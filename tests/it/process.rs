//! A real server process on a free port, in a directory of its own, and a plain client for it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use seedis::rng;

/// A directory that is gone when the test is.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// A new, empty directory below the build's own place for temporary files.
    pub(crate) fn new(name: &str) -> Self {
        let unique = format!("{name}-{}-{}", std::process::id(), free_port());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nobody listened on a moment ago, and that the system gives to no connection by
/// itself: members dial each other before all of them listen.
pub(crate) fn free_port() -> u16 {
    // The port for members, 10,000 above, must be none of those that the system gives to dials.
    const PORTS: std::ops::Range<u64> = 10_000..22_000;
    static TRIED: AtomicU64 = AtomicU64::new(0);
    loop {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let draw = rng::draw(u64::from(std::process::id()), 0, tried, 0);
        let port = PORTS.start + rng::below(draw, PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port as u16)).is_ok() {
            return port as u16;
        }
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts a server on a directory and waits until it answers.
    pub(crate) fn start(directory: &Path, options: &[&str]) -> Self {
        let server = Self::spawn(directory, free_port(), options);
        let port = server.port;
        let begun = Instant::now();
        loop {
            if let Ok(mut client) = Client::try_connect(port)
                && client
                    .try_ask(&["DBSIZE"])
                    .is_ok_and(|reply| reply.starts_with(':'))
            {
                return server;
            }
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "no answer in 60 s"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts a server and does not wait for it.
    pub(crate) fn spawn(directory: &Path, port: u16, options: &[&str]) -> Self {
        Self::spawn_within(&[], directory, port, options)
    }

    /// The same, in an environment that says more than this process's own.
    pub(crate) fn spawn_within(
        environment: &[(&str, String)],
        directory: &Path,
        port: u16,
        options: &[&str],
    ) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_seedis"))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .args(["--port", &port.to_string(), "--dir"])
            .arg(directory)
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        Self { child, port }
    }

    pub(crate) fn client(&self) -> Client {
        Client::try_connect(self.port).expect("the server takes clients")
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9, and the wait until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &self.pid().to_string()])
            .status()
            .expect("kill is there");
        assert!(status.success());
    }

    /// Waits for the process to end by itself and gives its exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that asks and reads, one after the other.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn try_connect(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// How long it waits for a reply.
    pub(crate) fn set_patience(&self, patience: Duration) {
        let stream = self.stream.get_ref();
        stream
            .set_read_timeout(Some(patience))
            .expect("a time limit");
    }

    /// Sends a request and reads its reply, which is given as text: the type's sign and the
    /// content, the elements of an array with spaces between them.
    pub(crate) fn try_ask(&mut self, words: &[&str]) -> std::io::Result<String> {
        self.send(words)?;
        self.reply()
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> String {
        self.try_ask(words).expect("a reply")
    }

    /// The same for words that are no text.
    pub(crate) fn ask_bytes(&mut self, words: &[&[u8]]) -> String {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend(format!("${}\r\n", word.len()).bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        let sent = self.stream.get_mut().write_all(&request);
        sent.and_then(|()| self.reply()).expect("a reply")
    }

    pub(crate) fn send(&mut self, words: &[&str]) -> std::io::Result<()> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(request, "${}\r\n{word}\r\n", word.len());
        }
        self.stream.get_mut().write_all(request.as_bytes())
    }

    pub(crate) fn reply(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_owned();
        let number = || line[1..].parse::<i64>().unwrap_or(-1);
        match line.as_bytes().first() {
            Some(b'$') if number() >= 0 => {
                let mut bytes = vec![0; number() as usize + 2];
                self.stream.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Some(b'*') if number() >= 0 => {
                let replies: std::io::Result<Vec<String>> =
                    (0..number()).map(|_| self.reply()).collect();
                Ok(replies?.join(" "))
            }
            _ => Ok(line),
        }
    }
}
