//! Members of a group as processes of this machine: they form a group, lose their leader, take
//! somebody in, and turn away who does not belong.

mod arrivals;
mod backup;
mod channels;
mod chaos;
mod damage;
mod door;
mod group;
mod measure;
mod proxy;
mod removed;
mod silence;
mod strain;
#[cfg(debug_assertions)]
mod versions;
mod waits;

use std::time::{Duration, Instant};

use crate::process::{Client, Directory, Server, free_port};
use group::{Group, Machines, PROXY};

/// The exit code and the last words of a member that must not come in.
fn last_words(directory: &Directory, options: &[&str]) -> (Option<i32>, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args(["--port", &free_port().to_string(), "--dir"])
        .arg(directory.path())
        .args(options)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), words)
}

#[test]
fn a_group_survives_its_leader_and_takes_it_back() {
    let mut group = Group::form("cluster-kill", 3);
    let first = group.leader();
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    // Whoever does not lead names who does, by an address that a client can use.
    let follower = (first + 1) % 3;
    let moved = group.client(follower).ask(&["GET", "a"]);
    let wanted = format!("-MOVED 15495 127.0.0.1:{}", group.port(first));
    assert_eq!(moved, wanted);
    group.kill(first);
    assert_eq!(group.ask(&["SET", "a", "2"]), "+OK");
    let second = group.leader();
    assert_ne!(second, first);
    // Its directory is all that it needs.
    group.start(first);
    group.wait_until("it has caught up", |group| {
        let applied = |member| group.info(member, "applied");
        applied(first).is_some() && applied(first) == applied(second)
    });
    // The group can lose another one now.
    group.kill(second);
    assert_eq!(group.ask(&["GET", "a"]), "2");
}

/// A load balancer sends writes to whoever says `role:master`.
#[test]
fn a_member_that_is_started_again_is_no_master_while_another_leads() {
    let mut group = Group::form("cluster-role", 3);
    let leader = group.leader();
    let value = "v".repeat(20_000);
    for number in 0..300 {
        assert_eq!(group.ask(&["SET", &format!("k{number}"), &value]), "+OK");
    }
    let follower = (leader + 1) % 3;
    group.stop(follower);
    group.start(follower);
    let (mut answers, mut linked) = (0, false);
    let end = Instant::now() + Duration::from_secs(30);
    while !linked && Instant::now() < end {
        let Ok(mut client) = Client::try_connect(group.port(follower)) else {
            continue;
        };
        for question in [&["INFO", "replication"][..], &["ROLE"], &["HELLO"]] {
            let Ok(answer) = client.try_ask(question) else {
                break;
            };
            let says = ["role:master", "role master"].map(|words| answer.contains(words));
            assert!(!says.contains(&true), "{answer}");
            assert!(!answer.starts_with("master "), "{answer}");
            linked |= answer.contains("master_link_status:up");
            answers += 1;
        }
    }
    assert!(
        linked && answers > 0,
        "{answers} answers, and none of a follower"
    );
}

#[test]
fn a_server_of_its_own_becomes_a_group_that_somebody_new_joins() {
    let mut group = Group::alone("cluster-join");
    for number in 0..100 {
        let key = format!("k{number}");
        assert_eq!(group.ask(&["SET", &key, "v"]), "+OK");
    }
    let second = group.join(0);
    group.wait_for_voters(2);
    let third = group.join(second);
    group.wait_for_voters(3);
    group.kill(0);
    assert_eq!(group.ask(&["DBSIZE"]), ":100");
    // Who is lost for good is replaced by somebody new, under a number of its own.
    group.remove("1");
    group.wait_for_voters(2);
    let fourth = group.join(third);
    group.wait_for_voters(3);
    group.kill(second);
    assert_eq!(group.ask(&["DBSIZE"]), ":100");
    assert_eq!(group.ask(&["SET", "k0", "w"]), "+OK");
    assert!([third, fourth].contains(&group.leader()));
}

