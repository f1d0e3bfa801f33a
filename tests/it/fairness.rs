//! One client's flood does not keep the others: shares of a turn, counted in work.

mod coded;
mod functions;
mod large;

use std::fmt::Write as _;

use seedis::command::table;
use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::opened;

const FLOODS: ConnId = ConnId(1);
const ASKS: ConnId = ConnId(2);
const NOW: Now = Now {
    mono: Mono::from_millis(1),
    wall_us: 1_700_000_000_000_000,
};

/// A node in memory, the bytes that it has let go, and whom it lets be read again.
struct Served {
    node: Node,
    said: Vec<(ConnId, Vec<u8>)>,
    resumed: Vec<ConnId>,
}

impl Served {
    fn new() -> Self {
        Self::with_turns_of(Config::default().turn_work)
    }

    fn with_turns_of(turn_work: usize) -> Self {
        let config = Config {
            append_only: false,
            turn_work,
            ..Config::default()
        };
        let mut served = Self {
            node: Node::new(config, NOW),
            said: Vec::new(),
            resumed: Vec::new(),
        };
        served.end_turn();
        for conn in [FLOODS, ASKS] {
            served.node.handle(NOW, opened(conn, "127.0.0.1:1"));
        }
        served.end_turn();
        served
    }

    fn ask(&mut self, conn: ConnId, bytes: &[u8]) {
        self.node.handle(NOW, Input::Received { conn, bytes });
    }

    fn end_turn(&mut self) {
        let mut effects = Effects::new();
        self.node.flush(NOW, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { conn } => {
                    let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
                    let count = bytes.len();
                    self.said.push((conn, bytes));
                    self.node.handle(NOW, Input::Sent { conn, count });
                }
                Effect::Resume { conn } => self.resumed.push(conn),
                _ => {}
            }
        }
    }

    /// Turns until the node wants none; how many.
    fn turns(&mut self) -> usize {
        let mut turns = 0;
        while self.node.deadline().is_some_and(|due| due.at <= NOW.mono) {
            self.node.handle(NOW, Input::Timer);
            self.end_turn();
            turns += 1;
            assert!(turns < 100_000, "a node that is idle wants no turn");
        }
        turns
    }

    /// Brings a long request, as far as the node has an appetite, and ends the turn.
    fn bring(&mut self, conn: ConnId, bytes: &[u8]) {
        for piece in bytes.chunks(64 << 10) {
            assert!(self.node.appetite(conn) > 0);
            self.ask(conn, piece);
        }
        self.end_turn();
    }

    /// Turns until the node wants none, and in each the other client pings; how many turns.
    fn turns_with_pings(&mut self) -> usize {
        let mut turns = 0;
        while self.node.deadline().is_some_and(|due| due.at <= NOW.mono) {
            let before = self.said_to(ASKS);
            self.ask(ASKS, b"PING\r\n");
            self.node.handle(NOW, Input::Timer);
            self.end_turn();
            turns += 1;
            let pong = self.said_to(ASKS) - before;
            assert_eq!(pong, b"+PONG\r\n".len(), "in turn {turns}");
        }
        turns
    }

    fn last_said_to(&self, conn: ConnId) -> String {
        let said = self.said.iter().rfind(|(to, _)| *to == conn);
        said.map_or_else(String::new, |(_, bytes)| {
            String::from_utf8_lossy(bytes).into_owned()
        })
    }

    fn said_to(&self, conn: ConnId) -> usize {
        let said = self.said.iter().filter(|(to, _)| *to == conn);
        said.map(|(_, bytes)| bytes.len()).sum()
    }
}

#[test]
fn a_flood_is_cut_into_shares_and_another_client_is_answered_in_between() {
    let mut served = Served::new();
    let requests = 8000;
    served.ask(FLOODS, &b"INCR a\r\n".repeat(requests));
    assert_eq!(served.node.appetite(FLOODS), 0, "it has had its share");
    served.ask(ASKS, b"PING\r\n");
    served.end_turn();
    assert_eq!(served.said_to(ASKS), b"+PONG\r\n".len());
    let first = served.said_to(FLOODS);
    assert!(first > 0 && first < 4000, "{first} bytes in the first turn");
    served.ask(ASKS, b"GET a\r\n");
    assert!(served.turns() > 10);
    assert_eq!(served.resumed, [FLOODS], "once, when all is done");
    assert!(served.node.appetite(FLOODS) > 0);
    let mut all = String::new();
    for (_, bytes) in served.said.iter().filter(|(to, _)| *to == FLOODS) {
        all.push_str(core::str::from_utf8(bytes).unwrap());
    }
    let mut wanted = String::new();
    for number in 1..=requests {
        let _ = write!(wanted, ":{number}\r\n");
    }
    assert_eq!(all, wanted, "each request once, in order");
}

