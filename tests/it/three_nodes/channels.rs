//! Messages between members: each subscriber has each message once, in the order of its publisher.

use seedis::ids::ConnId;

use super::{Group, MEMBERS};

impl Group {
    fn listens(&mut self, member: usize) -> (usize, ConnId) {
        let conn = self.send(member, "SUBSCRIBE a");
        (0..5).for_each(|_| self.step());
        self.machines[member].replies.remove(&conn);
        (member, conn)
    }
}

#[test]
fn a_transaction_and_requests_of_any_member_reach_all_in_order_and_once() {
    let mut group = Group::new();
    group.leader();
    let listeners: Vec<(usize, ConnId)> = (0..MEMBERS).map(|at| group.listens(at)).collect();
    for publisher in 0..MEMBERS {
        group.send(
            publisher,
            "PUBLISH a 1\r\nMULTI\r\nPUBLISH a 2\r\nPUBLISH a 3\r\nEXEC\r\nPUBLISH a 4",
        );
        (0..30).for_each(|_| group.step());
        for (member, conn) in &listeners {
            let heard = group.machines[*member].replies.remove(conn);
            let heard = String::from_utf8(heard.unwrap_or_default()).expect("text");
            let texts: Vec<&str> = heard
                .split("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n")
                .collect();
            assert_eq!(texts, ["", "1\r\n", "2\r\n", "3\r\n", "4\r\n"]);
        }
    }
}
