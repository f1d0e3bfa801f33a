//! Two places of one run, or two runs: what is another.

use super::tell::{Out, Teller};
use crate::report;
use crate::run::Order;
use crate::timeline::{Keep, Timeline};

/// How many events before the first difference are shown.
const BEFORE: u64 = 3;

/// Prints what is another in the members behind an event than behind an earlier one.
pub(crate) fn events(order: Order, from: u64, to: u64) -> u8 {
    let mut timeline = Timeline::new(&order.into(), Keep::Sparse);
    places(&mut timeline, from, to, &mut report::line);
    0
}

/// The same in a run that somebody goes through; he stays where he is.
pub(super) fn places(timeline: &mut Timeline, from: u64, to: u64, out: Out<'_>) {
    let here = timeline.event();
    let mut described = |event: u64| {
        timeline.goto(event);
        let members = 0..timeline.world.members_count();
        let described = members.map(|member| timeline.world.describe(member));
        (timeline.event(), described.collect::<Vec<_>>())
    };
    let ((from, before), (to, after)) = (described(from), described(to));
    out(&format!("after event {from} (-) and after event {to} (+)"));
    let mut same = Vec::new();
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        if before == after {
            same.push(number.to_string());
            continue;
        }
        out(&format!("member {number} (n{})", number + 1));
        for line in before.iter().filter(|line| !after.contains(line)) {
            out(&format!("  - {line}"));
        }
        for line in after.iter().filter(|line| !before.contains(line)) {
            out(&format!("  + {line}"));
        }
    }
    if !same.is_empty() {
        out(&format!("the same: {}", same.join(" ")));
    }
    timeline.goto(here);
}

/// Prints the first event at which two runs part, both sides; 14 where they do.
pub(crate) fn runs(first: Order, second: Order) -> u8 {
    let (mut one, mut other) = (
        Timeline::new(&first.into(), Keep::Nothing),
        Timeline::new(&second.into(), Keep::Nothing),
    );
    loop {
        let (more, goes_on) = (one.next(), other.next());
        let event = one.event();
        let what = |timeline: &Timeline| timeline.head(event).map(|head| (head.time, head.what));
        let is_same = what(&one) == what(&other) && one.world.digest == other.world.digest;
        if is_same && more && goes_on {
            continue;
        }
        if is_same && !more && !goes_on {
            report::line(&format!("the same, all {event} events"));
            return 0;
        }
        let event = event.max(other.event());
        for before in event.saturating_sub(BEFORE).max(1)..event {
            report::line(&format!("  {}", Teller::new(&one).line(before)));
        }
        for (sign, order, side) in [('-', first, &one), ('+', second, &other)] {
            let (seed, profile) = (order.seed, order.profile.name());
            report::line(&format!("{sign} seed {seed}, profile {profile}:"));
            Teller::new(side).event(&mut |line| report::line(&format!("{sign} {line}")));
        }
        return 14;
    }
}
