//! The members' port: where it listens, for whom, and what strangers can do to it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use seedis::ids::{Incarnation, LogIndex, NodeId};
use seedis::node::greeting::{
    Admission, Greeting, Line, PREFACE_BYTES, Preface, Standing, VERSIONS,
};
use seedis::node::versions::ENTRY_VERSIONS;
use sha2::Sha256;

use super::group::{Group, Machines};
use super::last_words;
use crate::process::{Directory, Server, free_port};

#[test]
fn without_a_secret_a_group_stays_on_its_machine_or_does_not_start() {
    let empty = Directory::new("door-open");
    let port = free_port().to_string();
    let said = |options: &[&str]| {
        let all: Vec<&str> = ["--cluster-port", &port]
            .iter()
            .chain(options)
            .copied()
            .collect();
        let (code, words) = last_words(&empty, &all);
        assert_eq!(code, Some(2), "{options:?}: {words}");
        words
    };
    for bind in [
        "0.0.0.0",
        "*",
        "::",
        "::*",
        "-::*",
        "127.0.0.1 0.0.0.0",
        "192.0.2.1",
    ] {
        // Neither a password of clients nor an open door for them says anything of members.
        for more in [
            &[][..],
            &["--protected-mode", "no"],
            &["--requirepass", "x"],
        ] {
            let options: Vec<&str> = ["--cluster-bind", bind]
                .iter()
                .chain(more)
                .copied()
                .collect();
            let words = said(&options);
            assert!(words.contains("openssl rand -hex 32"), "{words}");
        }
    }
    for join in ["192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"] {
        let words = said(&["--join", join, "--protected-mode", "no"]);
        assert!(words.contains("another machine"), "{words}");
    }
    for (join, why) in [
        ("::1:1", "brackets"),
        ("[fe80::1%lo]:1", "zone id"),
        ("nowhere", "no port"),
    ] {
        let words = said(&["--join", join]);
        assert!(words.contains(why), "{words}");
    }
    let words = said(&["--cluster-secret", "x", "--cluster-secret-file", "y"]);
    assert!(words.contains("give one"), "{words}");
    // Nothing of all that has touched the directory.
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[test]
fn without_a_secret_the_port_is_on_loopback_alone_and_the_log_says_so() {
    let directory = Directory::new("door-loopback");
    let log = directory.path().join("log").display().to_string();
    let port = free_port();
    let options = [
        "--cluster-port",
        &port.to_string(),
        "--protected-mode",
        "no",
        "--logfile",
        &log,
    ];
    let server = Server::start(directory.path(), &options);
    // The address on which nobody else listens is still to be had.
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
    let own = std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        Ok(socket.local_addr()?.ip())
    });
    if let Ok(own) = own.as_ref()
        && !own.is_loopback()
    {
        assert!(TcpStream::connect((*own, port)).is_err(), "{own}");
    }
    let text = std::fs::read_to_string(&log).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.contains("no cluster-secret"));
    assert_eq!(lines.count(), 1, "{text}");
    drop(server);
}

/// Returns true if this machine has the loopback address of IPv6.
fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn a_group_forms_and_grows_on_addresses_of_the_sixth_version() {
    if !has_ipv6() {
        println!("skipped: this machine has no ::1");
        return;
    }
    for always in [&[][..], &["--cluster-secret", "a secret of twenty bytes"]] {
        let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let address = |(at, port): (usize, &u16)| format!("{}=[::1]:{port}", at + 1);
        let peers: Vec<String> = ports.iter().enumerate().map(address).collect();
        let peers = peers.join(",");
        let name = "door-ipv6";
        let mut group = Group::form_with(name, &ports, always, Machines::Plain, |_| peers.clone());
        let leader = group.leader();
        let follower = (leader + 1) % 3;
        // Without brackets, as redis-server has them.
        let moved = format!("-MOVED 15495 ::1:{}", group.port(leader));
        group.wait_until("the follower has heard who leads", |group| {
            group.client(follower).ask(&["GET", "a"]) == moved
        });
        let slots = group.client(follower).ask(&["CLUSTER", "SLOTS"]);
        let first = format!(":0 :16383 ::1 :{} ", group.port(leader));
        assert!(slots.starts_with(&first), "{slots}");
        let nodes = group.client(follower).ask(&["CLUSTER", "NODES"]);
        assert!(
            nodes.contains(&format!(" ::1:{}@", group.port(leader))),
            "{nodes}"
        );
        group.join_at(&format!("[::1]:{}", ports[leader]));
        group.wait_for_voters(4);
    }
}

/// Comes to a members' port as a member without a secret would.
fn comes_in(port: u16, id: u64, line: Line) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).unwrap();
    let ours = Preface {
        versions: VERSIONS,
        nonce: [7; 16],
    };
    stream.write_all(&ours.encode()).unwrap();
    let mut theirs = [0; PREFACE_BYTES];
    stream.read_exact(&mut theirs).unwrap();
    let greeting = Greeting {
        line,
        id: NodeId(id),
        incarnation: Incarnation(id),
        applied: LogIndex(0),
        address: ":1".into(),
        clients: ":1".into(),
        standing: Standing::Joining { cluster: None },
        contacts: Vec::new(),
        admission: Admission::Unasked,
        entry_versions: ENTRY_VERSIONS,
        speaks: 0,
    };
    let said = greeting.encode();
    let mut proof = Hmac::<Sha256>::new_from_slice(b"").unwrap();
    proof.update(b"seedis members 3");
    proof.update(&[1]);
    proof.update(&ours.encode());
    proof.update(&theirs);
    proof.update(&0_u32.to_le_bytes());
    let len = (said.len() as u32).to_le_bytes();
    proof.update(&len);
    proof.update(&said);
    let sum = proof.finalize().into_bytes();
    let all = [&len[..], &said, &sum].concat();
    stream.write_all(&all).unwrap();
    let mut len = [0; 4];
    stream.read_exact(&mut len).unwrap();
    let len = u32::from_le_bytes(len) as usize;
    assert_ne!(len, 0, "it is let in");
    let mut rest = vec![0; len + 32];
    stream.read_exact(&mut rest).unwrap();
    stream
}

