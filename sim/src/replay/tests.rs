//! Conversations about a run, as they come out.

use super::*;
use crate::run::Order;
use crate::scenario::Profile;

fn said(seed: u64, profile: Profile, lines: &str) -> String {
    let order = Order::quiet(seed, profile);
    let said = std::cell::RefCell::new(Vec::new());
    let say = |line: &str| said.borrow_mut().push(line.to_owned());
    let timeline = Timeline::new(&order.into(), Keep::Sparse);
    let lines = lines.lines().map(str::to_owned);
    let lines = lines.inspect(|line| say(&format!("> {line}")));
    prompt::converse(timeline, lines, &mut |line| say(line));
    said.into_inner().join("\n")
}

#[test]
fn a_run_is_gone_through_by_hand() {
    let said = said(
        2,
        Profile::Raft,
        "trace\nbreak leads 0\nbreak term 1\ncontinue\ntrace\nwhy\nstate\nnext 2\nback\n\
         state n1\nclear\nbreak fault twice\nc\nfaults\ndiff 1 120\ngoto 0.5s\nstate n9\n\
         nonsense\nbreak x\nquit\nnever",
    );
    insta::assert_snapshot!(said);
}

#[test]
fn going_back_shows_what_going_forth_has_shown() {
    let there = said(3, Profile::Disk, "goto 4321\nstate 0");
    let back = said(3, Profile::Disk, "goto 9000\ngoto 4321\nstate 0");
    let shown = |text: &str| text.split_once("> goto 4321").unwrap().1.to_owned();
    assert_eq!(shown(&there), shown(&back));
}
