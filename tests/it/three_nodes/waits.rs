//! Clients that wait for a key while the leader loses its leadership: each has one clear outcome.

use seedis::ids::ConnId;

use super::{Group, MEMBERS};

impl Group {
    /// The bytes that a client has been sent since it was last listened to.
    fn heard(&mut self, (member, conn): (usize, ConnId)) -> String {
        let bytes = self.machines[member].replies.remove(&conn);
        String::from_utf8(bytes.unwrap_or_default()).expect("text")
    }

    fn wait_ms(&mut self, millis: usize) {
        (0..millis).for_each(|_| self.step());
    }
}

#[test]
fn one_to_whom_something_was_on_its_way_is_told_that_and_the_others_that_they_wait_no_longer() {
    let mut group = Group::new();
    let leader = group.leader();
    let [first, second, other] =
        ["BLPOP q 0", "BLPOP q 0", "BLPOP z 0"].map(|words| (leader, group.send(leader, words)));
    group.wait_ms(20);
    for client in [first, second, other] {
        assert_eq!(group.heard(client), "");
    }
    // Nobody confirms what is pushed, nor that it leads.
    for member in (0..MEMBERS).filter(|member| *member != leader) {
        group.machines[member].is_paused = true;
    }
    let pushes = (leader, group.send(leader, "RPUSH q 1"));
    group.wait_ms(5000);
    assert!(group.heard(pushes).starts_with("-UNCERTAIN "));
    let told = group.heard(first);
    assert!(told.starts_with("-UNCERTAIN "), "{told}");
    for client in [second, other] {
        let told = group.heard(client);
        assert!(told.starts_with("-UNBLOCKED "), "{told}");
    }
}

#[test]
fn a_time_out_waits_for_the_outcome_of_what_is_on_its_way() {
    let mut group = Group::new();
    let leader = group.leader();
    let first = (leader, group.send(leader, "BLPOP q 0.05"));
    let second = (leader, group.send(leader, "BLPOP q r 0.05"));
    group.wait_ms(20);
    let others: Vec<usize> = (0..MEMBERS).filter(|member| *member != leader).collect();
    for member in &others {
        group.machines[*member].is_paused = true;
    }
    let pushes = (leader, group.send(leader, "RPUSH q 1"));
    group.wait_ms(80);
    // The time of both is over. Of what the first is told nothing is known yet; that the second has
    // waited in vain only a leader may say.
    assert_eq!(
        (group.heard(first), group.heard(second)),
        Default::default()
    );
    for member in &others {
        group.machines[*member].is_paused = false;
    }
    group.wait_ms(100);
    assert_eq!(group.heard(pushes), ":1\r\n");
    assert_eq!(group.heard(first), "*2\r\n$1\r\nq\r\n$1\r\n1\r\n");
    assert_eq!(group.heard(second), "*-1\r\n");
    assert_eq!(group.ask(leader, "LLEN q"), ":0");
}

#[test]
fn a_leader_that_was_cut_off_does_not_say_that_nothing_has_come() {
    let mut group = Group::new();
    let old = group.leader();
    let waits = (old, group.send(old, "BLPOP q 0.5"));
    group.wait_ms(20);
    group.machines[old].is_paused = true;
    let new = group.leader();
    assert_ne!(new, old);
    assert_eq!(group.ask(new, "RPUSH q 1"), ":1");
    // It does not know yet that another leads, and its clock says that time is over.
    group.wait_ms(600);
    group.machines[old].is_paused = false;
    group.wait_ms(1000);
    let told = group.heard(waits);
    let is_refused = told.starts_with("-CLUSTERDOWN ") || told.starts_with("-UNBLOCKED ");
    assert!(is_refused, "{told}");
    assert_eq!(group.ask(new, "LLEN q"), ":1");
}
