//! The fate of keys when `maxmemory` is reached.

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::{Config, MemoryPolicy};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::{ask, opened};

const CLIENT: ConnId = ConnId(1);
const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const LIMIT: usize = 3 << 20;

fn at(second: u64) -> Now {
    Now {
        mono: Mono::from_millis(1 + second * 1000),
        wall_us: 1_700_000_000_000_000 + second * 1_000_000,
    }
}

/// A node without a disk and with a limit.
fn node(policy: MemoryPolicy) -> Node {
    let config = Config {
        append_only: false,
        memory_max: LIMIT as u64,
        memory_policy: policy,
        ..Config::default()
    };
    let mut node = Node::new(config, at(0));
    node.handle(at(0), opened(CLIENT, "127.0.0.1:1"));
    node.flush(at(0), &mut Vec::new());
    node
}

/// Asks, and gives the node the turns that it wants then.
fn asks(node: &mut Node, now: Now, request: &str) -> String {
    let reply = ask(node, now, CLIENT, request);
    for _ in 0..100 {
        if node
            .deadline()
            .is_none_or(|deadline| deadline.at > now.mono)
        {
            break;
        }
        node.handle(now, Input::Timer);
        node.flush(now, &mut Vec::new());
    }
    reply
}

fn number(node: &mut Node, now: Now, field: &str) -> u64 {
    let text = asks(node, now, "INFO everything");
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{field}:")));
    line.unwrap()[field.len() + 1..].parse().unwrap()
}

#[test]
fn keys_go_so_that_the_limit_holds() {
    for policy in MemoryPolicy::ALL {
        let mut node = node(policy);
        let is_volatile = policy.is_volatile();
        let behind = if is_volatile { " EX 1000" } else { "" };
        let (mut refused, mut most) = (0, 0);
        for n in 0..20_000 {
            let set = format!("SET key:{n} {n:0>300}{behind}");
            let reply = asks(&mut node, at(n / 1000), &set);
            refused += u64::from(reply == OOM);
            most = most.max(node.used_memory());
        }
        let evicted = number(&mut node, at(20), "evicted_keys");
        if policy == MemoryPolicy::NoEviction {
            assert!(refused > 5000 && evicted == 0, "{refused} {evicted}");
            continue;
        }
        assert_eq!(refused, 0, "{policy:?}");
        assert!(evicted > 5000, "{policy:?}: {evicted}");
        assert!(node.used_memory() <= LIMIT, "{policy:?}");
        assert!(most <= LIMIT + LIMIT / 16, "{policy:?}: {most}");
        // And no more go than must.
        assert!(
            node.used_memory() > LIMIT * 9 / 10,
            "{policy:?}: {}",
            node.used_memory()
        );
    }
}

#[test]
fn under_a_volatile_policy_keys_without_an_expiry_stay_and_then_writes_are_refused() {
    let mut node = node(MemoryPolicy::VolatileLru);
    let mut kept = 0;
    for n in 0..30_000 {
        let (set, is_kept) = match n % 2 {
            0 => (format!("SET kept:{n} {n:0>300}"), true),
            _ => (format!("SET key:{n} {n:0>300} EX 1000"), false),
        };
        if asks(&mut node, at(0), &set) == OOM {
            break;
        }
        kept += u64::from(is_kept);
    }
    assert!(kept > 5_000, "{kept}");
    let left = asks(&mut node, at(0), "DBSIZE");
    assert_eq!(
        left,
        format!(":{kept}\r\n"),
        "only those are left that may not go"
    );
    assert_eq!(asks(&mut node, at(0), "SET more 1 EX 5"), OOM);
    // What frees memory is done, and what comes then is accepted.
    for n in (0..4000).step_by(2) {
        assert_eq!(asks(&mut node, at(0), &format!("DEL kept:{n}")), ":1\r\n");
    }
    assert_eq!(asks(&mut node, at(0), "SET more 1 EX 5"), "+OK\r\n");
}

#[test]
fn what_is_used_stays() {
    for policy in [MemoryPolicy::AllKeysLru, MemoryPolicy::AllKeysLfu] {
        let mut node = node(policy);
        for n in 0..200 {
            asks(&mut node, at(0), &format!("SET hot:{n} {n:0>300}"));
        }
        for n in 0..20_000 {
            let now = at(1 + n / 100);
            asks(&mut node, now, &format!("SET key:{n} {n:0>300}"));
            for near in 0..2 {
                asks(&mut node, now, &format!("GET hot:{}", (n * 2 + near) % 200));
            }
        }
        let hot: Vec<String> = (0..200).map(|n| format!("hot:{n}")).collect();
        let there = asks(&mut node, at(300), &format!("EXISTS {}", hot.join(" ")));
        assert_eq!(there, ":200\r\n", "{policy:?}");
    }
}

