//! Every command that both the server and the model know, with arguments good and bad.

use seedis::command::table;

use super::{Piece, Request, Workload};
use crate::draws::Dice;
use crate::model::{self, Row};

/// Commands that end the conversation, stop the server or wait: others ask for those.
const NOT_ASKED: [&str; 3] = ["auth", "quit", "hello"];

/// What may stand where an integer is wanted.
const INTEGERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "10",
    "100",
    "-100",
    "abc",
    "",
    "01",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
];
const FLOATS: [&str; 8] = ["0.5", "-1.25", "3", "1e2", "inf", "abc", "", "+0.25"];
const PATTERNS: [&str; 8] = ["*", "k*", "k?", "k[0-3]", "k[^1]", "\\k1", "", "*1*"];
const TIMES: [&str; 10] = [
    "1",
    "10",
    "100",
    "2000",
    "-1",
    "0",
    "1900000000",
    "1900000000000",
    "9223372036854775807",
    "x",
];

/// Options, by command.
fn options(name: &str) -> &'static [&'static str] {
    match name {
        "set" => &["NX", "XX", "GET", "KEEPTTL", "EX", "PX", "EXAT", "PXAT"],
        "getex" => &["PERSIST", "EX", "PX", "EXAT", "PXAT"],
        "expire" | "pexpire" | "expireat" | "pexpireat" => &["NX", "XX", "GT", "LT"],
        "copy" => &["DB", "REPLACE"],
        "scan" | "hscan" => &["MATCH", "COUNT", "TYPE"],
        "hrandfield" => &["WITHVALUES"],
        "flushall" | "flushdb" => &["ASYNC", "SYNC"],
        _ => &[],
    }
}

/// What each argument of a command is, by letter: D and F are a key and a field for decimals alone,
/// since sums of huge numbers and fractions round as only 80-bit floating point does. k key, f
/// field, v value, i integer, d decimal, t time, p pattern, n database, c cursor, s subcommand of
/// OBJECT. The last letter may be repeated.
fn grammar(name: &str) -> &'static str {
    match name {
        "ping" | "echo" => "v",
        "get" | "strlen" | "incr" | "decr" | "getdel" | "type" | "ttl" | "pttl" | "persist"
        | "expiretime" | "pexpiretime" | "getex" | "hlen" | "hgetall" | "hkeys" | "hvals" => "k",
        "mget" | "del" | "unlink" | "exists" | "touch" | "watch" | "rename" | "renamenx"
        | "copy" => "kk",
        "getrange" | "substr" => "kii",
        "set" | "setnx" | "getset" | "append" => "kv",
        "setex" | "psetex" => "ktv",
        "mset" | "msetnx" => "kvkv",
        "setrange" => "kov",
        "incrbyfloat" => "Dd",
        "move" => "kn",
        "select" => "n",
        "expire" | "pexpire" | "expireat" | "pexpireat" => "kt",
        "hset" | "hmset" => "kfvfv",
        "hsetnx" => "kfv",
        "hdel" | "hmget" => "kff",
        "hincrby" => "kfi",
        "hincrbyfloat" => "kFd",
        "hget" | "hexists" | "hstrlen" => "kf",
        "incrby" | "decrby" | "hrandfield" => "ki",
        "keys" => "p",
        "scan" => "c",
        "hscan" => "kc",
        "object" => "sk",
        _ => "",
    }
}

impl Workload {
    pub(super) fn anything(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if self.shape.garbage && dice.permille(6) {
            return vec![garbage(dice)];
        }
        if self.shape.garbage && dice.permille(1) {
            return vec![longest_line()];
        }
        let in_transaction = dice.permille(80);
        let count = if in_transaction { dice.within(1, 5) } else { 1 };
        let mut pieces = Vec::new();
        if in_transaction {
            pieces.push(super::words(&["MULTI"]));
        }
        for _ in 0..count {
            let request = self.any_request(dice);
            let plain =
                |word: &Vec<u8>| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
            let inline = dice.permille(50) && request.iter().all(plain);
            pieces.push(if inline {
                Piece::Inline(request)
            } else {
                Piece::Request(request)
            });
        }
        if in_transaction {
            pieces.push(super::words(&[if dice.permille(900) {
                "EXEC"
            } else {
                "DISCARD"
            }]));
        }
        // Drawn last, so that all that was drawn before is as it was.
        if in_transaction && dice.permille(100) {
            let at = 1 + dice.below(pieces.len() as u64 - 1) as usize;
            let version = *dice.pick(&["2", "3", "3", "4", "x"]);
            pieces.insert(at, super::words(&["HELLO", version]));
        }
        if dice.permille(15) {
            let at = dice.below(pieces.len() as u64 + 1) as usize;
            pieces.insert(at, super::words(&["CONFIG", "REWRITE"]));
        }
        pieces
    }

