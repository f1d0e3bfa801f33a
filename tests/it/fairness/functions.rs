//! Libraries that take long to load.

use seedis::rdb;

use super::{MANY, request};

const LIBRARY: &str = "#!lua name=slow
    for i = 1, 3000000 do end
    redis.register_function('seven', function() return 7 end)";

/// Requests that load a library, list it and call it, how many steps each takes, and how its reply
/// begins.
pub(super) fn script() -> Vec<(Vec<u8>, usize, &'static str)> {
    vec![
        (request(["FUNCTION", "LOAD", LIBRARY]), MANY, "$4"),
        // Each member loads it once more when it is called first.
        (request(["FCALL", "seven", "0"]), MANY, ":7"),
        (request(["FCALL", "seven", "0"]), 1, ":7"),
        (request(["FUNCTION", "LIST", "WITHCODE"]), 1, "*1"),
        (request(["FUNCTION", "DUMP"]), 1, "$"),
        (restoration(), MANY, "+OK"),
    ]
}

fn restoration() -> Vec<u8> {
    let mut payload = Vec::new();
    rdb::put_library(&mut payload, LIBRARY.as_bytes());
    let sum = rdb::crc64::extended(0, &payload);
    rdb::put_footer(&mut payload, sum);
    let mut whole = b"*4\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n".to_vec();
    whole.extend(format!("${}\r\n", payload.len()).bytes());
    whole.extend(payload);
    whole.extend(b"\r\n$7\r\nREPLACE\r\n");
    whole
}
