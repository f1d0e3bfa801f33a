//! PING and ECHO; and what the model says of commands that are not about keys.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::{Answer, Call, Want};

pub(super) fn ping(call: &mut Call<'_>) -> Answer {
    match call.args.len() {
        1 => Ok(Want::Simple("PONG")),
        2 => Ok(Want::Bulk(call.arg(1))),
        _ => Err("ERR wrong number of arguments for 'ping' command".to_owned()),
    }
}

pub(super) fn echo(call: &mut Call<'_>) -> Answer {
    Ok(Want::Bulk(call.arg(1)))
}

/// The session's verbs that a transaction may hold; the model does not know whose connection it is.
pub(super) fn session(call: &mut Call<'_>) -> Answer {
    match &call.name()[..] {
        "select" => select(&call.arg(1)).map(|_| Want::OK),
        "unwatch" | "readonly" | "readwrite" => Ok(Want::OK),
        // The judge of the dialogue knows which connection it is.
        "hello" => Ok(Want::Anything),
        _ => Err("ERR Command not allowed inside a transaction".to_owned()),
    }
}

/// The database that SELECT names.
pub(crate) fn select(text: &[u8]) -> Result<u32, String> {
    let number = super::text::integer(text).ok_or(super::NOT_AN_INTEGER)?;
    if i32::try_from(number).is_err() {
        let (low, high) = (i32::MIN, i32::MAX);
        return Err(format!(
            "ERR value is out of range, value must between {low} and {high}"
        ));
    }
    let db = u32::try_from(number)
        .ok()
        .filter(|db| *db < super::DATABASES);
    db.ok_or_else(|| "ERR DB index is out of range".to_owned())
}

/// Nothing is known of it but that it is answered.
pub(super) fn anything(_: &mut Call<'_>) -> Answer {
    Ok(Want::whatever())
}

/// Of the server's words about itself the model knows the form.
pub(super) fn server(call: &mut Call<'_>) -> Answer {
    let error = |text: &str| Want::Error(text.to_owned());
    let no_log = error("ERR there is no log to rewrite: appendonly is no");
    Ok(match &call.name()[..] {
        "bgrewriteaof" => Want::OneOf(vec![
            Want::Simple("Background append only file rewriting started"),
            error("ERR Background append only file rewriting already in progress"),
            no_log,
        ]),
        "bgsave" if call.args.len() > 2 || call.args.len() == 2 && call.word(1) != "schedule" => {
            error(super::SYNTAX)
        }
        "bgsave" => Want::OneOf(vec![Want::Simple("Background saving started"), no_log]),
        "info" => Want::Text,
        "lastsave" => Want::Between(0, i64::MAX),
        // A master, or a replica with its master's address and state.
        "role" => Want::OneOf(vec![Want::Items(3), Want::Items(5)]),
        "time" => Want::Items(2),
        _ => Want::OneOf(vec![Want::Anything, Want::ErrorCode("ERR ")]),
    })
}

/// In a transaction nobody can wait until a file is written.
pub(super) fn configuration(_: &mut Call<'_>) -> Answer {
    Err("ERR CONFIG REWRITE waits for the disk and cannot run in a transaction".to_owned())
}

/// How many hold what was written is for the judge of the log to say.
pub(super) fn wait(_: &mut Call<'_>) -> Answer {
    let codes = ["ERR ", "UNBLOCKED ", "MOVED ", "CLUSTERDOWN "];
    let errors = codes.into_iter().map(Want::ErrorCode);
    Ok(Want::OneOf(errors.chain([Want::Anything]).collect()))
}

/// The members show the outcome of a change of the group.
pub(super) fn group(_: &mut Call<'_>) -> Answer {
    let codes = ["ERR ", "TRYAGAIN ", "UNCERTAIN ", "MOVED ", "CLUSTERDOWN "];
    let errors = codes.into_iter().map(Want::ErrorCode);
    Ok(Want::OneOf(errors.chain([Want::Anything]).collect()))
}