    fn any_request(&self, dice: &mut Dice) -> Request {
        let row = loop {
            let row: &Row = dice.pick(model::rows());
            let known = table::find(row.name.as_bytes()).is_some();
            // An emptied store teaches little.
            let rare = row.name.starts_with("flush") && !dice.permille(50);
            if known && !rare && !NOT_ASKED.contains(&row.name) {
                break row;
            }
        };
        if dice.permille(5) {
            let word = format!("{}X", row.name);
            return vec![word.into_bytes(), self.value(dice).into_bytes()];
        }
        if row.name == "raft" {
            return reads(dice);
        }
        let name = match dice.below(4) {
            0 => row.name.to_ascii_uppercase(),
            _ => row.name.to_owned(),
        };
        let mut request = vec![name.into_bytes()];
        for letter in grammar(row.name).chars() {
            request.push(self.argument(letter, dice));
        }
        if !options(row.name).is_empty() {
            for _ in 0..dice.below(4).saturating_sub(1) {
                let option = *dice.pick(options(row.name));
                request.push(option.as_bytes().to_vec());
                match option {
                    "EX" | "PX" | "EXAT" | "PXAT" => request.push(self.argument('t', dice)),
                    "DB" => request.push(self.argument('n', dice)),
                    "MATCH" => request.push(self.argument('p', dice)),
                    "COUNT" => request.push(self.argument('i', dice)),
                    "TYPE" => request.push(
                        dice.pick(&["string", "hash", "HASH", "x"])
                            .as_bytes()
                            .to_vec(),
                    ),
                    _ => {}
                }
            }
        }
        // A word too few, a word too many.
        match dice.below(40) {
            0 => {
                request.truncate(request.len().max(2) - 1);
            }
            1 => request.push(self.argument('v', dice)),
            _ => {}
        }
        request
    }

    fn argument(&self, letter: char, dice: &mut Dice) -> Vec<u8> {
        match letter {
            'k' => self.key("k", dice).into_bytes(),
            'D' => self.key("d", dice).into_bytes(),
            'F' => b"d".to_vec(),
            'f' => format!("f{}", dice.below(6)).into_bytes(),
            'i' => dice.pick(&INTEGERS).as_bytes().to_vec(),
            'o' => dice
                .pick(&["0", "3", "10", "-1", "x", "536870912"])
                .as_bytes()
                .to_vec(),
            'd' => dice.pick(&FLOATS).as_bytes().to_vec(),
            't' => dice.pick(&TIMES).as_bytes().to_vec(),
            'p' => dice.pick(&PATTERNS).as_bytes().to_vec(),
            'n' => dice
                .pick(&["0", "1", "15", "16", "-1", "x", "0", "0"])
                .as_bytes()
                .to_vec(),
            'c' => dice
                .pick(&["0", "0", "0", "5", "x", "-1"])
                .as_bytes()
                .to_vec(),
            's' => dice
                .pick(&["ENCODING", "freq", "IDLETIME", "REFCOUNT", "nope"])
                .as_bytes()
                .to_vec(),
            _ => match dice.below(6) {
                0 => dice.pick(&INTEGERS).as_bytes().to_vec(),
                1 => dice.pick(&FLOATS[..4]).as_bytes().to_vec(),
                2 => (0..dice.below(12)).map(|_| dice.below(256) as u8).collect(),
                _ => self.value(dice).into_bytes(),
            },
        }
    }
}

/// The most bytes of a line, its LF not counted.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Which reads this client wants from now on.
fn reads(dice: &mut Dice) -> Request {
    const LEVELS: [&str; 6] = [
        "DEFAULT",
        "LINEARIZABLE",
        "LEASE",
        "FOLLOWER",
        "BOUNDED",
        "LOCAL",
    ];
    let level = *dice.pick(&LEVELS);
    let ms = (level == "BOUNDED").then(|| dice.within(1, 3000).to_string());
    let words = ["RAFT", "READS", level].into_iter().chain(ms.as_deref());
    words.map(|word| word.as_bytes().to_vec()).collect()
}

/// An inline request as long as may be, with its CR.
fn longest_line() -> Piece {
    let (name, end) = ("PING", 1);
    let argument = vec![b'x'; LINE_BYTES_MAX - name.len() - 1 - end];
    Piece::Inline(vec![name.into(), argument])
}

/// Bytes that are no request.
fn garbage(dice: &mut Dice) -> Piece {
    let cases: [(&[u8], &str, bool); 7] = [
        (b"*1\r\n:1\r\n", "expected '$', got ':'", false),
        (b"*x\r\n", "invalid multibulk length", false),
        (b"*1\r\n$-1\r\n", "invalid bulk length", false),
        (b"*1\r\n$999999999999\r\n", "invalid bulk length", false),
        (b"GET \"k\r\n", "unbalanced quotes in request", false),
        (b"*1\r\n$536870913\r\n", "invalid bulk length", true),
        (b"*1048577\r\n", "invalid multibulk length", true),
    ];
    let (bytes, complaint, limit) = *dice.pick(&cases);
    let (mut bytes, mut complaint, mut limit) = (bytes.to_vec(), complaint, limit);
    if dice.permille(150) {
        // A line that is one byte too long, of each of three kinds.
        let (start, what) = *dice.pick(&[
            ("PING ", "too big inline request"),
            ("*", "too big mbulk count string"),
            ("*1\r\n$", "too big bulk count string"),
        ]);
        bytes = start.as_bytes().to_vec();
        let line = start.rfind('\n').map_or(0, |at| at + 1);
        // The CR counts where LF ends the line.
        let end = usize::from(start.starts_with('P'));
        bytes.resize(line + LINE_BYTES_MAX + 1 - end, b'1');
        bytes.extend_from_slice(b"\r\n");
        (complaint, limit) = (what, true);
    }
    // Drawn last, so that all that was drawn before is as it was.
    if dice.permille(200) {
        let bytes = *dice.pick(&[
            &b"POST /set/k0/x HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            b"host: 127.0.0.1\r\n",
            b"*2\r\n$4\r\nPost\r\n$1\r\n/\r\n",
        ]);
        return Piece::Garbage {
            bytes: bytes.to_vec(),
            // A browser is told nothing.
            complaint: String::new(),
            limit: false,
        };
    }
    Piece::Garbage {
        bytes,
        complaint: format!("ERR Protocol error: {complaint}"),
        limit,
    }
}
