//! A member that was removed from its group says so, in its log and to its clients.

use super::group::Group;
use super::last_words;

/// Starts a member again so that its log is kept, and waits for a line of it.
fn wait_for_line(group: &mut Group, at: usize, wanted: &str) {
    let log = group.directory(at).path().with_extension("said");
    group.tell_again(at, &["--logfile", &log.display().to_string()]);
    group.start(at);
    group.wait_until("it says that it was removed", |_| {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        said.lines().any(|line| line.contains(wanted))
    });
    let _ = std::fs::remove_file(&log);
}

#[test]
fn a_member_that_is_removed_says_so_and_does_not_look_connected() {
    let mut group = Group::form("cluster-removed", 3);
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    let leader = group.leader();
    let gone = (leader + 1) % 3;
    let id = (gone + 1).to_string();
    let mut client = group.client(gone);
    assert_eq!(client.ask(&["READONLY"]), "+OK");
    group.wait_until("it follows", |_| client.ask(&["GET", "a"]) == "1");
    group.remove(&id);
    group.wait_until("it does not look connected", |_| {
        let info = client.ask(&["INFO", "replication"]);
        let role = client.ask(&["ROLE"]);
        info.contains("master_link_status:down") && !role.contains(" connected ")
    });
    // Its state stands still: it is no old state of the group any more. A link that is down for
    // another reason says less.
    group.wait_until("it reads no more", |_| {
        let answer = client.ask(&["GET", "a"]);
        answer.starts_with("-MOVED ") || answer.starts_with("-CLUSTERDOWN ")
    });
    assert!(client.ask(&["CLUSTER", "NODES"]).contains(" myself,slave "));
    assert_eq!(client.ask(&["RAFT", "READS", "LOCAL"]), "+OK");
    assert_eq!(client.ask(&["GET", "a"]), "1");
    // What the process knew is known to the next one, and stands in the way of coming again.
    let members = group.directory(gone).path().join("members");
    group.wait_until("it is written down", |_| {
        let text = std::fs::read_to_string(&members).unwrap_or_default();
        text.contains(" removed\n")
    });
    group.kill(gone);
    let door = group.door(leader);
    let (code, words) = last_words(group.directory(gone), &["--join", &door]);
    assert_eq!(code, Some(2), "{words}");
    assert!(
        words.contains("removed") && words.contains("empty it"),
        "{words}"
    );
    wait_for_line(&mut group, gone, "this member was removed from the group");
}

#[test]
fn a_member_that_is_removed_while_it_is_down_is_told_when_it_comes() {
    let mut group = Group::form("cluster-removed-down", 3);
    let leader = group.leader();
    let gone = (leader + 1) % 3;
    let id = (gone + 1).to_string();
    group.kill(gone);
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    group.remove(&id);
    wait_for_line(
        &mut group,
        gone,
        &format!("member {id} was removed from the group: empty its directory"),
    );
    // What the operator says brings it back all the same, with the disk that it has.
    group.wait_until("it is taken in again", |group| {
        group.ask(&["RAFT", "ADD", &id]) == "+OK"
    });
    group.wait_until("it follows", |group| {
        let info = group.client(gone).ask(&["INFO", "replication"]);
        info.contains("master_link_status:up")
    });
}
