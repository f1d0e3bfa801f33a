//! A run that is judged by what clients saw, and by nothing else.
//!
//! A check that looks inside a node is not made then, or not believed: the rest is what a checker
//! would find in anybody's server.

use seedis::node::{Node, Phase};

use super::World;
use crate::judge::invariant::{Id, Verdict, Violation};

impl World {
    /// A verdict, as far as this run may give it.
    pub(super) fn sees(&self, verdict: Verdict) -> Verdict {
        let is_seen = |broken: &Violation| !self.black_box || broken.id.is_seen_by_clients();
        match verdict {
            Err(broken) if is_seen(&broken) => Err(broken),
            _ => Ok(()),
        }
    }

    /// Looks into a node, unless clients alone are to be asked.
    pub(super) fn looks_inside(&mut self, look: impl FnOnce(&mut Self) -> Verdict) -> Verdict {
        if self.black_box { Ok(()) } else { look(self) }
    }

    /// Keeps in mind what the world has to know of a node whose record nobody reads.
    pub(super) fn does_not_listen(&mut self, number: usize) {
        let grouped = self.members.len() > 1;
        let member = &mut self.members[number];
        let Some(node) = &mut member.node else {
            return;
        };
        drop(node.witness());
        member.led = node.leads().is_some();
        match node.phase() {
            Phase::Serving => {
                member.serving = true;
                member.flipped = None;
            }
            Phase::Recovering if grouped => member.serving = false,
            _ => {}
        }
    }

    /// L2, for clients: a request is not answered, or nobody is there who could.
    pub(super) fn clients_hang(&self) -> Verdict {
        let waits =
            |client: &&crate::client::Client| client.conn.is_some() && !client.pending.is_empty();
        let pending = self.clients.iter().filter(waits).count();
        let serves = |node: &Node| node.phase() == Phase::Serving;
        let serving = self
            .members
            .iter()
            .filter_map(|member| member.node.as_ref());
        let serving = serving.filter(|node| serves(node)).count();
        if pending == 0 && serving > 0 {
            return Ok(());
        }
        let text = format!("{pending} clients wait for ever, and {serving} members serve");
        Err(Violation::new(Id::L2, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Profile, Scenario};

    #[test]
    fn clients_see_a_wrong_history_and_no_second_leader() {
        let mut world = World::new(Scenario::draw(1, Profile::Raft));
        let broken = |id: Id| Err(Violation::new(id, "broken"));
        assert_eq!(world.sees(broken(Id::R1)), broken(Id::R1));
        world.black_box = true;
        assert_eq!(world.sees(broken(Id::R1)), Ok(()));
        assert_eq!(world.sees(broken(Id::C1)), broken(Id::C1));
        assert_eq!(world.looks_inside(|_| broken(Id::S1)), Ok(()));
    }

    #[test]
    fn a_server_that_nobody_can_reach_hangs() {
        let world = World::new(Scenario::draw(1, Profile::Smoke));
        let hangs = world.clients_hang().expect_err("no member has begun");
        assert_eq!(hangs.id, Id::L2);
    }
}