#[test]
fn a_lower_limit_is_met_at_once_and_a_policy_may_change() {
    let mut node = node(MemoryPolicy::NoEviction);
    let refused = (0..50_000).any(|n| {
        let set = format!("SET key:{n} {n:0>100}");
        asks(&mut node, at(0), &set) == OOM
    });
    assert!(refused);
    assert_eq!(asks(&mut node, at(0), "SET a b"), OOM);
    assert_eq!(
        asks(&mut node, at(0), "CONFIG SET maxmemory-policy allkeys-lru"),
        "+OK\r\n"
    );
    assert_eq!(asks(&mut node, at(0), "SET a b"), "+OK\r\n");
    assert!(node.used_memory() <= LIMIT);
    assert_eq!(
        asks(&mut node, at(0), "CONFIG SET maxmemory 1mb"),
        "+OK\r\n"
    );
    for _ in 0..20 {
        asks(&mut node, at(0), "PING");
    }
    assert!(node.used_memory() <= 1 << 20, "{}", node.used_memory());
}

#[test]
fn object_tells_what_is_noted_and_says_so_where_nothing_is() {
    const NONE: &str = "-ERR idle time not tracked";
    const LFU: &str = "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please \
        note that when switching between policies at runtime LRU and LFU data will take some time \
        to adjust.\r\n";
    const NO_LFU: &str = "-ERR An LFU maxmemory policy is not selected, access frequency not \
        tracked. Please note that when switching between policies at runtime LRU and LFU data will \
        take some time to adjust.\r\n";
    let mut node = node(MemoryPolicy::NoEviction);
    let mut says = |second: u64, request: &str| asks(&mut node, at(second), request);
    says(0, "SET foo a");
    assert!(says(0, "OBJECT IDLETIME foo").starts_with(NONE));
    assert_eq!(says(0, "OBJECT FREQ foo"), NO_LFU);
    says(0, "CONFIG SET maxmemory-policy allkeys-lru");
    says(0, "SET foo b");
    assert_eq!(says(10, "OBJECT IDLETIME foo"), ":10\r\n");
    for looks in ["EXISTS foo", "TTL foo", "TYPE foo", "OBJECT ENCODING foo"] {
        says(10, looks);
    }
    says(10, "CLIENT NO-TOUCH on");
    says(10, "GET foo");
    assert_eq!(says(10, "OBJECT IDLETIME foo"), ":10\r\n");
    says(10, "CLIENT NO-TOUCH off");
    says(10, "TOUCH foo");
    assert_eq!(says(12, "OBJECT IDLETIME foo"), ":2\r\n");
    assert_eq!(says(12, "OBJECT FREQ foo"), NO_LFU);
    assert_eq!(says(12, "OBJECT FREQ nothing"), "$-1\r\n");
    says(12, "CONFIG SET maxmemory-policy volatile-lfu");
    says(12, "DEL foo");
    says(12, "SET foo a");
    assert_eq!(says(12, "OBJECT FREQ foo"), ":5\r\n");
    assert_eq!(says(12, "OBJECT IDLETIME foo"), LFU);
    says(12, "CONFIG SET maxmemory-policy allkeys-lrm");
    says(12, "SET foo a");
    says(20, "GET foo");
    assert_eq!(says(22, "OBJECT IDLETIME foo"), ":10\r\n");
}

#[test]
fn a_key_that_goes_breaks_a_watch() {
    let mut node = node(MemoryPolicy::AllKeysLru);
    asks(&mut node, at(0), "SET watched 1");
    asks(&mut node, at(1), "WATCH watched");
    let other = ConnId(2);
    node.handle(at(1), opened(other, "127.0.0.1:2"));
    node.flush(at(1), &mut Vec::new());
    for n in 0..20_000 {
        ask(
            &mut node,
            at(2 + n / 1000),
            other,
            &format!("SET key:{n} {n:0>300}"),
        );
    }
    assert_eq!(ask(&mut node, at(30), other, "EXISTS watched"), ":0\r\n");
    asks(&mut node, at(30), "MULTI");
    asks(&mut node, at(30), "GET watched");
    assert_eq!(asks(&mut node, at(30), "EXEC"), "*-1\r\n");
}

