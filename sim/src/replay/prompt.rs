//! The conversation: a line in, what it asks for out. It needs no terminal.

use super::ask::{self, Ask, HELP, Target};
use super::breaks::Break;
use super::compare;
use super::tell::{Out, Teller, seconds};
use crate::timeline::Timeline;

/// Of a chain of causes, how many events are shown.
const CHAIN_MAX: usize = 40;

/// Answers each line until there is none.
pub(super) fn converse(timeline: Timeline, lines: impl Iterator<Item = String>, out: Out<'_>) {
    let mut prompt = Prompt {
        timeline,
        breaks: Vec::new(),
        trace: true,
    };
    prompt.show(out);
    for line in lines {
        match ask::parse(&line) {
            Ok(Ask::Quit) => return,
            Ok(ask) => prompt.answer(ask, out),
            Err(why) => out(&why),
        }
    }
}

struct Prompt {
    timeline: Timeline,
    breaks: Vec<Break>,
    /// True if all that happens in an event is shown, and not only its line.
    trace: bool,
}

impl Prompt {
    fn answer(&mut self, ask: Ask, out: Out<'_>) {
        let event = self.timeline.event();
        match ask {
            Ask::Next(count) => self.timeline.goto(event.saturating_add(count)),
            Ask::Back(count) => self.timeline.goto(event.saturating_sub(count)),
            Ask::Goto(Target::Event(event)) => self.timeline.goto(event),
            Ask::Goto(Target::Time(time)) => self.timeline.goto_time(time),
            Ask::Goto(Target::End) => self.timeline.goto_end(),
            Ask::Continue => {
                while self.timeline.next() {
                    if let Some(found) = self.breaks.iter().find(|one| one.holds(&self.timeline)) {
                        out(&format!("stopped: {found}"));
                        break;
                    }
                }
            }
            Ask::Break(condition) => return self.breaks.push(condition),
            Ask::Clear => return self.breaks.clear(),
            Ask::Trace => {
                self.trace = !self.trace;
                return;
            }
            Ask::Why => return self.why(out),
            Ask::State(None) => return Teller::new(&self.timeline).standings(out),
            Ask::State(Some(member)) => return self.state(member, out),
            Ask::Diff(from, to) => return compare::places(&mut self.timeline, from, to, out),
            Ask::Faults => return out(&self.timeline.world.goals().faults_line()),
            Ask::Help => return out(HELP),
            Ask::Quit => return,
        }
        self.show(out);
    }

    fn show(&self, out: Out<'_>) {
        let teller = Teller::new(&self.timeline);
        if self.trace || self.timeline.is_at_end() {
            teller.event(out);
        } else {
            out(&teller.line(self.timeline.event()));
        }
    }

    fn state(&self, member: usize, out: Out<'_>) {
        if member >= self.timeline.world.members_count() {
            return out("there is no such member");
        }
        let time = seconds(self.timeline.world.time);
        out(&format!("member {member} (n{}) at {time}", member + 1));
        for line in self.timeline.world.describe(member) {
            out(&format!("  {line}"));
        }
    }

    /// The chain of the present event, the first cause first, each with what was seen of it.
    fn why(&mut self, out: Out<'_>) {
        let here = self.timeline.event();
        let chain = self.timeline.chain(here);
        if chain.len() > CHAIN_MAX {
            out(&format!(
                "        … {} events before these",
                chain.len() - CHAIN_MAX
            ));
        }
        for event in chain.into_iter().take(CHAIN_MAX).rev() {
            self.timeline.goto(event);
            Teller::new(&self.timeline).event(out);
        }
        self.timeline.goto(here);
    }
}