#[test]
fn replies_count_as_work_and_a_flood_without_replies_does() {
    let mut served = Served::new();
    let value = "v".repeat(100_000);
    served.ask(FLOODS, format!("SET a {}\r\n", &value[..60_000]).as_bytes());
    served.turns();
    served.end_turn();
    served.said.clear();
    served.ask(FLOODS, &b"GET a\r\n".repeat(100));
    served.end_turn();
    assert!(
        served.said_to(FLOODS) < 300_000,
        "{}",
        served.said_to(FLOODS)
    );
    served.turns();
    assert!(served.said_to(FLOODS) > 6_000_000);
    served.ask(FLOODS, b"CLIENT REPLY OFF\r\n");
    served.end_turn();
    served.ask(FLOODS, &b"SET b 1\r\n".repeat(7000));
    served.ask(ASKS, b"PING\r\n");
    assert!(served.turns() > 10);
}

/// A request of these words.
fn request<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let (mut count, mut all) = (0, String::new());
    for word in words {
        count += 1;
        let _ = write!(all, "${}\r\n{word}\r\n", word.len());
    }
    format!("*{count}\r\n{all}").into_bytes()
}

/// Commands whose work grows and that are not cut, or not asked for below, with the reason.
const AT_ONCE: [(&str, &str); 25] = [
    ("client|tracking", "as many prefixes as there may be"),
    (
        "append",
        "bytes are copied, and no more than a string may have",
    ),
    ("blpop", "keys are noted, or looked for, up to a bound"),
    ("brpop", "keys are noted, or looked for, up to a bound"),
    ("bzpopmin", "one way through the tree"),
    ("bzpopmax", "one way through the tree"),
    ("client|unblock", "a client is found by its number"),
    ("client|unpause", "clients are put into a queue"),
    ("discard", "what was queued is forgotten"),
    ("exec", "it stands below"),
    ("getrange", "bytes are copied"),
    ("lindex", "counts of blocks are walked"),
    ("lset", "counts of blocks are walked"),
    ("ltrim", "blocks are let go, and freed later"),
    (
        "script|exists",
        "names are looked up, one for each argument",
    ),
    ("script|load", "the text has a bound"),
    ("setbit", "the zeros of a gap are chunks that are shared"),
    ("setrange", "bytes are copied"),
    ("substr", "bytes are copied"),
    ("zlexcount", "two ranks are looked up"),
    ("zcount", "two ranks are looked up"),
    ("zrank", "counts of nodes are added"),
    ("zrevrank", "counts of nodes are added"),
    ("zincrby", "one way through the tree"),
    ("watch", "keys are noted, and the store is not touched"),
];

/// How much of each the long commands of the tests take.
const MANY: usize = 40_000;