#[test]
fn a_limit_far_below_what_is_there_keeps_nobody_waiting() {
    let mut node = node(MemoryPolicy::AllKeysLru);
    asks(&mut node, at(0), "CONFIG SET maxmemory 0");
    for n in 0..40_000 {
        asks(&mut node, at(0), &format!("SET key:{n} {n:0>100}"));
    }
    ask(&mut node, at(0), CLIENT, "CONFIG SET maxmemory 100kb");
    let evicted = |node: &mut Node| {
        let text = ask(node, at(0), CLIENT, "INFO stats");
        let line = text.lines().find(|line| line.starts_with("evicted_keys"));
        line.unwrap()["evicted_keys:".len()..]
            .parse::<u64>()
            .unwrap()
    };
    let mut before = evicted(&mut node);
    let mut turns = 0;
    while node.used_memory() > 100 << 10 {
        let set = format!("SET new:{turns} {turns:0>100}");
        assert_eq!(ask(&mut node, at(0), CLIENT, &set), "+OK\r\n");
        let now = evicted(&mut node);
        // Each request takes two turns, and each turn ends with no more than one choice.
        assert!(now - before <= 4 * 1024, "{} in few turns", now - before);
        before = now;
        turns += 1;
        assert!(turns < 1000);
    }
    assert!(turns > 5, "not all at once: {turns}");
}

#[test]
fn a_value_larger_than_the_limit_is_taken_and_goes() {
    for (set, policy) in [
        ("SET", MemoryPolicy::AllKeysLfu),
        ("APPEND", MemoryPolicy::AllKeysRandom),
    ] {
        let mut node = node(policy);
        asks(&mut node, at(0), "CONFIG SET maxmemory 100kb");
        for n in 0..300 {
            asks(&mut node, at(0), &format!("SET key:{n} {n:0>100}"));
        }
        let large = format!("{set} large {}", "v".repeat(60_000));
        for _ in 0..3 {
            let reply = asks(&mut node, at(0), &large);
            assert!(reply == "+OK\r\n" || reply.starts_with(':'), "{reply}");
        }
        for _ in 0..5 {
            assert_eq!(asks(&mut node, at(1), "SET small 1"), "+OK\r\n");
        }
        assert!(node.used_memory() <= 100 << 10, "{}", node.used_memory());
    }
}

#[test]
fn a_limit_below_what_an_empty_server_needs_refuses_and_does_not_spin() {
    let mut node = node(MemoryPolicy::AllKeysLru);
    asks(&mut node, at(0), "CONFIG SET maxmemory 1");
    assert_eq!(asks(&mut node, at(0), "SET a 1"), OOM);
    assert_eq!(asks(&mut node, at(0), "GET a"), "$-1\r\n");
    asks(&mut node, at(0), "MULTI");
    assert_eq!(asks(&mut node, at(0), "SET a 1"), OOM);
    assert!(asks(&mut node, at(0), "EXEC").starts_with("-EXECABORT"));
    let is_idle = node.deadline().is_none_or(|due| due.at > at(0).mono);
    assert!(is_idle, "it wants no turn for that");
    asks(&mut node, at(0), "CONFIG SET maxmemory 0");
    assert_eq!(asks(&mut node, at(0), "SET a 1"), "+OK\r\n");
}

#[test]
fn a_transaction_is_done_as_a_whole_where_keys_can_go() {
    let mut node = node(MemoryPolicy::AllKeysLru);
    for n in 0..12_000 {
        asks(&mut node, at(n / 1000), &format!("SET key:{n} {n:0>300}"));
    }
    asks(&mut node, at(20), "MULTI");
    for n in 0..50 {
        let set = format!("SET in:{n} {n:0>3000}");
        assert_eq!(asks(&mut node, at(20), &set), "+QUEUED\r\n");
    }
    let reply = asks(&mut node, at(20), "EXEC");
    assert_eq!(reply, format!("*50\r\n{}", "+OK\r\n".repeat(50)));
    let names: Vec<String> = (0..50).map(|n| format!("in:{n}")).collect();
    let there = asks(&mut node, at(20), &format!("EXISTS {}", names.join(" ")));
    assert_eq!(there, ":50\r\n", "what was just written does not go");
    assert!(node.used_memory() <= LIMIT);
}

#[test]
fn touch_is_noted_of_clients_too_that_leave_no_trace() {
    let mut node = node(MemoryPolicy::AllKeysLru);
    let mut says = |second: u64, request: &str| asks(&mut node, at(second), request);
    says(0, "SET foo a");
    says(0, "CLIENT NO-TOUCH on");
    says(10, "GET foo");
    assert_eq!(says(20, "OBJECT IDLETIME foo"), ":20\r\n");
    says(20, "TOUCH foo");
    assert_eq!(says(21, "OBJECT IDLETIME foo"), ":1\r\n");
}
