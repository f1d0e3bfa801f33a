//! Configuration files of real installations, hostile environments, and files that are written
//! again.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::process::{Client, Directory, free_port};

/// The variables that an orchestrator sets for a service of this server's name, and those that
/// images set.
const HOSTILE: [(&str, &str); 9] = [
    ("SEEDIS_PORT", "tcp://10.0.0.1:6379"),
    ("SEEDIS_SERVICE_HOST", "10.0.0.1"),
    ("SEEDIS_SERVICE_PORT", "6379"),
    ("SEEDIS_PORT_6379_TCP", "tcp://10.0.0.1:6379"),
    ("SEEDIS_PORT_6379_TCP_ADDR", "10.0.0.1"),
    ("SEEDIS_CLUSTER_PORT", "tcp://10.0.0.2:16379"),
    ("SEEDIS_BIND", ""),
    ("SEEDIS_REQUIREPASS", ""),
    ("SEEDIS_VERSION", "1.2.3"),
];

/// A server that was started with a file of its own.
struct Started {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Started {
    /// Starts it with a file and places of its own behind, in a hostile environment.
    fn with(directory: &Path, file: &Path, options: &[&str]) -> Self {
        let (port, log) = (free_port(), directory.join("lines"));
        let child = Command::new(env!("CARGO_BIN_EXE_seedis"))
            .arg(file)
            .args(["--port", &port.to_string(), "--dir"])
            .arg(directory.join("data"))
            .arg("--logfile")
            .arg(&log)
            .args(["--pidfile", "", "--unixsocket", "", "--daemonize", "no"])
            .args(options)
            .envs(HOSTILE)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, port, log }
    }