#[test]
fn long_commands_are_cut_and_another_client_is_answered_in_each_turn() {
    let names: Vec<String> = (0..MANY).map(|number| format!("key:{number}")).collect();
    let pairs = || names.iter().flat_map(|name| [name.as_str(), "value"]);
    let one = |name: &'static str| std::iter::once(name);
    let every = || names.iter().map(String::as_str);
    let scored = names.iter().flat_map(|name| ["0", name.as_str()]);
    let zadd = request(["ZADD", "zset"].into_iter().chain(scored));
    let push = |name: &'static str| request([name, "list"].into_iter().chain(every()));
    let text = "abcdefghij".repeat(300);
    let mut served = Served::new();
    for (key, text) in [("l1", text.clone()), ("l2", text.chars().rev().collect())] {
        served.bring(FLOODS, &request(["SET", key, &text]));
        served.turns();
    }
    let mut exec = request(["MULTI"]);
    for name in &names {
        exec.extend(request(["SET", name, "again"]));
    }
    exec.extend(request(["EXEC"]));
    // A request, how many steps it takes, and how its reply begins.
    let mut script: Vec<(Vec<u8>, usize, &str)> = vec![
        (
            request(["EVAL", "for i = 1, 3000000 do end return 7", "0"]),
            MANY,
            ":7",
        ),
        (request(one("MSET").chain(pairs())), MANY, "+OK"),
        (request(one("MSETNX").chain(pairs())), 1, ":0"),
        (request(one("MGET").chain(every())), MANY, "*40000"),
        (request(one("EXISTS").chain(every())), MANY, ":40000"),
        (request(one("TOUCH").chain(every())), MANY, ":40000"),
        (request(["KEYS", "*"]), MANY, "*40002"),
        (request(["SCAN", "0", "COUNT", "1000000000"]), MANY, "*2"),
        (
            request(["HSET", "hash"].into_iter().chain(pairs())),
            MANY,
            ":40000",
        ),
        (
            request(["HMSET", "hash"].into_iter().chain(pairs())),
            MANY,
            "+OK",
        ),
        (request(["HGETALL", "hash"]), MANY, "*80000"),
        (request(["HKEYS", "hash"]), MANY, "*40000"),
        (request(["HVALS", "hash"]), MANY, "*40000"),
        (
            request(["HMGET", "hash"].into_iter().chain(every())),
            MANY,
            "*40000",
        ),
        (request(["HRANDFIELD", "hash", "-40000"]), MANY, "*40000"),
        (request(["HRANDFIELD", "hash", "2000"]), 32_000, "*2000"),
        (request(["HRANDFIELD", "hash", "30000"]), MANY, "*30000"),
        (request(["COPY", "hash", "hash2"]), 4096, ":1"),
        (
            request(["HSCAN", "hash", "0", "COUNT", "1000000000"]),
            MANY,
            "*2",
        ),
        (
            request(["HDEL", "hash"].into_iter().chain(every())),
            MANY,
            ":40000",
        ),
        (push("RPUSH"), MANY, ":40000"),
        (push("LPUSHX"), MANY, ":80000"),
        (push("RPUSHX"), MANY, ":120000"),
        (push("LPUSH"), MANY, ":160000"),
        (request(["LRANGE", "list", "0", "-1"]), 4 * MANY, "*160000"),
        (request(["LPOS", "list", "none"]), 4 * MANY, "$-1"),
        (
            request(["LINSERT", "list", "BEFORE", "none", "x"]),
            4 * MANY,
            ":-1",
        ),
        (request(["LREM", "list", "0", "key:1"]), 4 * MANY, ":4"),
        (request(["LREM", "list", "-9", "key:2"]), 4 * MANY, ":4"),
        (request(["LPOP", "list", "40000"]), MANY, "*40000"),
        (request(["RPOP", "list", "40000"]), MANY, "*40000"),
        (
            request(["BLMPOP", "0", "2", "no", "list", "LEFT", "COUNT", "9999"]),
            9999,
            "*2",
        ),
        (
            request(["LMPOP", "2", "none", "list", "LEFT", "COUNT", "99999"]),
            MANY - 9999,
            "*2",
        ),
        (
            request(["SADD", "set"].into_iter().chain(every())),
            MANY,
            ":40000",
        ),
        (
            request(["SMISMEMBER", "set"].into_iter().chain(every())),
            MANY,
            "*40000",
        ),
        (request(["SMEMBERS", "set"]), MANY, "*40000"),
        (
            request([
                "SORT_RO", "set", "BY", "none:*", "GET", "none:*", "GET", "#",
            ]),
            5 * MANY,
            "*80000",
        ),
        (
            request(["SORT", "set", "ALPHA", "DESC", "STORE", "sorted"]),
            3 * MANY,
            ":40000",
        ),
        (
            request([
                "SORT", "sorted", "BY", "nosort", "GET", "none:*", "STORE", "sorted",
            ]),
            3 * MANY,
            ":40000",
        ),
        (
            request(["SSCAN", "set", "0", "COUNT", "1000000000"]),
            MANY,
            "*2",
        ),
        (request(["SRANDMEMBER", "set", "-40000"]), MANY, "*40000"),
        (request(["SRANDMEMBER", "set", "10000"]), MANY, "*10000"),
        (request(["SRANDMEMBER", "set", "30000"]), MANY, "*30000"),
        (request(["SRANDMEMBER", "set", "90000"]), MANY, "*40000"),
        (request(["SUNION", "set", "none"]), MANY, "*40000"),
        (request(["SUNIONSTORE", "set2", "set"]), MANY, ":40000"),
        (request(["SINTER", "set", "set2"]), MANY, "*40000"),
        (request(["SINTERCARD", "2", "set", "set2"]), MANY, ":40000"),
        (
            request(["SINTERSTORE", "set2", "set", "set2"]),
            MANY,
            ":40000",
        ),
        (request(["SDIFF", "set", "set2"]), MANY, "*0"),
        (
            request(["SDIFFSTORE", "set2", "set", "none"]),
            MANY,
            ":40000",
        ),
        (request(["SPOP", "set2", "10000"]), MANY, "*10000"),
        (request(["SPOP", "set2", "29000"]), MANY / 2, "*29000"),
        (request(["SPOP", "set2", "2000"]), 1000, "*1000"),
        (
            request(["SREM", "set"].into_iter().chain(every())),
            MANY,
            ":40000",
        ),
        (zadd, MANY, ":40000"),
        (
            request(["ZMSCORE", "zset"].into_iter().chain(every())),
            MANY,
            "*40000",
        ),
        (request(["ZRANGE", "zset", "0", "-1"]), MANY, "*40000"),
        (request(["ZREVRANGE", "zset", "0", "-1"]), MANY, "*40000"),
        (
            request(["ZRANGEBYSCORE", "zset", "-inf", "inf"]),
            MANY,
            "*40000",
        ),
        (
            request(["ZREVRANGEBYSCORE", "zset", "inf", "-inf"]),
            MANY,
            "*40000",
        ),
        (request(["ZRANGEBYLEX", "zset", "-", "+"]), MANY, "*40000"),
        (
            request(["ZREVRANGEBYLEX", "zset", "+", "-"]),
            MANY,
            "*40000",
        ),
        (
            request(["ZSCAN", "zset", "0", "COUNT", "1000000000"]),
            MANY,
            "*2",
        ),
        (request(["ZRANDMEMBER", "zset", "-40000"]), MANY, "*40000"),
        (request(["ZRANDMEMBER", "zset", "10000"]), MANY, "*10000"),
        (request(["ZRANDMEMBER", "zset", "30000"]), MANY, "*30000"),
        (request(["ZUNION", "2", "zset", "none"]), 3 * MANY, "*40000"),
        (
            request(["ZUNIONSTORE", "zset2", "2", "zset", "zset"]),
            4 * MANY,
            ":40000",
        ),
        (
            request(["ZINTER", "2", "zset", "zset2"]),
            3 * MANY,
            "*40000",
        ),
        (
            request(["ZINTERCARD", "2", "zset", "zset2"]),
            2 * MANY,
            ":40000",
        ),
        (
            request(["ZINTERSTORE", "zset2", "2", "zset", "zset2"]),
            3 * MANY,
            ":40000",
        ),
        (request(["ZDIFF", "2", "zset", "zset2"]), 2 * MANY, "*0"),
        (
            request(["ZDIFFSTORE", "zset2", "2", "zset", "none"]),
            3 * MANY,
            ":40000",
        ),
        (
            request(["ZRANGESTORE", "zset2", "zset", "0", "-1"]),
            2 * MANY,
            ":40000",
        ),
        (request(["COPY", "zset", "zset2", "REPLACE"]), 8192, ":1"),
        (request(["ZPOPMIN", "zset", "5000"]), 5000, "*10000"),
        (request(["ZPOPMAX", "zset", "5000"]), 5000, "*10000"),
        (
            request(["ZMPOP", "1", "zset", "MIN", "COUNT", "5000"]),
            5000,
            "*2",
        ),
        (
            request(["BZMPOP", "0", "1", "zset", "MIN", "COUNT", "5000"]),
            5000,
            "*2",
        ),
        (
            request(["ZREMRANGEBYRANK", "zset", "0", "4999"]),
            5000,
            ":5000",
        ),
        (request(["ZREMRANGEBYLEX", "zset", "-", "[key:2"]), 1, ":"),
        (
            request(["ZREM", "zset"].into_iter().chain(every())),
            MANY,
            ":",
        ),
        (request(["ZREMRANGEBYSCORE", "zset", "0", "0"]), 1, ":0"),
        (request(["LCS", "l1", "l2", "LEN"]), 3000 * 3000 / 256, ":"),
        (exec, MANY, "*40000"),
        (request(one("DEL").chain(every())), MANY, ":40000"),
        (request(one("UNLINK").chain(every())), MANY, ":0"),
    ];
    script.extend(coded::script(&names));
    script.extend(functions::script());
    for row in table::all().filter(|row| row.complexity.contains('N')) {
        let mut head = request(row.name.split('|')).to_ascii_uppercase();
        head.drain(..4);
        let is_asked = |(bytes, ..): &(Vec<u8>, usize, &str)| {
            let mut begun = bytes.windows(head.len()).take(10);
            begun.any(|bytes| bytes == head)
        };
        let is_known =
            AT_ONCE.iter().any(|(name, _)| *name == row.name) || row.group.name() == "pubsub";
        assert!(
            is_known || script.iter().any(is_asked),
            "{} is cut nowhere, or not asked for here",
            row.name
        );
    }
    for (bytes, steps, wanted) in script {
        served.said.clear();
        for piece in bytes.chunks(16 << 10) {
            while served.node.appetite(FLOODS) == 0 {
                served.node.handle(NOW, Input::Timer);
                served.end_turn();
            }
            served.ask(FLOODS, piece);
        }
        let turns = served.turns_with_pings();
        let name = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        let least = steps / Config::default().turn_work;
        assert!(turns >= least, "{name:?} took {turns} turns, not {least}");
        served.end_turn();
        let said = served.last_said_to(FLOODS);
        assert!(
            said.starts_with(wanted),
            "{name:?}: {:?}",
            &said[..said.len().min(60)]
        );
    }
}

