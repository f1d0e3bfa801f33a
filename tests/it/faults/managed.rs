//! Under a service manager that speaks systemd's protocol, which a test plays.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Stdio;

use crate::process::{Directory, free_port};

use super::stage::{HANGS, Process, server};

/// Everything that is said until something is.
fn hears(socket: &UnixDatagram, wanted: &str) -> String {
    socket.set_read_timeout(Some(HANGS)).expect("a time limit");
    let mut heard = String::new();
    let mut buffer = [0; 4096];
    while !heard.lines().any(|line| line == wanted) {
        let count = socket.recv(&mut buffer).expect("it is said in time");
        heard.push_str(core::str::from_utf8(&buffer[..count]).expect("text"));
        heard.push('\n');
    }
    heard
}

#[test]
fn it_says_when_it_takes_clients_and_when_it_stops() {
    let directory = Directory::new("managed");
    let path = directory.path().join("notify");
    let name = format!("seedis-test-{}-{}", std::process::id(), free_port());
    let by_path = UnixDatagram::bind(&path).expect("a socket");
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let by_name = UnixDatagram::bind_addr(&address).expect("a socket");
    let places = [
        (by_path, path.display().to_string(), "auto"),
        (by_name, format!("@{name}"), "systemd"),
    ];
    for (socket, place, wanted) in places {
        let data = directory.path().join("data");
        let (mut command, port) = server(&data, &["--supervised", wanted]);
        command.env("NOTIFY_SOCKET", &place);
        command.env("WATCHDOG_USEC", "100000");
        command.env("WATCHDOG_PID", "");
        let process = Process::run(command, port, Stdio::null(), Stdio::null());
        let heard = hears(&socket, "READY=1");
        let pid = format!("MAINPID={}", process.pid());
        assert!(heard.lines().any(|line| line == pid), "{heard}");
        // It was true when it was said.
        let mut client = crate::process::Client::try_connect(port).expect("it listens");
        assert!(!client.ask(&["DBSIZE"]).starts_with("-LOADING"));
        hears(&socket, "WATCHDOG=1");
        hears(&socket, "WATCHDOG=1");
        assert_eq!(process.stop(), Some(0));
        let heard = hears(&socket, "STOPPING=1");
        assert!(!heard.contains("READY=1"), "{heard}");
    }
}

#[test]
fn a_member_that_waits_for_others_keeps_no_service_manager_waiting() {
    let directory = Directory::new("managed-member");
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let peers = format!("1=127.0.0.1:{},2=127.0.0.1:{}", free_port(), free_port());
    let data = directory.path().join("data");
    let (mut command, port) = server(&data, &["--id", "1", "--peers", &peers]);
    command.env("NOTIFY_SOCKET", &path);
    let process = Process::run(command, port, Stdio::null(), Stdio::null());
    let heard = hears(&socket, "READY=1");
    assert!(
        heard.contains("STATUS=waiting for the other members"),
        "{heard}"
    );
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn nobody_is_told_who_is_not_there_or_not_wanted() {
    let directory = Directory::new("unmanaged");
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    for (wanted, place) in [("no", "notify"), ("auto", "nowhere"), ("systemd", "")] {
        let data = directory.path().join("data");
        let (mut command, port) = server(&data, &["--supervised", wanted]);
        let place = match place {
            "" => std::ffi::OsString::new(),
            place => directory.path().join(place).into(),
        };
        command.env("NOTIFY_SOCKET", place);
        let process = Process::run(command, port, Stdio::null(), Stdio::null());
        assert_eq!(process.client().ask(&["PING"]), "+PONG");
        assert_eq!(process.stop(), Some(0));
    }
    socket.set_nonblocking(true).expect("it can be");
    assert!(socket.recv(&mut [0; 64]).is_err(), "it was told");
}