    /// A client, once the server takes some.
    fn client(&mut self) -> Client {
        let begun = Instant::now();
        loop {
            if let Ok(mut client) = Client::try_connect(self.port)
                && client
                    .try_ask(&["PING"])
                    .is_ok_and(|said| !said.contains("LOADING"))
            {
                return client;
            }
            if self.child.try_wait().unwrap().is_some() {
                let mut said = String::new();
                let mut stderr = self.child.stderr.take().unwrap();
                stderr.read_to_string(&mut said).unwrap();
                panic!("it does not start: {said}");
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "no answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file_of(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/configuration");
    folder.join(format!("{name}.conf"))
}

fn value(client: &mut Client, name: &str) -> String {
    client.ask(&["CONFIG", "GET", name])
}

/// A file, its password, and what CONFIG GET then shows.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[test]
fn files_of_real_installations_start_and_what_is_in_force_is_shown() {
    let cases: [Case; 7] = [
        (
            "debian",
            "",
            &[("appendonly", "no"), ("hz", "10"), ("daemonize", "no")],
        ),
        (
            "upstream",
            "foobared",
            &[
                ("maxmemory", "104857600"),
                ("io-threads", "4"),
                ("appendonly", "yes"),
            ],
        ),
        ("chart", "", &[("appendonly", "yes"), ("save", "")]),
        (
            "errors_tracker",
            "",
            &[("maxmemory-policy", "volatile-lru")],
        ),
        (
            "forge",
            "",
            &[
                ("save", "900 1 300 10 60 10000"),
                ("appendonly", "yes"),
                ("timeout", "60"),
            ],
        ),
        (
            "network",
            "p\"ss \\ word#1",
            &[("protected-mode", "no"), ("appendfsync", "everysec")],
        ),
        (
            "compose",
            "",
            &[
                ("maxmemory", "268435456"),
                ("maxmemory-policy", "allkeys-lru"),
                ("notify-keyspace-events", "xE"),
                ("databases", "16"),
                ("appendonly", "no"),
            ],
        ),
    ];
    for (name, password, values) in cases {
        let directory = Directory::new(name);
        let mut server = Started::with(directory.path(), &file_of(name), &["--bind", "127.0.0.1"]);
        let mut client = server.client();
        if !password.is_empty() {
            assert_eq!(client.ask(&["AUTH", password]), "+OK", "{name}");
        }
        for (directive, wanted) in values {
            let shown = value(&mut client, directive);
            let wanted = format!("{directive} {wanted}");
            assert_eq!(shown, wanted, "{name}");
        }
        if name == "chart" {
            let said = client.ask(&["FLUSHALL"]);
            assert!(said.contains("unknown command"), "{said}");
        }
        // Lines are written by a thread that nobody waits for.
        let begun = Instant::now();
        let lines = loop {
            let lines = fs::read_to_string(&server.log).unwrap();
            if lines.contains("SEEDIS_PORT_6379_TCP") {
                break lines;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{name}: {lines}");
            std::thread::sleep(Duration::from_millis(10));
        };
        let known = lines
            .matches("options of Redis that have no effect here")
            .count();
        assert!(known <= 1, "{name}: {lines}");
    }
}

#[test]
fn a_file_that_is_written_again_gives_the_same_password_whatever_it_is() {
    let passwords: [&[u8]; 7] = [
        b"x\"\nlogfile /tmp/evil\nenable-debug-command yes\nsave \"",
        b"a\0b",
        b"\xff\xfe pw",
        b"#secret",
        b"--port",
        b"it's \\n",
        b" ",
    ];
    let directory = Directory::new("rewritten");
    let file = directory.path().join("seedis.conf");
    for password in passwords {
        fs::write(&file, "# mine\r\nmaxclients 500\r\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let mut server = Started::with(directory.path(), &file, &[]);
        let mut client = server.client();
        let set: [&[u8]; 4] = [b"CONFIG", b"SET", b"requirepass", password];
        assert_eq!(client.ask_bytes(&set), "+OK");
        assert_eq!(client.ask(&["CONFIG", "REWRITE"]), "+OK");
        drop(server);
        let text = fs::read(&file).unwrap();
        assert!(text.starts_with(b"# mine\r\nmaxclients 500\r\n"));
        assert_eq!(text.split(|byte| *byte == b'\n').count(), 5);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        let mut server = Started::with(directory.path(), &file, &[]);
        let mut client = server.client();
        assert_eq!(client.ask_bytes(&[b"AUTH", password]), "+OK");
        let hello: [&[u8]; 5] = [b"HELLO", b"2", b"AUTH", b"default", password];
        assert!(!client.ask_bytes(&hello).starts_with('-'));
        assert_eq!(
            value(&mut client, "enable-debug-command"),
            "enable-debug-command no"
        );
    }
}

#[test]
fn a_password_is_bytes_in_the_environment_and_among_the_arguments() {
    let directory = Directory::new("bytes");
    let password = b"\xff\xfe \xc3".as_slice();
    for by_argument in [true, false] {
        let (port, word) = (free_port(), OsStr::from_bytes(password));
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
        command.args(["--port", &port.to_string(), "--appendonly", "no"]);
        if by_argument {
            command.arg("--requirepass").arg(word);
        } else {
            command.env("SEEDIS_REQUIREPASS", word);
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = directory.path().join("none");
        let mut server = Started { child, port, log };
        assert_eq!(server.client().ask_bytes(&[b"AUTH", password]), "+OK");
    }
}

#[test]
fn what_could_not_be_written_is_no_ok() {
    let directory = Directory::new("unwritten");
    let folder = directory.path().join("etc");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("seedis.conf");
    fs::write(&file, "timeout 7\n").unwrap();
    let mut server = Started::with(directory.path(), &file, &[]);
    let mut client = server.client();
    assert_eq!(client.ask(&["CONFIG", "SET", "timeout", "9"]), "+OK");
    fs::remove_dir_all(&folder).unwrap();
    let said = client.ask(&["CONFIG", "REWRITE"]);
    assert!(said.starts_with("-ERR Rewriting config file: "), "{said}");
    // Somebody has put in what would not start.
    fs::create_dir(&folder).unwrap();
    fs::write(&file, "timeout soon\n").unwrap();
    let said = client.ask(&["CONFIG", "REWRITE"]);
    assert!(said.contains("cannot be read any more"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "timeout soon\n");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let directory = Directory::new("wrong");
    let file = directory.path().join("seedis.conf");
    fs::write(
        &file,
        "port 70000\nreplicaof 10.0.0.1 6379\nmaxmemmory 1gb\ntls-port 6380\n",
    )
    .unwrap();
    let start = |file: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
        let output = command
            .arg(file)
            .env("SEEDIS_MAXCLIENTS", "0")
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, said) = start(&file);
    assert_eq!(code, Some(2));
    for part in [
        "line 1: 'port 70000': argument must be between 0 and 65535",
        "line 2: 'replicaof 10.0.0.1 6379': a server is no replica of another",
        "line 3: unknown directive 'maxmemmory', did you mean 'maxmemory'?",
        "line 4: 'tls-port 6380': there is no TLS here",
        "variable SEEDIS_MAXCLIENTS: 'maxclients 0'",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // As an unset variable of a compose file leaves it: no file is touched.
    let output = Command::new(env!("CARGO_BIN_EXE_seedis"))
        .current_dir(directory.path())
        .args(["--port", &free_port().to_string(), "--dir", ""])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("dir is empty"), "{said}");
    assert!(!directory.path().join("lock").exists());
    // What is no file is said to be none, and nothing is waited for.
    let pipe = directory.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for path in [&pipe, directory.path()] {
        let (code, said) = start(path);
        assert_eq!(code, Some(2));
        assert!(said.contains("it is not a regular file"), "{said}");
    }
}

#[test]
fn a_file_may_come_from_standard_input() {
    let port = free_port();
    let mut child = Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args(["-", "--appendonly", "no"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = format!("port {port}\ntimeout 77");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let mut server = Started {
        child,
        port,
        log: PathBuf::new(),
    };
    let mut client = server.client();
    assert_eq!(value(&mut client, "timeout"), "timeout 77");
    let said = client.ask(&["CONFIG", "REWRITE"]);
    assert_eq!(said, "-ERR The server is running without a config file");
}

#[test]
fn a_server_in_the_background_listens_when_the_start_has_ended() {
    let directory = Directory::new("background");
    let (port, pid_file) = (free_port(), directory.path().join("pid"));
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
        command.args(["--port", &port.to_string(), "--daemonize", "yes", "--dir"]);
        command.arg(directory.path().join("data"));
        command.arg("--pidfile").arg(&pid_file);
        command.stdout(Stdio::null()).output().unwrap()
    };
    assert!(start().status.success());
    let mut client = Client::try_connect(port).expect("it listens");
    assert_eq!(client.ask(&["CONFIG", "GET", "daemonize"]), "daemonize yes");
    let pid = fs::read_to_string(&pid_file).unwrap();
    // A second one cannot, and the one who starts it is told.
    let second = start();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("in use by another server"), "{said}");
    assert!(
        Command::new("kill")
            .arg(pid.trim())
            .status()
            .unwrap()
            .success()
    );
    let begun = Instant::now();
    while pid_file.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the pidfile stays"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_cannot_be_listened_on_is_found_before_a_directory_is_made() {
    let directory = Directory::new("places");
    let data = directory.path().join("data");
    let port = free_port().to_string();
    let own = format!("1=127.0.0.1:{port},2=127.0.0.1:{}", free_port());
    for options in [
        &["--bind", "1.2.3.4.5"][..],
        &["--bind", "127.0.0.1", "127.0.0.1"],
        &["--id", "1", "--peers", &own],
        &["--cluster-port", &port],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_seedis"))
            .args(["--port", &port, "--dir"])
            .arg(&data)
            .args(options)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(!data.exists(), "{options:?}: {said}");
    }
}
