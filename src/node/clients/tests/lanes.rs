//! Neither messages, nor events, nor words to those who track keep the others out.

use super::*;
use crate::command::event::Classes;

/// So many turns are enough for whatever is not kept out.
const TURNS: usize = 400;
const WRITER: ConnId = ConnId(1);

/// A node whose turns are short, with a writer and so many clients more, from 2 on.
fn short_of_turns(events: &[u8], clients: u64) -> Busy {
    let mut busy = Busy::over(Config {
        append_only: false,
        turn_work: 64,
        events: Classes::parse(events).unwrap(),
        ..Config::default()
    });
    for number in 1..=clients + 1 {
        busy.open(ConnId(number));
    }
    busy
}

impl Busy {
    fn said(&self, conn: ConnId) -> String {
        let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends all that waits for a client.
    fn takes(&mut self, conn: ConnId) {
        let count = self.node.outbox(conn).map(<[u8]>::len).sum();
        if count > 0 {
            self.tell(Input::Sent { conn, count });
        }
    }
}

#[test]
fn publishers_that_never_stop_let_events_through_and_the_log_go_on() {
    let mut busy = short_of_turns(b"KEA", 40);
    for number in 2..=30 {
        busy.ask(ConnId(number), b"SUBSCRIBE news __keyevent@0__:set\r\n");
    }
    busy.ask(WRITER, b"SET a 1\r\nSET b 1\r\nSET c 1\r\n");
    for _ in 0..TURNS {
        for number in 31..=40 {
            busy.ask(ConnId(number), b"PUBLISH news x\r\n");
        }
        if busy.said(WRITER) == "+OK\r\n".repeat(3) {
            assert!(busy.node.clients.has_publications(0));
            return;
        }
    }
    panic!("the writer has {:?}", busy.said(WRITER));
}

#[test]
fn writers_that_never_stop_let_messages_through() {
    let mut busy = short_of_turns(b"KEA", 40);
    for number in 2..=30 {
        busy.ask(ConnId(number), b"SUBSCRIBE news __keyevent@0__:set\r\n");
    }
    busy.ask(ConnId(31), b"PUBLISH news x\r\n");
    for _ in 0..TURNS {
        busy.ask(WRITER, b"SET a 1\r\nSET b 1\r\n");
        if busy.said(ConnId(31)) == ":29\r\n" {
            return;
        }
    }
    panic!("nobody has had the message");
}

#[test]
fn reads_that_miss_keys_wait_for_their_events_and_the_log_goes_on() {
    let mut busy = short_of_turns(b"Em", 60);
    for number in 2..=30 {
        busy.ask(ConnId(number), b"SUBSCRIBE __keyevent@0__:keymiss\r\n");
    }
    let (mut most, mut written) = (0, 0);
    for _ in 0..TURNS {
        for number in 31..=60 {
            busy.ask(ConnId(number), b"GET missing\r\nMGET a b c d e f g h\r\n");
        }
        busy.ask(WRITER, b"INCR a\r\n");
        most = most.max(busy.node.clients.notices.bytes);
        written = busy.said(WRITER).lines().count();
    }
    // Those of a turn or two.
    assert!(most < 32 << 10, "{most} bytes of events");
    assert!(written > 20, "{written} writes");
    let read = busy.said(ConnId(31)).lines().count();
    assert!(read > 3, "{read} lines of replies");
}

#[test]
fn messages_of_scripts_wait_for_those_of_one_and_are_not_told_by_members() {
    let mut busy = short_of_turns(b"", 40);
    for number in 2..=30 {
        busy.ask(ConnId(number), b"SUBSCRIBE news\r\n");
    }
    let script = b"EVAL \"for i = 1, 50 do redis.call('publish', 'news', i) end\" 0\r\n";
    for number in 31..=40 {
        busy.ask(ConnId(number), script);
    }
    let mut most = 0;
    for _ in 0..TURNS {
        busy.tell(Input::Timer);
        most = most.max(busy.node.clients.publishing.applied.queue.len());
        assert_eq!(busy.node.clients.publishing.outer.queue.len(), 0);
        assert!(!busy.node.clients.are_too_many_told());
    }
    assert!((1..=50).contains(&most), "{most} messages of scripts");
}

#[test]
fn holders_that_are_gone_are_work_too() {
    let mut busy = short_of_turns(b"", 2000);
    for number in 2..=2000 {
        let conn = ConnId(number);
        busy.ask(conn, b"HELLO 3\r\nCLIENT TRACKING ON\r\nGET k\r\n");
    }
    for number in 3..=2000 {
        let conn = ConnId(number);
        busy.tell(Input::Closed { conn });
    }
    busy.takes(ConnId(2));
    let mut most = busy.ask(WRITER, b"SET k 1\r\n");
    for _ in 0..TURNS {
        most = most.max(busy.tell(Input::Timer));
    }
    assert!(most < 200, "{most} looks at clients in one turn");
    assert!(busy.said(ConnId(2)).contains("invalidate"));
}

#[test]
fn a_read_in_a_transaction_counts_as_one_that_has_found_its_key() {
    let mut busy = short_of_turns(b"", 0);
    busy.ask(
        WRITER,
        b"SET k 1\r\nMULTI\r\nGET k\r\nGET none\r\nEXEC\r\nINFO stats\r\n",
    );
    (0..3).for_each(|_| _ = busy.tell(Input::Timer));
    let said = busy.said(WRITER);
    assert!(said.contains("keyspace_hits:1\r\n"), "{said}");
    assert!(said.contains("keyspace_misses:1\r\n"), "{said}");
}

#[test]
fn events_of_a_long_step_of_a_transaction_are_made_in_pieces() {
    let mut busy = short_of_turns(b"KEA", 2);
    busy.ask(ConnId(2), b"SUBSCRIBE news\r\n");
    let words = (0..4000).fold(String::new(), |mut words, nth| {
        let _ = write!(words, " k{nth} v");
        words
    });
    busy.ask(
        WRITER,
        format!("MULTI\r\nMSET{words}\r\nEXEC\r\n").as_bytes(),
    );
    let (mut turns, mut is_untold) = (0, 0);
    while turns < TURNS && !busy.said(WRITER).contains("*1") {
        busy.tell(Input::Timer);
        is_untold += usize::from(busy.node.clients.has_untold());
        turns += 1;
    }
    assert!(busy.said(WRITER).ends_with("*1\r\n+OK\r\n"));
    assert!(is_untold > 3, "{is_untold} turns");
}

#[test]
fn a_script_has_read_what_its_commands_have_and_not_what_it_names() {
    let mut busy = short_of_turns(b"", 2);
    for script in ["EVAL", "EVAL_RO"] {
        busy.ask(ConnId(2), b"HELLO 3\r\nCLIENT TRACKING ON\r\n");
        let call = "\"return redis.call('get', 'read')\" 1 named\r\n";
        busy.ask(ConnId(2), format!("{script} {call}").as_bytes());
        busy.takes(ConnId(2));
        assert_eq!(busy.node.clients.tracking_figures()[..2], [1, 1]);
        busy.ask(WRITER, b"SET named 1\r\n");
        busy.tell(Input::Timer);
        assert_eq!(busy.said(ConnId(2)), "");
        busy.ask(WRITER, b"SET read 1\r\n");
        busy.tell(Input::Timer);
        assert!(busy.said(ConnId(2)).contains("$4\r\nread\r\n"));
        busy.takes(ConnId(2));
    }
}

#[test]
fn a_script_is_told_of_call_by_call_to_those_who_listened_when_it_began() {
    let mut busy = short_of_turns(b"KAn", 2);
    let script = b"EVAL \"redis.call('rpush', 'k', 1) redis.call('lpop', 'k')\" 0\r\n";
    busy.ask(WRITER, script);
    (0..3).for_each(|_| _ = busy.tell(Input::Timer));
    busy.ask(ConnId(2), b"PSUBSCRIBE *\r\n");
    busy.takes(ConnId(2));
    (0..3).for_each(|_| _ = busy.tell(Input::Timer));
    assert_eq!(busy.said(ConnId(2)), "");
    busy.ask(WRITER, script);
    (0..9).for_each(|_| _ = busy.tell(Input::Timer));
    let said = busy.said(ConnId(2));
    let told: Vec<_> = said
        .lines()
        .filter(|line| ["new", "rpush", "lpop", "del"].contains(line))
        .collect();
    assert_eq!(told, ["new", "rpush", "lpop", "del"]);
}
