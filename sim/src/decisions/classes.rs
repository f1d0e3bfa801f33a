//! The coarse classes of what a seed has drawn, so that a campaign can count how often it had each.

use std::collections::BTreeSet;

use super::settings;
use super::words;
use crate::scenario::Scenario;

/// The name of each setting, class of faults and kind of client of a run, with the class of its
/// value: `usual`, `small` or `large` beside that, `on` or `off`, or the word that it is.
pub(crate) fn classes(scenario: &Scenario) -> BTreeSet<(String, String)> {
    let settings = settings::ALL.iter().map(|setting| {
        let value = (setting.get)(scenario);
        (setting.key, class(setting.calm, &value))
    });
    let struck = strengths(scenario).into_iter().map(|(name, is_on)| {
        let class = if is_on { "on" } else { "off" };
        (name, class.to_owned())
    });
    let clients = scenario.clients.iter();
    let clients = clients.map(|(kind, _)| ("client", format!("{kind:?}").to_lowercase()));
    let all = settings.chain(struck).chain(clients);
    all.map(|(name, class)| (name.to_owned(), class)).collect()
}

/// The class of a value beside the usual one.
fn class(usual: &str, value: &str) -> String {
    let number = |text: &str| {
        let number = words::number::<u128>(text).ok();
        number.or_else(|| words::nanoseconds(text).ok().map(u128::from))
    };
    let class = match (number(usual), number(value)) {
        _ if usual == value => "usual",
        // A handful of values: each is a class.
        (Some(1), Some(2..=9)) => value,
        (Some(usual), Some(value)) if value < usual => "small",
        (Some(_), Some(_)) => "large",
        _ if value.contains(' ') => "other",
        (None, Some(_)) => "some",
        _ => value,
    };
    class.to_owned()
}

/// The faults of a run, and the clients' own mischief: whether there is any of each.
fn strengths(scenario: &Scenario) -> Vec<(&'static str, bool)> {
    let every = [
        ("crashes", scenario.crashes),
        ("pauses", scenario.pauses),
        ("jumps", scenario.jumps),
        ("drifts", scenario.drifts),
        ("freezes", scenario.freezes),
        ("full", scenario.full),
        ("slow-disks", scenario.slow_disks),
        ("sync-fails", scenario.sync_fails),
        ("op-fails", scenario.op_fails),
        ("sticks", scenario.sticks),
        ("cuts", scenario.cuts),
        ("lags", scenario.lags),
        ("partitions", scenario.partitions),
    ];
    let share = [
        ("mid-turn", scenario.mid_turn),
        ("stalls", scenario.stalls),
        ("damage", scenario.damage),
        ("wipes", scenario.wipes),
        ("loss", scenario.loss),
        ("twice", scenario.twice),
        ("overdue", scenario.overdue),
        ("loss-by-kind", scenario.kinds.iter().sum()),
        ("aims", scenario.aims),
        ("hunts", scenario.hunts),
        ("naps", scenario.naps),
        ("slow", scenario.slow),
        ("close", scenario.close),
    ];
    let every = every.map(|(name, mean)| (name, mean.is_some()));
    let share = share.map(|(name, share)| (name, share > 0));
    every.into_iter().chain(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_as_usual_smaller_larger_or_a_word() {
        for (usual, value, of) in [
            ("1048576", "1048576", "usual"),
            ("1048576", "300", "small"),
            ("0", "300", "large"),
            ("1ms", "20us", "small"),
            ("1", "5", "5"),
            ("never", "1s", "some"),
            ("always", "everysec", "everysec"),
            ("64 64", "0 64", "other"),
        ] {
            assert_eq!(class(usual, value), of, "{usual} {value}");
        }
    }
}
