//! A client of a bare node: it comes, and asks.

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::input::Input;
use seedis::time::Now;

/// A client comes from an address, to no matter which.
pub(crate) fn opened(conn: ConnId, address: &str) -> Input<'_> {
    Input::Opened {
        conn,
        address,
        local: "",
        descriptor: -1,
    }
}

/// Sends a request and gives its whole reply.
pub(crate) fn ask(node: &mut Node, now: Now, conn: ConnId, request: &str) -> String {
    let request = format!("{request}\r\n");
    let bytes = request.as_bytes();
    node.handle(now, Input::Received { conn, bytes });
    node.flush(now, &mut Vec::new());
    let reply: Vec<u8> = node.outbox(conn).flatten().copied().collect();
    let count = reply.len();
    node.handle(now, Input::Sent { conn, count });
    node.flush(now, &mut Vec::new());
    String::from_utf8(reply).unwrap()
}
