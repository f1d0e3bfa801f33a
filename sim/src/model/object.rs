//! OBJECT: how a value is kept, as far as Redis fixes it.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::{Answer, Call, Datum, Want, text};

/// Returns true if a request is for the help of OBJECT, which looks at no key.
pub(crate) fn is_help(words: &[Vec<u8>]) -> bool {
    let is = |place: usize, word: &str| words[place].eq_ignore_ascii_case(word.as_bytes());
    words.len() == 2 && is(0, "object") && is(1, "help")
}

/// Why a request for OBJECT is not even looked at, if so: in MULTI it spoils the transaction.
pub(crate) fn refusal(words: &[Vec<u8>]) -> Option<String> {
    let given = words.get(1)?;
    let word = String::from_utf8_lossy(given).to_ascii_lowercase();
    let wanted = match &word[..] {
        "help" => 2,
        "encoding" | "freq" | "idletime" | "refcount" => 3,
        _ => {
            let given = String::from_utf8_lossy(&given[..given.len().min(128)]).into_owned();
            return Some(format!(
                "ERR unknown subcommand '{given}'. Try OBJECT HELP."
            ));
        }
    };
    (words.len() != wanted)
        .then(|| format!("ERR wrong number of arguments for 'object|{word}' command"))
}

pub(super) fn object(call: &mut Call<'_>) -> Answer {
    let word = call.word(1);
    if word == "help" {
        return Ok(Want::Anything);
    }
    let Some(item) = call.get(&call.arg(2)) else {
        return Ok(Want::Null);
    };
    Ok(match &word[..] {
        "encoding" => encoding(&item.datum),
        // What a member notes is its own affair.
        "freq" => Want::OneOf(vec![
            Want::Between(0, 255),
            Want::ErrorCode("ERR An LFU maxmemory policy is not selected"),
        ]),
        "idletime" => Want::OneOf(vec![
            Want::Between(0, i64::from(i32::MAX)),
            Want::ErrorCode("ERR idle time not tracked"),
            Want::ErrorCode("ERR An LFU maxmemory policy is selected"),
        ]),
        _ => Want::Between(1, i64::from(i32::MAX)),
    })
}

/// The past of a hash decides between two; the state alone does not.
fn encoding(datum: &Datum) -> Want {
    let bulk = |name: &str| Want::Bulk(name.as_bytes().to_vec());
    match datum {
        Datum::Text(_, encoding) => bulk(encoding.name()),
        Datum::Hash(fields) => {
            let short = |text: &Vec<u8>| text.len() <= 64;
            let small = fields.len() <= 128 && fields.iter().all(|(f, v)| short(f) && short(v));
            let mut names = vec![bulk("hashtable")];
            if small {
                names.push(bulk("listpack"));
            }
            Want::OneOf(names)
        }
        // How long a list must be to be one or the other is the server's affair.
        Datum::Zset(members) => {
            let small = members.len() <= 128 && members.keys().all(|member| member.len() <= 64);
            let mut names = vec![bulk("skiplist")];
            if small {
                names.push(bulk("listpack"));
            }
            Want::OneOf(names)
        }
        Datum::List(_) => Want::OneOf(vec![bulk("listpack"), bulk("quicklist")]),
        Datum::Set(members) => {
            let small = members.len() <= 128 && members.iter().all(|member| member.len() <= 64);
            let mut names = vec![bulk("hashtable")];
            if small {
                names.push(bulk("listpack"));
            }
            let is_number = |member: &Vec<u8>| text::integer(member).is_some();
            if members.len() <= 512 && members.iter().all(is_number) {
                names.push(bulk("intset"));
            }
            Want::OneOf(names)
        }
    }
}
