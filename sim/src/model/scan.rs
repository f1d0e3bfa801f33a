//! Walks over keys and fields. Which part of them a step shows is the server's to choose.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::text::matches;
use super::{Answer, Call, NOT_AN_INTEGER, SYNTAX, Want, text};

pub(super) fn keys(call: &mut Call<'_>) -> Answer {
    let pattern = call.arg(1);
    let live = call
        .model
        .live(call.db, call.moment.at)
        .map(|(key, _)| key.clone());
    Ok(Want::Unordered(
        live.filter(|key| matches(&pattern, key)).collect(),
    ))
}

pub(super) fn check_cursor(text: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(text).unwrap_or("x");
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // As strtoul has it, nothing at all is 0.
    let good = text.is_empty()
        || !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
            && digits.parse::<u64>().is_ok();
    if good {
        Ok(())
    } else {
        Err("ERR invalid cursor".to_owned())
    }
}

pub(super) struct Wishes {
    pub(super) pattern: Option<Vec<u8>>,
    type_name: Option<String>,
}

pub(super) fn wishes(call: &Call<'_>, from: usize, typed: bool) -> Result<Wishes, String> {
    let mut found = Wishes {
        pattern: None,
        type_name: None,
    };
    let mut place = from;
    while place < call.args.len() {
        let word = call.word(place);
        if place + 1 == call.args.len() {
            return Err(SYNTAX.to_owned());
        }
        let value = call.arg(place + 1);
        match &word[..] {
            "count" => match text::integer(&value) {
                None => return Err(NOT_AN_INTEGER.to_owned()),
                Some(count) if count < 1 => return Err(SYNTAX.to_owned()),
                Some(_) => {}
            },
            "match" => found.pattern = Some(value),
            "type" if typed => found.type_name = Some(call.word(place + 1)),
            _ => return Err(SYNTAX.to_owned()),
        }
        place += 2;
    }
    Ok(found)
}

pub(super) fn scan(call: &mut Call<'_>) -> Answer {
    check_cursor(&call.arg(1))?;
    let wishes = wishes(call, 2, true)?;
    let liked = |key: &[u8]| wishes.pattern.as_deref().is_none_or(|p| matches(p, key));
    let typed = |name: &str| {
        wishes
            .type_name
            .as_deref()
            .is_none_or(|wanted| wanted == name)
    };
    let live = call.model.live(call.db, call.moment.at);
    let shown = live.filter(|(key, item)| liked(key) && typed(item.datum.type_name()));
    Ok(Want::Scanned(shown.map(|(key, _)| key.clone()).collect()))
}

pub(super) fn hscan(call: &mut Call<'_>) -> Answer {
    check_cursor(&call.arg(2))?;
    let Some(fields) = call.hash(&call.arg(1))?.cloned() else {
        let empty = vec![Want::Bulk(b"0".to_vec()), Want::Array(Vec::new())];
        return Ok(Want::Array(empty));
    };
    let wishes = wishes(call, 3, false)?;
    let liked = |field: &[u8]| wishes.pattern.as_deref().is_none_or(|p| matches(p, field));
    let shown = fields.into_iter().filter(|(field, _)| liked(field));
    Ok(Want::ScannedPairs(shown.collect()))
}

pub(super) fn sscan(call: &mut Call<'_>) -> Answer {
    check_cursor(&call.arg(2))?;
    let Some(members) = call.set(&call.arg(1))?.cloned() else {
        let empty = vec![Want::Bulk(b"0".to_vec()), Want::Array(Vec::new())];
        return Ok(Want::Array(empty));
    };
    let wishes = wishes(call, 3, false)?;
    let liked = |member: &[u8]| wishes.pattern.as_deref().is_none_or(|p| matches(p, member));
    let shown = members.into_iter().filter(|member| liked(member));
    Ok(Want::Scanned(shown.collect()))
}