/// The state that it is sent knows its predecessor as a voter; it asks for a vote all the same.
#[test]
fn an_empty_disk_takes_the_number_of_a_lost_one_and_comes_to_vote() {
    let mut group = Group::form("cluster-replace", 3);
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    for at in 0..3 {
        assert_eq!(group.client(at).ask(&["RAFT", "SNAPSHOT"]), "+OK");
    }
    group.wait_until("all have a base", |group| {
        let base = |at| group.info(at, "base").unwrap_or_default();
        (0..3).all(|at| base(at).parse::<u64>().is_ok_and(|base| base > 0))
    });
    // In memory there is only what follows the base.
    (0..3).for_each(|at| group.kill(at));
    (0..3).for_each(|at| group.start(at));
    let leader = group.leader();
    group.replace((leader + 1) % 3);
    assert_eq!(group.ask(&["GET", "a"]), "1");
}

/// The room that is left is enough for a state and the log behind it, and not for a whole segment.
#[test]
fn a_leader_with_little_room_makes_a_state_for_who_is_new() {
    let options = ["--auto-aof-rewrite-percentage", "0"];
    let mut group = Group::form_on(Machines::Fragile { mib: 160 }, "cluster-tight", 3, &options);
    if !group.has_disks() {
        println!("skipped: no right to mount a file system here");
        return;
    }
    // Four segments of five for which there is no room, and more than is kept in memory for others.
    let value = "v".repeat(1 << 20);
    for _ in 0..105 {
        assert_eq!(group.ask(&["SET", "a", &value]), "+OK");
    }
    let leader = group.leader();
    group.replace((leader + 1) % 3);
    let digest = |at| group.digest(at);
    group.wait_until("all hold the same", |_| {
        digest(0).is_some() && digest(0) == digest(1) && digest(0) == digest(2)
    });
}

#[test]
fn who_does_not_belong_is_told_what_to_do() {
    let group = Group::form("cluster-refused", 3);
    let empty = Directory::new("cluster-refused-empty");
    let door = group.door(0);
    let port = free_port().to_string();
    let own = format!("127.0.0.1:{port}");
    let words = |options: &[&str]| {
        let (code, words) = last_words(&empty, options);
        assert_ne!(code, Some(0), "{words}");
        words
    };
    // Another word than the group's.
    let text = words(&[
        "--join",
        &door,
        "--cluster-port",
        &port,
        "--cluster-secret",
        "x",
    ]);
    assert!(text.contains("--cluster-secret"), "{text}");
    group.wait_until("it was counted", |group| {
        let info = group.client(0).ask(&["INFO", "cluster"]);
        info.contains("cluster_refused_members:1")
    });
    // A number that another disk has.
    let text = words(&["--join", &door, "--cluster-port", &port, "--id", "2"]);
    assert!(text.contains("RAFT REMOVE 2"), "{text}");
    // A founder whose disk was wiped.
    let peers = format!("1={door},2={own},3={}", group.door(2));
    let text = words(&["--id", "2", "--peers", &peers]);
    assert!(text.contains("--join"), "{text}");
    // A directory that is in use, and one that belongs to another member.
    let used = group.directory(0);
    let output = last_words(used, &["--cluster-port", &port]);
    assert!(output.1.contains("in use"), "{}", output.1);
    let output = last_words(used, &["--id", "7"]);
    assert_eq!(output.0, Some(2), "{}", output.1);
    assert!(output.1.contains("belongs to member 1"), "{}", output.1);
}

#[test]
fn all_members_are_replaced_one_after_the_other_and_again() {
    let mut group = Group::form("cluster-replaced", 3);
    assert_eq!(group.ask(&["SET", "kept", "through it all"]), "+OK");
    for at in [0, 1, 2, 0, 1] {
        group.replace(at);
        assert_eq!(group.ask(&["GET", "kept"]), "through it all");
    }
}

