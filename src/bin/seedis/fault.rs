//! The end of a process with a fault in it: one line that says which, and it is dead.
//!
//! A panic unwinds one task or one thread. The rest would go on taking clients whom nobody answers,
//! and a supervisor would see a process that lives.

use std::any::Any;
use std::panic::PanicHookInfo;

use crate::lines;

/// The exit code of a process that has found a fault in itself (`EX_SOFTWARE` of sysexits.h).
const EXIT_FAULT: i32 = 70;

/// From now on a panic ends the process, wherever it is.
pub(crate) fn is_the_end() {
    std::panic::set_hook(Box::new(|info| {
        let text = text_of(info);
        lines::complain(&text);
        tracing::error!("{text}");
        lines::finish();
        std::process::exit(EXIT_FAULT);
    }));
}

fn text_of(info: &PanicHookInfo<'_>) -> String {
    let place = info
        .location()
        .map_or_else(|| "an unknown place".into(), ToString::to_string);
    let what = message(info.payload()).replace(['\r', '\n'], " ");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    format!(
        "a fault in Seedis {} at {place}, thread \"{thread}\": {what}; the process ends",
        env!("CARGO_PKG_VERSION")
    )
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message")
}
