//! Transactions of clients who have said READONLY: a follower runs reads, on one state, and sends
//! writes to the leader.

use seedis::ids::ConnId;
use seedis::node::input::Input;

use super::{Group, MEMBERS, id};
use crate::bare::opened;

impl Group {
    fn open(&mut self, member: usize) -> ConnId {
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        let node = self.machines[member].node.as_mut().expect("it runs");
        node.handle(self.now, opened(conn, "10.0.1.1:1"));
        conn
    }

    /// A client that is there asks, and waits until nothing more comes.
    fn say(&mut self, (member, conn): (usize, ConnId), requests: &[&str]) -> String {
        let bytes = requests.join("\r\n") + "\r\n";
        let node = self.machines[member].node.as_mut().expect("it runs");
        let bytes = bytes.as_bytes();
        node.handle(self.now, Input::Received { conn, bytes });
        let mut said = Vec::new();
        for _ in 0..1000 {
            self.step();
            let more = self.machines[member].replies.remove(&conn);
            let more = more.unwrap_or_default();
            if more.is_empty() && !said.is_empty() {
                break;
            }
            said.extend(more);
        }
        let text = String::from_utf8(said).expect("text");
        text.trim().replace("\r\n", " ")
    }

    fn settle(&mut self) {
        (0..200).for_each(|_| self.step());
    }
}

/// The answers of redis-server 7.0 as the replica of a cluster.
#[test]
fn a_follower_runs_a_transaction_of_reads_for_who_has_said_readonly() {
    let mut group = Group::new();
    let leader = group.leader();
    let follower = (leader + 1) % MEMBERS;
    assert_eq!(group.ask(leader, "SET a 1"), "+OK");
    assert_eq!(group.ask(leader, "SET b 2"), "+OK");
    group.settle();
    let client = (follower, group.open(follower));
    let moved = format!("-MOVED 15495 10.0.0.{}:6379", leader + 1);
    let aborted = "-EXECABORT Transaction discarded because of previous errors.";
    let mut says = |requests: &[&str]| group.say(client, requests);

    // What looks at no key is run whatever the client wants.
    assert_eq!(says(&["EXEC"]), "-ERR EXEC without MULTI");
    assert_eq!(says(&["MULTI", "EXEC"]), "+OK *0");
    assert_eq!(says(&["MULTI", "PING", "EXEC"]), "+OK +QUEUED *1 +PONG");
    assert_eq!(
        says(&["MULTI", "GET a", "EXEC"]),
        format!("+OK {moved} {aborted}")
    );
    assert_eq!(says(&["WATCH a"]), moved);

    assert_eq!(says(&["READONLY"]), "+OK");
    assert_eq!(
        says(&["MULTI", "GET a", "MGET a b", "INCR", "EXEC"]),
        format!("+OK +QUEUED +QUEUED -ERR wrong number of arguments for 'incr' command {aborted}")
    );
    assert_eq!(
        says(&["MULTI", "GET a", "HLEN a", "MGET a b", "EXEC", "GET b"]),
        "+OK +QUEUED +QUEUED +QUEUED *3 $1 1 \
         -WRONGTYPE Operation against a key holding the wrong kind of value *2 $1 1 $1 2 $1 2"
    );
    // A write is sent to the leader where it is queued.
    assert_eq!(
        says(&["MULTI", "GET a", "SET a 2", "GET a", "EXEC"]),
        format!("+OK +QUEUED {moved} +QUEUED {aborted}")
    );
    // The database that it selects, and the reads that it wants, are those of what comes behind.
    assert_eq!(
        says(&["MULTI", "SELECT 1", "GET a", "EXEC", "GET a", "SELECT 0"]),
        "+OK +QUEUED +QUEUED *2 +OK $-1 $-1 +OK"
    );
    assert_eq!(
        says(&["MULTI", "READWRITE", "GET a", "EXEC", "GET a"]),
        format!("+OK +QUEUED +QUEUED *2 +OK $1 1 {moved}")
    );
}

#[test]
fn a_follower_sees_that_a_watched_key_is_written_by_what_it_applies() {
    let mut group = Group::new();
    let leader = group.leader();
    let follower = (leader + 1) % MEMBERS;
    assert_eq!(group.ask(leader, "SET a 1"), "+OK");
    group.settle();
    let client = (follower, group.open(follower));
    let transaction = ["MULTI", "GET a", "EXEC"];
    assert_eq!(group.say(client, &["READONLY", "WATCH a none"]), "+OK +OK");
    assert_eq!(group.ask(leader, "SET b 1"), "+OK");
    assert_eq!(group.ask(leader, "DEL none"), ":0");
    group.settle();
    assert_eq!(group.say(client, &transaction), "+OK +QUEUED *1 $1 1");

    for write in ["SET a 2", "SET none 1", "FLUSHALL"] {
        assert_eq!(group.say(client, &["WATCH a none"]), "+OK");
        assert_eq!(group.ask(leader, write), "+OK");
        group.settle();
        assert_eq!(
            group.say(client, &transaction),
            "+OK +QUEUED *-1",
            "{write}"
        );
    }
    assert_eq!(group.say(client, &["WATCH a"]), "+OK");
    assert_eq!(group.ask(leader, "SET a 3"), "+OK");
    group.settle();
    assert_eq!(group.say(client, &["UNWATCH"]), "+OK");
    assert_eq!(group.say(client, &transaction), "+OK +QUEUED *1 $1 3");

    // A key that has died was written.
    assert_eq!(group.ask(leader, "SET dies 1 PX 400"), "+OK");
    group.settle();
    assert_eq!(group.say(client, &["WATCH dies", "GET dies"]), "+OK $1 1");
    (0..500).for_each(|_| group.step());
    assert_eq!(group.say(client, &["GET dies"]), "$-1");
    assert_eq!(group.say(client, &transaction), "+OK +QUEUED *-1");
}