#[test]
fn a_server_with_data_is_no_founder_and_a_member_keeps_a_log() {
    let directory = Directory::new("cluster-founder");
    let server = Server::start(directory.path(), &[]);
    server.kill();
    let peers = "1=127.0.0.1:1,2=127.0.0.1:2";
    let (code, words) = last_words(&directory, &["--id", "1", "--peers", peers]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("--join"), "{words}");
    let empty = Directory::new("cluster-memory");
    let options = ["--appendonly", "no", "--id", "1", "--peers", peers];
    let (code, words) = last_words(&empty, &options);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("--appendonly"), "{words}");
    let (code, words) = last_words(&empty, &["--id", "3"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("--join"), "{words}");
    let (code, words) = last_words(&empty, &["--id", "3", "--peers", peers]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("does not list member 3"), "{words}");
}

#[test]
fn a_group_loses_no_acknowledged_write_and_looks_like_one_server() {
    let seconds = std::env::var("SEEDIS_CHAOS_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(8);
    let members = std::env::var("SEEDIS_CHAOS_MEMBERS").ok();
    let members = members.and_then(|text| text.parse().ok()).unwrap_or(3);
    let begun = Instant::now();
    let told = chaos::run(members, Duration::from_secs(seconds));
    println!("{told} in {:.0?}", begun.elapsed());
}

#[test]
fn cluster_clients_see_one_shard_whose_primary_leads() {
    let group = Group::form("cluster-view", 3);
    let leader = group.leader();
    let follower = (leader + 1) % 3;
    assert_eq!(group.ask(&["SET", "foo", "1"]), "+OK");
    let port = |at: usize| group.port(at).to_string();
    let slots = group.client(follower).ask(&["CLUSTER", "SLOTS"]);
    let first = format!(":0 :16383 127.0.0.1 :{} ", port(leader));
    assert!(slots.starts_with(&first), "{slots}");
    assert!((0..3).all(|at| slots.contains(&port(at))), "{slots}");
    let info = group.client(follower).ask(&["INFO", "raft"]);
    let id = format!("raft_id:{}\r\n", follower + 1);
    assert!(info.contains("raft_role:follower\r\n"), "{info}");
    assert!(info.contains(&id), "{info}");
    let info = group.client(follower).ask(&["CLUSTER", "INFO"]);
    assert!(info.contains("cluster_state:ok"), "{info}");
    let mut client = group.client(follower);
    assert_eq!(client.ask(&["CLUSTER", "KEYSLOT", "foo"]), ":12182");
    assert!(client.ask(&["CLUSTER", "NODES"]).contains("myself,slave"));
    // Who leads is asked for what the others hold, and a follower whom it follows.
    let role = client.ask(&["ROLE"]);
    assert!(
        role.starts_with(&format!("slave 127.0.0.1 :{}", port(leader))),
        "{role}"
    );
    let nodes = client.ask(&["CLUSTER", "NODES"]);
    for at in 0..3 {
        let address = format!(" 127.0.0.1:{}@{} ", group.port(at), group.cluster_port(at));
        assert!(nodes.contains(&address), "{nodes}");
    }
    let moved = format!("-MOVED 0 127.0.0.1:{}", port(leader));
    for words in [
        ["ADD", "9"],
        ["REMOVE", "9"],
        ["PROMOTE", "9"],
        ["TRANSFER", "9"],
    ] {
        assert_eq!(
            client.ask(&["RAFT", words[0], words[1]]),
            moved,
            "{words:?}"
        );
    }
    let refused = client.ask(&["RAFT", "TRANSFER", "1", "2"]);
    assert!(
        refused.starts_with("-ERR wrong number of arguments"),
        "{refused}"
    );
    assert_eq!(client.ask(&["PING"]), "+PONG");
    assert_eq!(group.client(leader).ask(&["WAIT", "2", "0"]), ":2");
    assert_eq!(
        group
            .client(leader)
            .ask(&["CLUSTER", "COUNTKEYSINSLOT", "12182"]),
        ":1"
    );
    assert_eq!(
        group
            .client(leader)
            .ask(&["CLUSTER", "GETKEYSINSLOT", "12182", "9"]),
        "foo"
    );
    // Reads of who does not mind an old state are answered here, writes are not.
    assert_eq!(client.ask(&["READONLY"]), "+OK");
    group.wait_until("it is applied there", |_| {
        client.ask(&["GET", "foo"]) == "1"
    });
    assert!(
        client
            .ask(&["SET", "foo", "2"])
            .starts_with("-MOVED 12182 ")
    );
    assert_eq!(client.ask(&["READWRITE"]), "+OK");
    assert!(client.ask(&["GET", "foo"]).starts_with("-MOVED 12182 "));
}

#[test]
fn a_client_says_which_reads_it_wants() {
    let group = Group::form_always("cluster-reads", 3, &["--lease-reads", "yes"]);
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    let leader = group.leader();
    let mut of_leader = group.client(leader);
    for level in ["LINEARIZABLE", "LEASE", "DEFAULT", "LOCAL"] {
        assert_eq!(of_leader.ask(&["RAFT", "READS", level]), "+OK");
        assert_eq!(of_leader.ask(&["RAFT", "READS"]), level.to_lowercase());
        assert_eq!(of_leader.ask(&["GET", "a"]), "1");
    }
    let mut client = group.client((leader + 1) % 3);
    assert_eq!(client.ask(&["RAFT", "READS", "LOCAL"]), "+OK");
    group.wait_until("it is applied there", |_| client.ask(&["GET", "a"]) == "1");
    // A minute is more than a follower is behind that has heard its leader twice, a millisecond is
    // less than it may be without knowing.
    assert_eq!(client.ask(&["RAFT", "READS", "BOUNDED", "60000"]), "+OK");
    group.wait_until("it knows how old its state is", |_| {
        client.ask(&["GET", "a"]) == "1"
    });
    assert_eq!(client.ask(&["RAFT", "READS", "BOUNDED", "1"]), "+OK");
    assert!(client.ask(&["GET", "a"]).starts_with("-MOVED "));
    assert_eq!(client.ask(&["RAFT", "READS"]), "bounded 1");
    for words in [
        &["BOUNDED"][..],
        &["BOUNDED", "0"],
        &["LOCAL", "1"],
        &["SOON"],
    ] {
        let words: Vec<&str> = ["RAFT", "READS"].iter().chain(words).copied().collect();
        assert!(client.ask(&words).starts_with("-ERR "), "{words:?}");
    }
    assert_eq!(client.ask(&["RESET"]), "+RESET");
    assert_eq!(client.ask(&["RAFT", "READS"]), "default");
    // Whether clocks are good enough is for who starts the members to say.
    let group = Group::form("cluster-no-lease", 3);
    let mut client = group.client(0);
    assert_eq!(client.ask(&["RAFT", "READS", "LINEARIZABLE"]), "+OK");
    let refused = client.ask(&["RAFT", "READS", "LEASE"]);
    assert!(
        refused.starts_with("-ERR lease reads are not allowed"),
        "{refused}"
    );
    assert_eq!(client.ask(&["RAFT", "READS"]), "linearizable");
}

#[test]
fn a_plain_client_talks_to_any_member_that_carries_its_requests() {
    let mut group = Group::form_always("cluster-proxy", 3, &PROXY);
    let slots = group.client(0).ask(&["CLUSTER", "SLOTS"]);
    let leads = |at: &usize| slots.contains(&format!(":16383 127.0.0.1 :{} ", group.port(*at)));
    let leader = (0..3).find(leads).unwrap_or_default();
    let follower = (leader + 1) % 3;
    let mut client = group.client(follower);
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    assert_eq!(client.ask(&["MULTI"]), "+OK");
    assert_eq!(client.ask(&["INCR", "a"]), "+QUEUED");
    assert_eq!(client.ask(&["EXEC"]), ":2");
    // A write that the leader takes and cannot answer any more may have happened.
    group.signal(leader, "STOP");
    client.send(&["INCR", "a"]).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    group.kill(leader);
    let last = client.reply().unwrap();
    assert!(last.starts_with("-UNCERTAIN"), "{last}");
    assert!(
        client.reply().is_err(),
        "the connection is closed behind it"
    );
    // Who comes again is carried to whoever leads by then.
    group.wait_until("a plain client is served by each of the others", |group| {
        let served = |at: usize| {
            let answer = group.client(at).try_ask(&["GET", "a"]);
            answer.is_ok_and(|answer| answer == "2" || answer == "3")
        };
        (0..3).filter(|at| *at != leader).all(served)
    });
}

/// A leader that is stopped, or cut off, keeps the connections of those it was carried, and never
/// answers: whoever carries them learns that another leads.
#[test]
fn a_carried_client_is_told_when_its_leader_is_deposed_and_not_dead() {
    let group = Group::form_always("cluster-proxy-deposed", 3, &PROXY);
    let slots = group.client(0).ask(&["CLUSTER", "SLOTS"]);
    let leads = |at: &usize| slots.contains(&format!(":16383 127.0.0.1 :{} ", group.port(*at)));
    let leader = (0..3).find(leads).unwrap_or_default();
    let follower = (leader + 1) % 3;
    let [mut writer, mut reader, mut idle] = [0; 3].map(|_| group.client(follower));
    for client in [&mut writer, &mut reader, &mut idle] {
        assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    }
    group.signal(leader, "STOP");
    // Let in by the kernel of the leader, if it comes early enough.
    let mut late = group.client(follower);
    writer.send(&["INCR", "a"]).unwrap();
    reader.send(&["GET", "a"]).unwrap();
    late.send(&["INCR", "a"]).unwrap();
    assert!(writer.reply().unwrap().starts_with("-UNCERTAIN "));
    assert!(reader.reply().unwrap().starts_with("-CLUSTERDOWN "));
    let last = late.reply();
    let is_told = |last: &String| last.starts_with("-UNCERTAIN ") || last.starts_with(':');
    assert!(last.as_ref().is_ok_and(is_told), "{last:?}");
    for client in [&mut writer, &mut reader, &mut idle] {
        assert!(
            client.reply().is_err(),
            "the connection is closed behind it"
        );
    }
    group.wait_until("a plain client is served by the others", |group| {
        let served = |at: usize| {
            let answer = group.client(at).try_ask(&["INCR", "a"]);
            answer.is_ok_and(|answer| answer.starts_with(':'))
        };
        (0..3).filter(|at| *at != leader).all(served)
    });
    group.signal(leader, "CONT");
}

#[test]
fn the_demo_goes_on_while_its_leaders_die() {
    let first = loop {
        let first = free_port();
        let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (0..3).all(|at| is_free(first + at) && is_free(first + at + 10_000)) {
            break first;
        }
    };
    let mut demo = std::process::Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args([
            "demo",
            "--kill-every",
            "700ms",
            "--port",
            &first.to_string(),
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let (mut written, mut leaders) = (0, std::collections::BTreeSet::new());
    while leaders.len() < 3 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "three members have led"
        );
        for port in first..first + 3 {
            let value = (written + 1).to_string();
            let reply = Client::try_connect(port)
                .and_then(|mut client| client.try_ask(&["SET", "a", &value]));
            if reply.is_ok_and(|reply| reply == "+OK") {
                written += 1;
                leaders.insert(port);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = demo.id().to_string();
    let told = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(told.success());
    assert!(demo.wait().unwrap().success());
}
