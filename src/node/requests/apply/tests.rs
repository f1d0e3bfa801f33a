//! A member stops over a logged command that it does not know.

use alloc::vec::Vec;

use super::*;
use crate::ids::LogIndex;
use crate::node::config::Config;
use crate::node::effect::{Effect, Effects};
use crate::node::requests::entry;
use crate::time::{Mono, Now, Stamp};

/// The failure with which a member stops over an entry with one command of this name.
fn applied(name: &'static [u8], in_transaction: bool) -> Option<String> {
    let now = Now {
        mono: Mono::from_millis(1),
        wall_us: 1_700_000_000_000_000,
    };
    let config = Config {
        append_only: false,
        ..Config::default()
    };
    let mut node = Node::new(config, now);
    let mut command = Vec::new();
    let request = [name, b"k1"].concat();
    let end = name.len() as u32;
    let words = [0..end, end..end + 1, end + 1..end + 2];
    entry::put_command(&mut command, 0, Args::new(&request, &words));
    let mut payload = Vec::new();
    if in_transaction {
        entry::put_transaction(&mut payload, 1, &command);
    } else {
        payload = command;
    }
    node.apply_whole(LogIndex(1), Stamp(1), payload.into());
    let mut effects = Effects::new();
    node.flush(now, &mut effects);
    effects.drain(..).find_map(|effect| match effect {
        Effect::Stopped { failure } => failure.map(|why| *why),
        _ => None,
    })
}

#[test]
fn a_command_that_a_later_version_has_logged_stops_the_member() {
    for in_transaction in [false, true] {
        assert_eq!(applied(b"set", in_transaction), None);
        let why = applied(b"FUTURE", in_transaction).expect("it stops");
        assert!(why.contains("does not know, 'future'"), "{why}");
    }
}