/// Returns true if the other side closes the connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_frame_that_no_member_says_ends_the_connection_and_takes_no_memory() {
    let group = Group::alone("door-frames");
    let port = group.cluster_port(0);
    let before = group.resident_kib(0);
    for (line, len) in [
        (Line::Control, 65 << 10),
        (Line::Control, u32::MAX),
        (Line::Bulk, 3 << 30),
        (Line::Bulk, 0),
    ] {
        let mut stream = comes_in(port, 77, line);
        stream.write_all(&u32::to_le_bytes(len)).unwrap();
        stream.write_all(&[0; 8]).unwrap();
        assert!(is_closed(&mut stream), "{line:?} {len}");
    }
    // One that may be so long gets what it sends, and no more.
    let mut streams: Vec<TcpStream> = (0..8)
        .map(|at| comes_in(port, 80 + at, Line::Bulk))
        .collect();
    for stream in &mut streams {
        stream.write_all(&u32::to_le_bytes(1 << 30)).unwrap();
        stream.write_all(&[0; 1000]).unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    let grown = group.resident_kib(0).saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
    // The same member comes again: it is heard once.
    let mut first = comes_in(port, 90, Line::Bulk);
    let _second = comes_in(port, 90, Line::Bulk);
    assert!(is_closed(&mut first));
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
}

#[test]
fn a_crowd_of_strangers_keeps_no_member_out_and_does_not_fill_the_log() {
    let directory = Directory::new("door-crowd");
    let log = directory.path().join("log").display().to_string();
    let port = free_port();
    let secret = ["--cluster-secret", "a secret of twenty bytes"];
    let mut options = vec!["--cluster-port".to_owned(), port.to_string()];
    options.extend(["--logfile".to_owned(), log.clone()]);
    options.extend(secret.map(str::to_owned));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let server = Server::start(directory.path(), &options);
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let open = || {
        let links = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
        links.count()
    };
    let before = open();
    let idle: Vec<TcpStream> = (0..300).map(|_| connect()).collect();
    // Some that are let go are not closed yet.
    let begun = Instant::now();
    let mut most = 0;
    while begun.elapsed() < Duration::from_millis(500) {
        most = most.max(open());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(most <= before + 100, "{most} descriptors, {before} before");
    // Those who prove the wrong thing are told so, and the log tells of some.
    for _ in 0..200 {
        let mut stream = connect();
        let ours = Preface {
            versions: VERSIONS,
            nonce: [9; 16],
        };
        stream.write_all(&ours.encode()).unwrap();
        stream.write_all(&40_u32.to_le_bytes()).unwrap();
        stream.write_all(&[1; 72]).unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
    }
    let own = Directory::new("door-crowd-member");
    let door = format!("127.0.0.1:{port}");
    let cluster_port = free_port().to_string();
    let mut options = vec!["--join", &door, "--cluster-port", &cluster_port];
    options.extend(secret);
    let _crowd: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
    let member = Server::spawn(own.path(), free_port(), &options);
    let begun = Instant::now();
    loop {
        let nodes = server.client().ask(&["RAFT", "NODES"]);
        if nodes
            .lines()
            .filter(|line| line.contains(" voter "))
            .count()
            == 1
        {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{nodes}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let lines = std::fs::read_to_string(&log).unwrap();
    let refused = lines
        .lines()
        .filter(|line| {
            line.contains("refused a member from") || line.contains("did not prove to be a member")
        })
        .count();
    assert!((1..=10).contains(&refused), "{refused} lines\n{lines}");
    drop((idle, member));
}

/// The strangers that a member has counted.
fn counted(group: &Group) -> u64 {
    let info = group.client(0).ask(&["INFO", "cluster"]);
    let count = info.lines().find_map(|line| {
        let count = line.strip_prefix("cluster_refused_members:")?;
        count.trim().parse().ok()
    });
    count.unwrap_or_default()
}

#[test]
fn whoever_does_not_prove_itself_is_counted() {
    let group = Group::form("door-counted", 3);
    let before = counted(&group);
    let http = b"GET / HTTP/1.1\r\nHost: seedis.example\r\nAccept: */*\r\n\r\n";
    let mut long = Preface {
        versions: VERSIONS,
        nonce: [7; 16],
    }
    .encode()
    .to_vec();
    long.extend_from_slice(&u32::MAX.to_le_bytes());
    let random: Vec<u8> = (0..200u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let said: [&[u8]; 6] = [b"PING\r\n", http, &random, &[0; 100], &long, b""];
    let mut strangers = Vec::new();
    for bytes in said {
        let mut stranger = TcpStream::connect(group.door(0)).unwrap();
        stranger.write_all(bytes).unwrap();
        strangers.push(stranger);
    }
    group.wait_until("they are counted", |group| counted(group) >= before + 6);
    // Of those who only hold connections some make way for others, and the rest wait in vain.
    strangers.extend((0..100).map(|_| TcpStream::connect(group.door(0)).unwrap()));
    group.wait_until("they are counted too", |group| {
        counted(group) >= before + 106
    });
}
