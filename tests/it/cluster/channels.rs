//! Channels of a group: what any member publishes reaches the subscribers of all, in order.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::group::Group;

#[test]
fn subscribers_of_each_member_hear_what_any_member_publishes_in_its_order() {
    let group = Group::form("cluster-channels", 3);
    let mut listeners: Vec<_> = (0..3)
        .map(|at| {
            let mut client = group.client(at);
            assert_eq!(client.ask(&["SUBSCRIBE", "news"]), "subscribe news :1");
            client
        })
        .collect();
    for publisher in 0..3 {
        let mut client = group.client(publisher);
        for nth in 0..20 {
            let message = format!("{publisher}-{nth}");
            // The number is that of this member's own subscribers.
            assert_eq!(client.ask(&["PUBLISH", "news", &message]), ":1");
        }
        for listener in &mut listeners {
            for nth in 0..20 {
                let wanted = format!("message news {publisher}-{nth}");
                assert_eq!(listener.reply().unwrap(), wanted);
            }
        }
    }
    let told = group.client(0).ask(&["INFO", "stats"]);
    let count = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|count| count.parse::<u64>().ok()).unwrap()
    };
    assert_eq!(count("pubsub_messages_to_members:"), 40);
    assert_eq!(count("pubsub_messages_from_members:"), 40);
    assert_eq!(count("pubsub_messages_dropped:"), 0);
}

#[test]
fn a_member_that_is_gone_costs_the_publisher_nothing_but_a_count() {
    let mut group = Group::form("cluster-channels-gone", 3);
    let leader = group.leader();
    let (gone, stays) = ((leader + 1) % 3, (leader + 2) % 3);
    let mut listener = group.client(stays);
    assert_eq!(listener.ask(&["SUBSCRIBE", "a"]), "subscribe a :1");
    group.kill(gone);
    let mut client = group.client(leader);
    for nth in 0..50 {
        assert_eq!(client.ask(&["PUBLISH", "a", &nth.to_string()]), ":0");
        assert_eq!(listener.reply().unwrap(), format!("message a {nth}"));
    }
    group.wait_until("it is counted", |group| {
        let mut client = group.client(leader);
        client.ask(&["PUBLISH", "a", "more"]);
        let told = client.ask(&["INFO", "stats"]);
        let mut lines = told.lines();
        lines.any(|line| {
            line.strip_prefix("pubsub_messages_dropped:")
                .is_some_and(|count| count != "0")
        })
    });
}

#[test]
fn redis_cli_subscribes_at_one_member_and_publishes_at_another() {
    let redis_cli = |port: u16, words: &[&str]| {
        let mut command = Command::new("redis-cli");
        command.arg("-p").arg(port.to_string()).args(words);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    if redis_cli(1, &["--version"]).output().is_err() {
        println!("skipped: redis-cli is missing");
        return;
    }
    let group = Group::form("cluster-channels-cli", 3);
    let (one, other) = (group.port(0), group.port(1));
    let mut listens = redis_cli(one, &["SUBSCRIBE", "news"]);
    // It ends with its input, and not before.
    let mut listens = listens.stdin(Stdio::piped()).spawn().unwrap();
    group.wait_until("it listens", |group| {
        group.client(0).ask(&["PUBSUB", "NUMSUB", "news"]) == "news :1"
    });
    let said = redis_cli(other, &["PUBLISH", "news", "hello"]).output();
    assert_eq!(String::from_utf8_lossy(&said.unwrap().stdout).trim(), "0");
    group.wait_until("it has come", |group| {
        let told = group.client(0).ask(&["INFO", "stats"]);
        told.contains("pubsub_messages_from_members:1")
    });
    let mut lines = BufReader::new(listens.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("hello")));
    let _ = listens.kill();
    listens.wait().unwrap();
}
