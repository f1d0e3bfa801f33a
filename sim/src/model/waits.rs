//! The commands whose clients may wait for a key, by the plainest means: they take what is there,
//! and the judge of a dialogue knows what becomes of a client that finds nothing.

use super::{Answer, Call, SYNTAX, Want, lists, zsets};

/// The commands.
const NAMES: [&str; 8] = [
    "blmove",
    "blmpop",
    "blpop",
    "brpop",
    "brpoplpush",
    "bzmpop",
    "bzpopmax",
    "bzpopmin",
];

/// Returns true if the client of a request may have to wait for a key.
pub(crate) fn may_wait(words: &[Vec<u8>]) -> bool {
    let given = words.first().map_or(&[][..], |word| &word[..]);
    let mut names = NAMES.iter();
    names.any(|name| given.eq_ignore_ascii_case(name.as_bytes()))
}

/// Returns true if what such a request is answered is something that it has taken.
pub(crate) fn has_taken(want: &Want) -> bool {
    matches!(want, Want::Array(_) | Want::Bulk(_))
}

/// The time-out of such a request in milliseconds, 0 being none; or Redis's words for what is wrong
/// with it.
pub(crate) fn timeout_of(words: &[Vec<u8>]) -> Result<u64, String> {
    let mut model = super::Model::default();
    let args: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
    let mut call = Call {
        model: &mut model,
        db: 0,
        moment: super::Moment::exactly(0, 0),
        args: &args,
        drawn: &[],
    };
    let row = super::find(&words[0]).filter(|row| row.takes(words.len()));
    match row {
        Some(row) => (row.run)(&mut call)?,
        None => return Err(SYNTAX.to_owned()),
    };
    let place = if call.name().ends_with("mpop") {
        1
    } else {
        args.len() - 1
    };
    timeout(&call, place)
}

fn timeout(call: &Call<'_>, place: usize) -> Result<u64, String> {
    let text = call.arg(place);
    let seconds = std::str::from_utf8(&text).ok();
    let seconds: Option<f64> = seconds.and_then(|text| text.parse().ok());
    let seconds = seconds.filter(|seconds| !seconds.is_nan());
    let seconds = seconds.ok_or("ERR timeout is not a float or out of range")?;
    let ms = (seconds * 1000.0).ceil();
    if ms < 0.0 {
        return Err("ERR timeout is negative".to_owned());
    }
    if ms > 9e18 {
        return Err("ERR timeout is out of range".to_owned());
    }
    Ok(ms as u64)
}

/// BLPOP, BRPOP, BZPOPMIN and BZPOPMAX.
pub(super) fn pop(call: &mut Call<'_>) -> Answer {
    let last = call.args.len() - 1;
    timeout(call, last)?;
    let name = call.name();
    for place in 1..last {
        let key = call.arg(place);
        let taken = if name.starts_with("bz") {
            zsets::take_one(call, &key, name == "bzpopmax")?
        } else {
            lists::take_one(call, &key, name == "blpop")?
        };
        if !taken.is_empty() {
            let all = std::iter::once(Want::Bulk(key)).chain(taken);
            return Ok(Want::Array(all.collect()));
        }
    }
    Ok(Want::NullArray)
}

/// BLMOVE and BRPOPLPUSH.
pub(super) fn shift(call: &mut Call<'_>) -> Answer {
    let last = call.args.len() - 1;
    let shorter = Call {
        model: call.model,
        db: call.db,
        moment: call.moment,
        args: &call.args[..last],
        drawn: &[],
    };
    lists::check_ends(&shorter)?;
    timeout(call, last)?;
    let mut shorter = Call {
        model: call.model,
        db: call.db,
        moment: call.moment,
        args: &call.args[..last],
        drawn: &[],
    };
    lists::lmove(&mut shorter)
}

/// BLMPOP and BZMPOP.
pub(super) fn pop_many(call: &mut Call<'_>) -> Answer {
    let (name, rest) = (call.name(), &call.args[2..]);
    // The request of LMPOP, or of ZMPOP.
    let args: Vec<&[u8]> = std::iter::once(call.args[0])
        .chain(rest.iter().copied())
        .collect();
    let run = if name == "bzmpop" {
        zsets::zmpop
    } else {
        lists::lmpop
    };
    let mut empty = super::Model::default();
    run(&mut Call {
        model: &mut empty,
        db: call.db,
        moment: call.moment,
        args: &args,
        drawn: &[],
    })?;
    timeout(call, 1)?;
    run(&mut Call {
        model: call.model,
        db: call.db,
        moment: call.moment,
        args: &args,
        drawn: &[],
    })
}
