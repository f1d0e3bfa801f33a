//! A live member of a Raft group among members that may say anything: it never panics, and keeps
//! what it promised.

use seedis::ids::NodeId;
use seedis::raft::message::Message;
use seedis::raft::{MembershipChange, wire};
use seedis::time::Stamp;

use crate::bytes::Bytes;
use crate::frames;
use crate::raft_host::Host;

/// Drives one member through what `data` describes: frames of its peers with any fields, garbage,
/// time, syncs, crashes, and all that an owner may ask.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut host = Host::new(&mut bytes);
    while !bytes.is_empty() {
        step(&mut host, &mut bytes);
        host.check();
    }
}

fn step(host: &mut Host, bytes: &mut Bytes<'_>) {
    match bytes.below(32) {
        0 => host.pass(1 + bytes.wide() as u64 % 500),
        1 => host.pass(u64::from(bytes.byte()) << (bytes.byte() % 56)),
        2 => host.crash(bytes),
        3 => garbage(host, bytes),
        4 => damaged(host, bytes),
        5 => {
            let payload = bytes::Bytes::from(vec![b'x'; bytes.below(20)]);
            let _ = host.raft.propose(Stamp(0), payload);
        }
        6 => {
            let change = match bytes.below(3) {
                0 => MembershipChange::AddLearner(frames::member(bytes.below(7) as u64)),
                1 => MembershipChange::Promote(NodeId(bytes.below(7) as u64)),
                _ => MembershipChange::Remove(NodeId(bytes.below(7) as u64)),
            };
            let _ = host.raft.change(&[change]);
        }
        7 => {
            let to = bytes.below(6) as u64;
            let _ = host.raft.transfer((to > 0).then_some(NodeId(to)));
        }
        8 => host.read(),
        9 => host.raft.clock_jumped(),
        10 => host.supply(bytes),
        11 => host.give_chunks(bytes),
        12 => host.keep_chunks(bytes),
        13 => host.compact(),
        14 | 15 => host.hand_over(),
        16..19 => host.sync(bytes),
        19..21 => host.apply(),
        21 => elected(host, bytes),
        _ => said(host, bytes),
    }
    host.speak();
}

/// A frame that is well-formed.
fn said(host: &mut Host, bytes: &mut Bytes<'_>) {
    let near = host.near();
    let envelope = frames::envelope(bytes, Host::me(), near);
    let message = frames::message(bytes, near);
    let from = match bytes.byte() {
        0xff => NodeId(bytes.below(4) as u64),
        _ => envelope.from.id,
    };
    host.hear(from, &wire::encode(&envelope, &message));
}

/// The answers that a candidate hopes for: no fuzzer is elected honestly.
fn elected(host: &mut Host, bytes: &mut Bytes<'_>) {
    let mut term = host.raft.term();
    let granted = true;
    let message = match bytes.below(2) {
        0 if term.0 == u64::MAX => return,
        0 => Message::PreVoteReply {
            prospective: term.next(),
            granted,
        },
        _ => Message::VoteReply { granted },
    };
    if bytes.byte() == 0xff {
        term.0 = term.0.saturating_sub(1);
    }
    for id in 2..4 {
        let mut envelope = frames::envelope(&mut Bytes(&[]), Host::me(), host.near());
        (envelope.from, envelope.term) = (frames::member(id), term);
        host.hear(NodeId(id), &wire::encode(&envelope, &message));
    }
}

/// Bytes that are no frame leave everything as it is.
fn garbage(host: &mut Host, bytes: &mut Bytes<'_>) {
    let len = bytes.below(128);
    let frame = bytes.take(len);
    host.refuse(NodeId(2), frame);
}

/// So does a frame that is no longer what was sent.
fn damaged(host: &mut Host, bytes: &mut Bytes<'_>) {
    let near = host.near();
    let envelope = frames::envelope(bytes, Host::me(), near);
    let message = frames::message(bytes, near);
    let mut frame = wire::encode(&envelope, &message);
    let at = bytes.wide() % frame.len();
    frame[at] ^= bytes.byte().max(1);
    host.refuse(envelope.from.id, &frame);
}
