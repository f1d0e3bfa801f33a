//! P7: of a pipeline whose client has gone, the commands that are executed are the first ones.
//!
//! Nobody tells which connection an entry's command came from. So only those writes are followed
//! whose words nobody else has on the way: where one of them is executed, no earlier one may be
//! left.

use std::collections::VecDeque;

use super::channels::subscribes;
use super::dialogue::{Asked, Dialogue, Question};
use super::history::fingerprint;
use super::invariant::{Id, Verdict, Violation};
use super::{Judge, Words};
use crate::model::waits::may_wait;
use crate::model::{Class, find};

/// How many pipelines are followed at once.
const KEPT: usize = 32;

/// Writes of a client that has gone which were not executed yet, in order.
#[derive(Clone, Debug)]
pub(super) struct Departed {
    conn: u64,
    member: usize,
    writes: VecDeque<u128>,
}

impl Judge {
    /// A client has sent the start of a request, and will never send the end.
    pub(crate) fn cut(&mut self, words: Words) {
        const KEPT: usize = 256;
        self.cuts.truncate(KEPT);
        self.cuts.push_front(words);
    }

    /// The invariant that breaks who executes what nobody has asked.
    pub(super) fn invented(&self, words: &Words) -> Id {
        let is_cut = |cut: &Words| {
            let before = words.len().saturating_sub(1);
            words.len() <= cut.len()
                && words[..before] == cut[..before]
                && words[before..]
                    .iter()
                    .all(|last| cut[before].starts_with(last))
        };
        if self.forbidden.contains(&fingerprint(words)) {
            Id::P5
        } else if self.cuts.iter().any(is_cut) {
            Id::P7
        } else {
            Id::A3
        }
    }

    /// A client has gone and leaves this behind.
    pub(super) fn departs(&mut self, conn: u64, dialogue: &Dialogue) {
        let member = &self.members[dialogue.member];
        // In a group some of it may be refused, and what is behind it executed.
        if self.group.is_some()
            || !member.serving
            || dialogue.transaction.is_some()
            || dialogue.closing
            // One that listens may ask for little else.
            || dialogue.listener.listens()
            || dialogue.listener.is_unsure
        {
            return;
        }
        // What was asked before may have been refused, and the client not told so yet.
        let surely_from = member
            .serves_from
            .max(member.tight_asked)
            .max(member.memory.short_asked);
        // What the present entry holds is on its way, answered or not.
        let mut ahead = member.history.commands_ahead();
        let mut writes = VecDeque::new();
        for Question { asked, number, .. } in &dialogue.asked {
            let (Asked::Request(words), true) = (asked, *number > surely_from) else {
                break;
            };
            let Some(row) = words.first().and_then(|name| find(name)) else {
                continue;
            };
            // What a transaction queues may be discarded, and one that listens is refused much.
            if row.name == "multi" || subscribes(words).is_some() {
                break;
            }
            let known = fingerprint(words);
            if let Some(place) = ahead.iter().position(|ahead| *ahead == known) {
                ahead.swap_remove(place);
                continue;
            }
            // One that has waited for nothing leaves those behind it.
            if may_wait(words) {
                break;
            }
            let alone = self.outstanding.get(&known) == Some(&1);
            if row.class == Class::Write && row.takes(words.len()) && alone {
                writes.push_back(known);
            }
        }
        if writes.len() > 1 {
            let member = dialogue.member;
            self.departed.truncate(KEPT - 1);
            self.departed.push_front(Departed {
                conn,
                member,
                writes,
            });
        }
    }

    /// The same words are on the way once more.
    pub(super) fn is_asked_again(&mut self, words: u128) {
        for departed in &mut self.departed {
            departed.writes.retain(|write| *write != words);
        }
    }

    /// A request that a member does not execute now may be refused, or lost with it.
    pub(super) fn may_skip(&mut self, member: usize) {
        self.departed.retain(|departed| departed.member != member);
    }

    /// P7: a command is executed.
    pub(super) fn executes(&mut self, words: &Words) -> Verdict {
        let known = fingerprint(words);
        for departed in &mut self.departed {
            match departed.writes.iter().position(|write| *write == known) {
                None => {}
                Some(0) => {
                    departed.writes.pop_front();
                }
                Some(place) => {
                    let conn = departed.conn;
                    let text =
                        format!("{place} earlier writes of c{conn}, which has gone, are left");
                    return Err(Violation::new(Id::P7, text));
                }
            }
        }
        Ok(())
    }
}
