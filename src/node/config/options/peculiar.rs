//! Values of Redis's directives that have rules of their own, each in the one way in which CONFIG
//! GET shows it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::args::parse_integer;
use crate::command::event::Classes;

use super::form::memory;

/// `shutdown-on-sigint` and `-sigterm`: what SHUTDOWN takes, and no contradiction.
pub(super) fn signals(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    const KNOWN: [&str; 5] = ["default", "save", "nosave", "now", "force"];
    let is = |word: &Vec<u8>, name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if !words
        .iter()
        .all(|word| KNOWN.iter().any(|name| is(word, name)))
    {
        let all = KNOWN.join(", ");
        return Err(format!("argument(s) must be one of the following: {all}"));
    }
    let mut said = KNOWN[1..].to_vec();
    said.retain(|name| words.iter().any(|word| is(word, name)));
    if said.starts_with(&["save", "nosave"]) {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
    }
    Ok(if said.is_empty() {
        KNOWN[0].into()
    } else {
        said.join(" ").into_bytes()
    })
}

/// `maxmemory-clients`: a size, or hundredths of `maxmemory`.
pub(super) fn memory_or_percent(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let [word] = words else {
        return Err("wrong number of arguments".into());
    };
    if let Some(percent) = word.strip_suffix(b"%") {
        let percent = parse_integer(percent).filter(|percent| (0..=100).contains(percent));
        if let Some(percent) = percent {
            return Ok(format!("{percent}%").into_bytes());
        }
    } else if let Some(bytes) = memory(word) {
        return Ok(format!("{bytes}").into_bytes());
    }
    Err("argument must be a memory or percent value".into())
}

/// `oom-score-adj-values`: one for each kind of process.
pub(super) fn scores(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    if words.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    let is_score =
        |word: &Vec<u8>| parse_integer(word).is_some_and(|score| (-2000..=2000).contains(&score));
    if !words.iter().all(is_score) {
        return Err(
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into(),
        );
    }
    Ok(words.join(&b' '))
}

/// `latency-tracking-info-percentiles`: any number of them.
pub(super) fn percentiles(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    if let [word] = words
        && word.is_empty()
    {
        return Ok(Vec::new());
    }
    let mut shown = Vec::new();
    for word in words {
        let number = core::str::from_utf8(word).ok();
        let number = number.and_then(|text| text.parse::<f64>().ok());
        let is_spelt = word.iter().any(u8::is_ascii_digit);
        // Digits that make no number are too many of them.
        let number = number.filter(|number| !number.is_nan() && number.is_finite() == is_spelt);
        let number = number.ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                    .into(),
            );
        }
        let digits = format!("{number:.6}");
        shown.push(String::from(
            digits.trim_end_matches('0').trim_end_matches('.'),
        ));
    }
    Ok(shown.join(" ").into_bytes())
}

/// `proc-title-template`: text with names in braces, of which something is left to be shown.
pub(super) fn template(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    const NAMES: [&[u8]; 7] = [
        b"title",
        b"config-file",
        b"unixsocket",
        b"listen-addr",
        b"server-mode",
        b"port",
        b"tls-port",
    ];
    /// The first of them may be empty.
    const MAY_BE_EMPTY: usize = 3;
    let wrong = || "template format is invalid or contains unknown variables".into();
    let text = words.join(&b' ');
    let (mut rest, mut shows) = (&text[..], false);
    while let [byte, behind @ ..] = rest {
        rest = behind;
        if *byte != b'{' {
            shows |= !byte.is_ascii_whitespace();
            continue;
        }
        if let [b'{', behind @ ..] = rest {
            (rest, shows) = (behind, true);
            continue;
        }
        let end = rest.iter().position(|byte| *byte == b'}');
        let (name, behind) = rest.split_at(end.ok_or_else(wrong)?);
        let place = NAMES.iter().position(|known| *known == name);
        shows |= place.ok_or_else(wrong)? >= MAY_BE_EMPTY;
        rest = &behind[1..];
    }
    if shows { Ok(text) } else { Err(wrong()) }
}

/// `cluster-announce-hostname`.
pub(super) fn hostname(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    const HOSTNAME_BYTES_MAX: usize = 255;
    let name = words.join(&b' ');
    if name.len() > HOSTNAME_BYTES_MAX {
        return Err("Hostnames must be less than 256 characters".into());
    }
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    if name.iter().all(fits) {
        Ok(name)
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into())
    }
}

/// `notify-keyspace-events`, as it was given: what is shown of it is less, as in Redis.
pub(super) fn events(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let letters = words.join(&b' ');
    match Classes::parse(&letters) {
        Some(_) => Ok(letters),
        None => Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into()),
    }
}

/// A file's name in a directory that is said elsewhere; empty where there is to be no such file.
pub(super) fn file_name(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let name = words.join(&b' ');
    if name.contains(&b'/') {
        return Err("argument can't be a path, just a name".into());
    }
    Ok(name)
}

/// The same, of a file that must be.
pub(super) fn some_file_name(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let name = file_name(words)?;
    if name.is_empty() {
        return Err("argument can't be empty".into());
    }
    Ok(name)
}