#[test]
fn a_client_that_waits_for_one_of_several_keys_waits_however_small_turns_are() {
    let mut served = Served::with_turns_of(1);
    for (wait, comes, goes) in [
        ("BLMPOP 0 3 a b c LEFT\r\n", "RPUSH c x\r\n", "LPOP c\r\n"),
        (
            "BZMPOP 0 3 d e f MIN\r\n",
            "ZADD f 1 x\r\n",
            "ZPOPMIN f\r\n",
        ),
    ] {
        served.ask(ASKS, comes.as_bytes());
        served.turns();
        // What is there when it asks is gone when it is its turn.
        served.ask(ASKS, goes.as_bytes());
        served.ask(FLOODS, wait.as_bytes());
        served.said.clear();
        served.turns();
        assert_eq!(served.said_to(FLOODS), 0, "{wait:?} waits");
        served.ask(ASKS, comes.as_bytes());
        served.turns();
        let said = served.last_said_to(FLOODS);
        assert!(said.starts_with("*2"), "{wait:?}: {said:?}");
    }
    served.ask(ASKS, b"LMPOP 3 a b c LEFT\r\n");
    served.turns();
    assert_eq!(served.last_said_to(ASKS), "*-1\r\n");
}

#[test]
fn nobody_sees_the_middle_of_a_command_or_transaction() {
    let mut served = Served::with_turns_of(4);
    let names: Vec<String> = (0..100).map(|number| format!("key:{number}")).collect();
    let pairs = |value: &'static str| names.iter().flat_map(move |name| [name.as_str(), value]);
    let mut exec = request(["MULTI"]);
    for name in &names {
        exec.extend(request(["SET", name, "3"]));
    }
    exec.extend(request(["EXEC"]));
    let writes = [
        request(std::iter::once("MSET").chain(pairs("1"))),
        request(std::iter::once("MSET").chain(pairs("2"))),
        exec,
    ];
    for (number, bytes) in (1..).zip(&writes) {
        served.ask(FLOODS, bytes);
        let mut waited = 0;
        loop {
            served.end_turn();
            let due = served.node.deadline().is_some_and(|due| due.at <= NOW.mono);
            let said = served.said_to(ASKS);
            // The one that is written first and the one that is written last.
            served.ask(ASKS, b"MGET key:0 key:99\r\n");
            served.end_turn();
            waited += usize::from(served.said_to(ASKS) == said);
            if !due {
                break;
            }
            served.node.handle(NOW, Input::Timer);
        }
        served.turns();
        served.end_turn();
        assert!(waited > 5, "{waited} reads came in the middle of {number}");
        let seen = served.last_said_to(ASKS);
        let whole = format!("*2\r\n$1\r\n{number}\r\n$1\r\n{number}\r\n");
        assert!(seen.ends_with(&whole), "{seen:?}");
    }
    let all: Vec<u8> = served
        .said
        .iter()
        .filter(|(to, _)| *to == ASKS)
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let all = String::from_utf8(all).unwrap();
    for reply in all.split("*2\r\n").skip(1) {
        let (first, last) = reply.split_at(reply.len() / 2);
        assert_eq!(first, last, "both are old or both are new");
    }
}
