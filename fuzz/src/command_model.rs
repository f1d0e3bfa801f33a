//! Commands to a bare node: one whole reply to each, and the reply that a plain map would give.

use seedis::command::row::Row;
use seedis::command::table::rows;
use seedis::resp::value::{Value, encode_request};

use crate::bytes::Bytes;
use crate::model::{self, Model, Word};
use crate::served::Served;

/// The commands for which no model of one reply per request holds: they silence, block, end or
/// redirect.
const SPECIAL: [&str; 6] = ["client", "debug", "monitor", "quit", "shutdown", "wait"];

/// Words that mean something to some command.
const WORDS: [&str; 56] = [
    "a",
    "b",
    "h",
    "",
    "0",
    "1",
    "-1",
    "2",
    "7",
    "15",
    "16",
    "1000",
    "1.5",
    "-1e4932",
    "inf",
    "nan",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "*",
    "[a-",
    "\\",
    "NX",
    "XX",
    "GT",
    "LT",
    "GET",
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "KEEPTTL",
    "PERSIST",
    "MATCH",
    "COUNT",
    "TYPE",
    "IDX",
    "LEN",
    "MINMATCHLEN",
    "WITHMATCHLEN",
    "WITHVALUES",
    "DB",
    "REPLACE",
    "ASYNC",
    "ENCODING",
    "REFCOUNT",
    "FREQ",
    "HELP",
    "DOCS",
    "INFO",
    "LIST",
    "GETKEYS",
    "AUTH",
    "SETNAME",
    "default",
    "string",
];

/// The first byte chooses between the model, any commands, and bytes as they are.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    match bytes.below(4) {
        0 | 1 => modelled(&mut bytes),
        2 => anything(&mut bytes),
        _ => raw(&mut bytes),
    }
}

/// Two clients, whose requests come alone or several at once; a map tells what is answered.
fn modelled(bytes: &mut Bytes<'_>) {
    let mut served = Served::new(2);
    let mut model = Model::default();
    while !bytes.is_empty() {
        let client = 1 + bytes.below(2) as u64;
        let (mut wire, mut expected, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..=bytes.below(4) {
            let request = model::request(bytes);
            encode_request(&request, &mut wire);
            expected.push(model.answer(client, &request));
            asked.push(request);
        }
        assert!(served.send(client, &wire), "a client is sent away");
        let replies = served.replies(client);
        assert_eq!(replies, expected, "to {}", printable(&asked));
    }
}

/// Any commands with any words, one by one, in both protocols.
fn anything(bytes: &mut Bytes<'_>) {
    let mut served = Served::new(1);
    while !bytes.is_empty() {
        if bytes.byte() > 240 {
            served.pass(bytes.byte().into());
        }
        let request = any_request(bytes);
        let mut wire = Vec::new();
        encode_request(&request, &mut wire);
        let waits = rows()
            .iter()
            .any(|row| row.waits.is_some() && request[0] == row.name.as_bytes());
        let subscribes = request[0].ends_with(b"subscribe");
        let request = printable(&[request]);
        assert!(served.send(1, &wire), "{request} sends away");
        let replies = served.replies(1);
        if subscribes {
            // It is answered once for each name, and its client hears messages from then on.
            assert!(!replies.is_empty(), "{request} is not answered");
            served = Served::new(1);
            continue;
        }
        if replies.is_empty() && waits {
            // Its client asks nothing more until something comes, perhaps for ever.
            served = Served::new(1);
            continue;
        }
        let [reply] = &replies[..] else {
            panic!("{request}: {replies:?}");
        };
        assert!(!matches!(reply, Value::Push(_)), "{request}: {reply:?}");
    }
}

fn any_request(bytes: &mut Bytes<'_>) -> Vec<Word> {
    let all: Vec<&Row> = rows()
        .iter()
        .filter(|row| !SPECIAL.contains(&row.name))
        .collect();
    let row = all[bytes.wide() % all.len()];
    let mut request = vec![row.name.as_bytes().to_vec()];
    if row.is_container() && bytes.below(8) > 0 {
        let own = row.subcommands[bytes.below(row.subcommands.len())].own_name();
        request.push(own.into());
    }
    let least = usize::from(row.arity.unsigned_abs() as u16).saturating_sub(request.len());
    // Mostly enough words, sometimes too few or too many.
    let count = (least + [0, 0, 0, 1, 1, 2, 3, 4][bytes.below(8)]).min(24);
    for _ in 0..count {
        request.push(match bytes.byte() {
            // Short, for a number among them may be a length.
            own @ 192.. => bytes.take(usize::from(own % 4)).to_vec(),
            known => WORDS[usize::from(known) % WORDS.len()].into(),
        });
    }
    request
}

/// Bytes as they are, in two pieces, beside a client whose requests are answered all the same.
fn raw(bytes: &mut Bytes<'_>) {
    let mut served = Served::new(2);
    let len = bytes.byte();
    let first = bytes.take(len.into());
    // What is said in there may block, silence or end: then less is answered, but never half.
    if special(first) || special(bytes.0) {
        return;
    }
    served.send(1, first);
    served.send(1, bytes.0);
    served.replies(1);
    assert!(served.send(2, b"PING\r\n"));
    assert_eq!(served.replies(2), [Value::Simple(b"PONG".to_vec())]);
}

fn special(bytes: &[u8]) -> bool {
    let text = bytes.to_ascii_lowercase();
    let names = ["client", "debug", "shutdown", "wait", "setrange", "append"];
    let has = |name: &str| text.windows(name.len()).any(|w| w == name.as_bytes());
    names.into_iter().any(has)
}

fn printable(requests: &[Vec<Word>]) -> String {
    let word = |w: &Word| w.escape_ascii().to_string();
    let line = |r: &Vec<Word>| r.iter().map(word).collect::<Vec<_>>().join(" ");
    requests.iter().map(line).collect::<Vec<_>>().join("; ")
}
