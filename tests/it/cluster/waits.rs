//! Clients that wait for a key of a group: they wait at the leader, also where a follower carries
//! them there, and are told when another leads.

use std::time::Duration;

use crate::process::Client;

use super::group::{Group, PROXY, moved_to};

/// Waits until so many clients of a member wait for a key.
fn until_blocked(group: &Group, at: usize, wanted: usize) {
    let wanted = format!("blocked_clients:{wanted}");
    group.wait_until("clients wait", |group| {
        let told = group.client(at).try_ask(&["INFO", "clients"]);
        told.is_ok_and(|told| told.lines().any(|line| line == wanted))
    });
}

fn waiting(group: &Group, at: usize, words: &[&str]) -> Client {
    let mut client = group.client(at);
    client.send(words).expect("it is taken");
    client
}

#[test]
fn a_client_that_waits_is_told_that_another_leads_and_follows_it() {
    let group = Group::form("cluster-waits", 3);
    let ports: Vec<u16> = (0..3).map(|at| group.port(at)).collect();
    let leader = group.leader();
    let mut waits = waiting(&group, leader, &["BLPOP", "q", "0"]);
    let mut timed = waiting(&group, leader, &["BZPOPMIN", "z", "0.2"]);
    assert_eq!(timed.reply().unwrap(), "*-1");
    until_blocked(&group, leader, 1);
    // Nobody waits anywhere else.
    let other = (leader + 1) % 3;
    let away = group.client(other).ask(&["BLPOP", "q", "0"]);
    assert_eq!(moved_to(&away, &ports), Some(leader), "{away}");
    assert_eq!(group.client(leader).ask(&["RPUSH", "q", "1"]), ":1");
    assert_eq!(waits.reply().unwrap(), "q 1");
    waits.send(&["BLPOP", "q", "0"]).unwrap();
    until_blocked(&group, leader, 1);
    assert_eq!(group.client(leader).ask(&["RAFT", "TRANSFER"]), "+OK");
    let told = waits.reply().unwrap();
    assert!(told.starts_with("-UNBLOCKED "), "{told}");
    let mut next = leader;
    group.wait_until("it is shown where to go", |_| {
        let told = waits.try_ask(&["BLPOP", "q", "0"]);
        let moved = told.ok().and_then(|told| moved_to(&told, &ports));
        next = moved.unwrap_or(next);
        moved.is_some()
    });
    assert_ne!(next, leader);
    let mut waits = waiting(&group, next, &["BLPOP", "q", "0"]);
    until_blocked(&group, next, 1);
    assert_eq!(group.client(next).ask(&["RPUSH", "q", "2"]), ":1");
    assert_eq!(waits.reply().unwrap(), "q 2");
}

#[test]
fn a_member_that_carries_requests_carries_those_that_wait() {
    let group = Group::form_always("cluster-waits-proxy", 3, &PROXY);
    let slots = group.client(0).ask(&["CLUSTER", "SLOTS"]);
    let leads = |at: &usize| slots.contains(&format!(":16383 127.0.0.1 :{} ", group.port(*at)));
    let leader = (0..3).find(leads).unwrap_or_default();
    let follower = (leader + 1) % 3;
    let mut client = group.client(follower);
    let mut first = waiting(&group, follower, &["BLPOP", "q", "0"]);
    until_blocked(&group, leader, 1);
    let gone = waiting(&group, follower, &["BLPOP", "q", "0"]);
    until_blocked(&group, leader, 2);
    let mut last = waiting(&group, leader, &["BLPOP", "q", "0"]);
    until_blocked(&group, leader, 3);
    // One that waits holds up nobody else.
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    // One that has gone is given nothing.
    drop(gone);
    until_blocked(&group, leader, 2);
    assert_eq!(client.ask(&["RPUSH", "q", "1", "2"]), ":2");
    assert_eq!(first.reply().unwrap(), "q 1");
    assert_eq!(last.reply().unwrap(), "q 2");
    first.send(&["BLPOP", "q", "0.2"]).unwrap();
    assert_eq!(first.reply().unwrap(), "*-1");
    // Nothing cuts a wait short but its own time-out.
    first.send(&["BLPOP", "q", "3"]).unwrap();
    first.set_patience(Duration::from_secs(20));
    assert_eq!(first.reply().unwrap(), "*-1");
    // A leader that hands over says so.
    first.send(&["BLPOP", "q", "0"]).unwrap();
    until_blocked(&group, leader, 1);
    assert_eq!(group.client(leader).ask(&["RAFT", "TRANSFER"]), "+OK");
    let told = first.reply().unwrap();
    assert!(told.starts_with("-UNBLOCKED "), "{told}");
    group.wait_until("it is carried to the next", |group| {
        let mut again = group.client(follower);
        again
            .try_ask(&["RPUSH", "q", "3"])
            .is_ok_and(|told| told.starts_with(':'))
            && again
                .try_ask(&["BLPOP", "q", "1"])
                .is_ok_and(|told| told == "q 3")
    });
}

