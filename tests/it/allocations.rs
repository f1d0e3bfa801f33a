//! How often the hot path allocates: counted, not timed.
#![expect(
    unsafe_code,
    reason = "an allocator that counts is the only way to see what allocates"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::{Config, MemoryPolicy};
use seedis::node::effect::Effect;
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::opened;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, and a count for each thread.
struct Counting;

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread has allocated.
pub(crate) fn allocations() -> u64 {
    COUNT.get()
}

const CONN: ConnId = ConnId(1);

/// A node without a disk, and one client.
struct Alone {
    node: Node,
    effects: Vec<Effect>,
    now: Now,
}

impl Alone {
    fn new(memory_policy: MemoryPolicy) -> Self {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let config = Config {
            append_only: false,
            memory_max: 100 << 20,
            memory_policy,
            ..Config::default()
        };
        let mut alone = Self {
            node: Node::new(config, now),
            effects: Vec::new(),
            now,
        };
        alone.node.flush(now, &mut alone.effects);
        alone.node.handle(now, opened(CONN, "127.0.0.1:1"));
        alone
    }

    /// One turn: the bytes in, the length of the replies out.
    fn turn(&mut self, bytes: &[u8]) -> usize {
        self.now.mono = Mono(self.now.mono.0 + 1000);
        self.node
            .handle(self.now, Input::Received { conn: CONN, bytes });
        self.node.flush(self.now, &mut self.effects);
        self.effects.clear();
        let count = self.node.outbox(CONN).map(<[u8]>::len).sum();
        self.node
            .handle(self.now, Input::Sent { conn: CONN, count });
        count
    }

    /// Allocations of one turn, after others like it have made the buffers large enough.
    fn allocations(&mut self, bytes: &[u8], reply: usize) -> u64 {
        for _ in 0..8 {
            assert_eq!(self.turn(bytes), reply);
        }
        let before = COUNT.get();
        assert_eq!(self.turn(bytes), reply);
        COUNT.get() - before
    }
}

fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
    }
    bytes
}

#[test]
fn a_get_allocates_nothing() {
    for policy in MemoryPolicy::ALL {
        let mut alone = Alone::new(policy);
        let value = "v".repeat(64);
        alone.turn(&request(&["SET", "key", &value]));
        let get = request(&["GET", "key"]);
        assert_eq!(alone.allocations(&get, 71), 0, "{policy:?}");
        let sixteen = alone.allocations(&get.repeat(16), 16 * 71);
        assert_eq!(sixteen, 0, "{policy:?}");
    }
}

#[test]
fn a_set_allocates_the_value_and_its_turn_one_entry() {
    for policy in MemoryPolicy::ALL {
        let mut alone = Alone::new(policy);
        let set = request(&["SET", "key", &"v".repeat(64)]);
        let one = alone.allocations(&set, 5);
        let sixteen = alone.allocations(&set.repeat(16), 16 * 5);
        println!("allocations: {one} for a turn of 1 SET, {sixteen} for a turn of 16");
        // The entry of the turn is one, each value at most one.
        assert!(one <= 2, "{policy:?}: {one}");
        assert!(sixteen <= 17, "{policy:?}: {sixteen}");
    }
}
