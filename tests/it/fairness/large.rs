//! A large argument comes in shares.

use super::{ASKS, FLOODS, Served};

#[test]
fn a_large_argument_comes_in_shares_and_another_client_is_answered_in_between() {
    let mut served = Served::new();
    let value = vec![b'v'; 5 << 20];
    let mut request = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n", value.len()).into_bytes();
    request.extend_from_slice(&value);
    request.extend_from_slice(b"\r\n");
    let (mut turns, mut rest) = (0, &request[..]);
    while !rest.is_empty() {
        let mut brought = 0;
        while served.node.appetite(FLOODS) > 0 && !rest.is_empty() {
            let most = served.node.appetite(FLOODS).min(rest.len());
            let (piece, behind) = rest.split_at(most);
            served.ask(FLOODS, piece);
            (brought, rest) = (brought + most, behind);
        }
        assert!(brought <= 256 << 10, "{brought} bytes in one turn");
        let before = served.said_to(ASKS);
        served.ask(ASKS, b"PING\r\n");
        served.end_turn();
        assert_eq!(served.said_to(ASKS) - before, b"+PONG\r\n".len());
        served.turns();
        turns += 1;
    }
    served.end_turn();
    assert!(turns > 20, "{turns}");
    assert_eq!(served.last_said_to(FLOODS), "+OK\r\n");
}