/// Nobody sees a chain of moves half done: the element is at its end when the one that brought it
/// is answered.
#[test]
fn clients_that_wait_for_one_another_are_served_in_one_go() {
    let group = Group::form("cluster-waits-chain", 3);
    let leader = group.leader();
    let mut asks = group.client(leader);
    for _ in 0..10 {
        let moves: [&[&str]; 3] = [
            &["BLMOVE", "c", "d", "LEFT", "RIGHT", "0"],
            &["BLMOVE", "a", "b", "LEFT", "RIGHT", "0"],
            &["BRPOPLPUSH", "b", "c", "0"],
        ];
        let mut waits = moves.map(|words| waiting(&group, leader, words));
        until_blocked(&group, leader, 3);
        assert_eq!(asks.ask(&["RPUSH", "a", "x"]), ":1");
        assert_eq!(asks.ask(&["LRANGE", "d", "0", "-1"]), "x");
        assert_eq!(asks.ask(&["DEL", "d"]), ":1");
        for client in &mut waits {
            assert_eq!(client.reply().unwrap(), "x");
        }
        // Those that wait in a circle have it back where it came from, and wait no longer.
        let circle: [&[&str]; 2] = [
            &["BRPOPLPUSH", "a", "b", "0"],
            &["BRPOPLPUSH", "b", "a", "0"],
        ];
        let mut waits = circle.map(|words| waiting(&group, leader, words));
        until_blocked(&group, leader, 2);
        assert_eq!(asks.ask(&["RPUSH", "a", "x"]), ":1");
        assert_eq!(asks.ask(&["LRANGE", "a", "0", "-1"]), "x");
        assert_eq!(asks.ask(&["DEL", "a"]), ":1");
        for client in &mut waits {
            assert_eq!(client.reply().unwrap(), "x");
        }
    }
}

/// An element that is moved on belongs to those who have waited for it at its target, and not to a
/// client that waits there too, and comes to its turn at the first key meanwhile.
#[test]
fn nobody_takes_from_a_chain_what_others_have_waited_longer_for() {
    let group = Group::form("cluster-waits-longer", 3);
    let leader = group.leader();
    let mut asks = group.client(leader);
    let in_order: [&[&str]; 3] = [
        &["BLPOP", "b", "0"],
        &["BLMOVE", "a", "b", "LEFT", "RIGHT", "0"],
        &["BLPOP", "b", "a", "0"],
    ];
    for _ in 0..5 {
        let mut waits = Vec::new();
        for words in in_order {
            waits.push(waiting(&group, leader, words));
            until_blocked(&group, leader, waits.len());
        }
        assert_eq!(asks.ask(&["RPUSH", "a", "x", "y"]), ":2");
        let told = waits.iter_mut().map(|client| client.reply().unwrap());
        assert_eq!(told.collect::<Vec<_>>(), ["b x", "x", "a y"]);
    }
}