/// Each turn does as little as can be: the transaction takes many, and entries come meanwhile.
#[test]
fn a_long_transaction_on_a_follower_is_of_one_state() {
    let mut group = Group::with(|config| {
        (config.turn_work, config.client_work) = (1, 1);
    });
    let leader = group.leader();
    let follower = (leader + 1) % MEMBERS;
    assert_eq!(group.ask(leader, "SET a 1"), "+OK");
    group.settle();
    let client = (follower, group.open(follower));
    let mut requests = vec!["READONLY", "MULTI"];
    requests.extend([&"GET a"; 200]);
    assert!(group.say(client, &requests).ends_with("+QUEUED"));
    let (now, conn) = (group.now, client.1);
    let node = group.machines[follower].node.as_mut().unwrap();
    let bytes = b"EXEC\r\n";
    node.handle(now, Input::Received { conn, bytes });
    let (mut values, mut pings) = (Vec::new(), 0);
    for _ in 0..200 {
        let other = group.ask(leader, "INCR a");
        assert!(other.starts_with(':'), "{other}");
        // What does not look at the store goes on beside it.
        pings += usize::from(group.ask(follower, "PING") == "+PONG");
        if let Some(reply) = group.machines[follower].replies.remove(&conn) {
            values = reply;
        }
        if !values.is_empty() {
            break;
        }
    }
    let text = String::from_utf8(values).unwrap();
    let value = text.split("\r\n").nth(2).unwrap();
    assert_eq!(
        text,
        format!("*200\r\n{}", format!("$1\r\n{value}\r\n").repeat(200))
    );
    assert!(pings > 10, "{pings}");
    group.settle();
    assert_ne!(group.say(client, &["GET a"]), "$1 1");
}

#[test]
fn who_leads_when_exec_comes_decides_what_becomes_of_a_transaction() {
    let mut group = Group::new();
    let leader = group.leader();
    let follower = (leader + 1) % MEMBERS;
    assert_eq!(group.ask(leader, "SET a 1"), "+OK");
    group.settle();
    let reads = (follower, group.open(follower));
    let queued = ["READONLY", "WATCH a", "MULTI", "GET a"];
    assert_eq!(group.say(reads, &queued), "+OK +OK +OK +QUEUED");
    let watches = (follower, group.open(follower));
    assert_eq!(group.say(watches, &queued), "+OK +OK +OK +QUEUED");
    let clients: Vec<_> = (0..3).map(|_| (leader, group.open(leader))).collect();
    assert_eq!(group.say(clients[0], &queued), "+OK +OK +OK +QUEUED");
    let write = ["READONLY", "MULTI", "GET a", "SET a 3"];
    assert_eq!(group.say(clients[1], &write), "+OK +OK +QUEUED +QUEUED");
    assert_eq!(group.say(clients[2], &["MULTI", "GET a"]), "+OK +QUEUED");
    let transfer = format!("RAFT TRANSFER {}", id(follower).0);
    assert_eq!(group.ask(leader, &transfer), "+OK");
    assert_eq!(group.leader(), follower);

    // The follower leads now, and runs it as a leader does.
    assert_eq!(group.say(reads, &["EXEC"]), "*1 $1 1");
    assert_eq!(group.ask(follower, "SET a 2"), "+OK");
    assert_eq!(group.say(watches, &["EXEC"]), "*-1");
    group.settle();
    // The former leader has the new value, and sees that it is one.
    assert_eq!(group.say(clients[0], &["EXEC"]), "*-1");
    assert_eq!(
        group.say(clients[0], &["MULTI", "GET a", "EXEC"]),
        "+OK +QUEUED *1 $1 2"
    );
    // It runs no writes, and no reads of who wants the leader's.
    let moved = format!("-MOVED 0 10.0.0.{}:6379", follower + 1);
    assert_eq!(group.say(clients[1], &["EXEC"]), moved);
    assert_eq!(group.say(clients[1], &["EXEC"]), "-ERR EXEC without MULTI");
    assert_eq!(group.say(clients[2], &["EXEC"]), moved);
    assert_eq!(group.ask(follower, "GET a"), "$1 2");
}
