//! Runs in which members tell what happens to keys, and who listens to that.

use seedis::node::config::Classes;

use crate::draws::Dice;
use crate::scenario::Scenario;
use crate::workload::{Kind, Shape};

impl Scenario {
    /// Adds clients that listen to keyspace events, in two of five runs, and draws which events are
    /// told where somebody listens; and clients that track, in one of three.
    pub(crate) fn hear_events(&mut self, class: &impl Fn(u64) -> Dice, shape: Shape) {
        if class(170).permille(400) {
            let garbage = false;
            let own = (Kind::Hearer, Shape { garbage, ..shape });
            let count = class(171).within(1, 3) as usize;
            self.clients.extend(vec![own; count]);
        }
        if class(174).permille(350) {
            let garbage = false;
            let own = (Kind::Keeper, Shape { garbage, ..shape });
            let count = class(175).within(1, 3) as usize;
            self.clients.extend(vec![own; count]);
            self.config.tracked_keys_max = *class(176).pick(&[1_000_000, 1_000_000, 1, 2]);
        }
        let has = |wanted: Kind| self.clients.iter().any(|(kind, _)| *kind == wanted);
        if has(Kind::Hearer) || has(Kind::Listener) && class(172).permille(500) {
            let letters = class(173).pick(&["AKE", "AKE", "AK", "AE"]).as_bytes();
            self.config.events = Classes::parse(letters).unwrap_or_default();
        }
    }
}
