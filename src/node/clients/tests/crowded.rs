//! All clients together take no more than they may: the largest go.

use alloc::vec;

use super::*;
use crate::node::config::ClientsMemory;

/// The beginning of a request of so many bytes that does not end.
fn unfinished(bytes: usize) -> Vec<u8> {
    let mut request = b"*2\r\n$4\r\nECHO\r\n$1000000\r\n".to_vec();
    request.resize(bytes, b'x');
    request
}

fn busy() -> Busy {
    let mut busy = Busy::over(Config {
        append_only: false,
        clients_memory: ClientsMemory::Bytes(200 << 10),
        ..Config::default()
    });
    for number in 1..=3 {
        busy.open(ConnId(number));
    }
    busy
}

impl Busy {
    /// Those who are closed by what a client sends.
    fn closed_by(&mut self, conn: u64, bytes: &[u8]) -> Vec<u64> {
        self.effects.clear();
        self.ask(ConnId(conn), bytes);
        let closed = |effect: &Effect| match effect {
            Effect::Close { conn, .. } => Some(conn.0),
            _ => None,
        };
        self.effects.iter().filter_map(closed).collect()
    }
}

#[test]
fn the_largest_goes_when_all_together_take_too_much() {
    let mut busy = busy();
    assert_eq!(busy.closed_by(1, &unfinished(90 << 10)), vec![]);
    assert_eq!(busy.closed_by(2, &unfinished(60 << 10)), vec![]);
    assert_eq!(busy.closed_by(3, &unfinished(70 << 10)), vec![1]);
    assert!(busy.node.clients.sessions_memory() <= 200 << 10);
}

#[test]
fn one_that_is_protected_stays() {
    let mut busy = busy();
    let protected = b"*3\r\n$6\r\nCLIENT\r\n$8\r\nNO-EVICT\r\n$2\r\nON\r\n";
    assert_eq!(busy.closed_by(1, protected), vec![]);
    assert_eq!(busy.closed_by(1, &unfinished(150 << 10)), vec![]);
    assert_eq!(busy.closed_by(2, &unfinished(20 << 10)), vec![]);
    assert_eq!(busy.closed_by(3, &unfinished(70 << 10)), vec![3]);
}

#[test]
fn one_for_whom_messages_wait_goes() {
    let mut busy = busy();
    let subscribe = b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n";
    assert_eq!(busy.closed_by(1, subscribe), vec![]);
    assert_eq!(busy.closed_by(2, subscribe), vec![]);
    let mut publish = b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$60000\r\n".to_vec();
    publish.resize(publish.len() + 60_000, b'x');
    publish.extend_from_slice(b"\r\n");
    let mut closed = vec![];
    for _ in 0..4 {
        closed.extend(busy.closed_by(3, &publish));
    }
    closed.sort_unstable();
    assert_eq!(closed, vec![1, 2]);
}

#[test]
fn a_share_of_nothing_is_no_limit() {
    assert_eq!(ClientsMemory::Percent(5).most(0), None);
    assert_eq!(ClientsMemory::Percent(5).most(100 << 20), Some(5 << 20));
    assert_eq!(ClientsMemory::Percent(0).most(100 << 20), None);
    assert_eq!(ClientsMemory::Bytes(1).most(0), Some(128 << 10));
}
