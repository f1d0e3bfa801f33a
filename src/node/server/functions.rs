//! FUNCTION STATS, and what INFO says of libraries.

use alloc::string::String;
use core::fmt::Write;

use super::request::Request;
use crate::command::scripting::run::RunningFunction;
use crate::store::Store;
use crate::time::Mono;

/// FUNCTION STATS.
pub(super) fn function_stats(
    running: Option<RunningFunction<'_>>,
    now: Mono,
    store: &Store,
    request: Request<'_, '_>,
) {
    let mut reply = request.reply;
    reply.map(2);
    reply.bulk(b"running_script");
    if let Some(function) = running {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(function.name);
        reply.bulk(b"command");
        reply.array(function.words.len());
        function.words.iter().for_each(|word| reply.bulk(word));
        reply.bulk(b"duration_ms");
        reply.integer(now.since(function.began).as_millis() as i64);
    } else {
        reply.null();
    }
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(store.libraries() as i64);
    reply.bulk(b"functions_count");
    reply.integer(store.functions() as i64);
}

/// The lines of INFO about libraries, of which those that stand ready take so many bytes.
pub(super) fn put_library_lines(out: &mut String, store: &Store, ready_bytes: usize) {
    for (name, number) in [
        ("used_memory_vm_functions", ready_bytes as u64),
        ("used_memory_functions", store.library_memory() as u64),
        ("number_of_functions", store.functions()),
        ("number_of_libraries", store.libraries()),
    ] {
        // Writing to a string cannot fail.
        let _ = write!(out, "{name}:{number}\r\n");
    }
}
