//! A leader's answers to clients about a member that is gone, and about one that comes back.

use std::time::Duration;

use super::group::Group;

/// The line of a text that names a member by its clients' port, or begins with a word.
fn line_with(text: &str, words: &str) -> String {
    let mut lines = text.lines();
    let found = lines.find(|line| line.contains(words));
    found.unwrap_or_default().to_owned()
}

/// Returns true if a reply holds this port: as a word, for the digits may stand in the name of a
/// member.
fn has_port(reply: &str, port: &str) -> bool {
    let mut words = reply.split_whitespace();
    words.any(|word| word.trim_start_matches(':') == port)
}

#[test]
fn a_member_that_is_killed_does_not_look_healthy() {
    let mut group = Group::form("cluster-silent", 3);
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    let leader = group.leader();
    let dead = (leader + 1) % 3;
    let port = group.port(dead).to_string();
    let asked = |group: &Group, words: &[&str]| group.client(leader).ask(words);
    let info = |group: &Group| asked(group, &["INFO", "replication"]);
    group.wait_until("both are connected", |group| {
        let info = info(group);
        info.contains("connected_slaves:2") && info.matches("state=online").count() == 2
    });
    group.kill(dead);
    group.wait_until("one is not", |group| {
        assert_eq!(asked(group, &["SET", "a", "2"]), "+OK");
        info(group).contains("connected_slaves:1")
    });
    std::thread::sleep(Duration::from_secs(1));
    let info_now = info(&group);
    let last = line_with(&info_now, "slave1:");
    assert!(
        last.contains(&port) && last.contains("state=offline"),
        "{info_now}"
    );
    let lag = last
        .rsplit_once("lag=")
        .and_then(|(_, lag)| lag.parse::<u64>().ok());
    assert!(lag.is_some_and(|lag| lag >= 2), "{last}");
    let role = asked(&group, &["ROLE"]);
    assert!(
        role.starts_with("master ") && !has_port(&role, &port),
        "{role}"
    );
    let slots = asked(&group, &["CLUSTER", "SLOTS"]);
    assert!(!has_port(&slots, &port), "{slots}");
    let nodes = asked(&group, &["CLUSTER", "NODES"]);
    let line = line_with(&nodes, &format!(":{port}@"));
    assert!(line.contains(" slave,fail "), "{nodes}");
    assert!(line.ends_with(" disconnected"), "{nodes}");
    let shards = asked(&group, &["CLUSTER", "SHARDS"]);
    assert_eq!(shards.matches("health fail").count(), 1, "{shards}");
    let nodes = asked(&group, &["RAFT", "NODES"]);
    let line = line_with(&nodes, &format!(":{port}"));
    assert!(line.contains(" silent ") && line.ends_with('s'), "{nodes}");
    assert_eq!(nodes.matches("silent").count(), 1, "{nodes}");
    assert_eq!(asked(&group, &["WAIT", "2", "100"]), ":1");
    group.start(dead);
    group.wait_until("it is back", |group| {
        let said = [
            &["INFO", "replication"][..],
            &["CLUSTER", "NODES"],
            &["RAFT", "NODES"],
        ];
        let said = said.map(|words| asked(group, words));
        let is_gone = ["offline", "fail", "silent"];
        said[0].contains("connected_slaves:2")
            && !said
                .iter()
                .zip(is_gone)
                .any(|(text, word)| text.lines().any(|l| l.contains(word) && l.contains(&port)))
    });
    let slots = asked(&group, &["CLUSTER", "SLOTS"]);
    assert!(has_port(&slots, &port), "{slots}");
}

/// A follower knows of its leader alone, and says so when it has lost it.
#[test]
fn a_follower_without_a_leader_does_not_call_it_connected() {
    let mut group = Group::form("cluster-orphan", 3);
    let leader = group.leader();
    let [orphan, other] = [(leader + 1) % 3, (leader + 2) % 3];
    let mut client = group.client(orphan);
    group.wait_until("it follows", |_| {
        let info = client.ask(&["INFO", "replication"]);
        info.contains("master_link_status:up") && info.contains("master_last_io_seconds_ago:0")
    });
    group.kill(other);
    group.kill(leader);
    let port = format!(":{}@", group.port(leader));
    group.wait_until("it says that it is alone", |_| {
        let info = client.ask(&["INFO", "replication"]);
        let nodes = client.ask(&["CLUSTER", "NODES"]);
        let line = line_with(&nodes, &port);
        let is_failed = line.contains(" master,fail ") && line.contains(" disconnected");
        is_failed && info.contains("master_link_status:down")
    });
}
