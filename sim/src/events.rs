//! Runs in which members tell what happens to keys, and who listens to that.

use seedis::node::config::Classes;

use crate::draws::Dice;
use crate::scenario::Scenario;
use crate::workload::{Kind, Shape};

impl Scenario {
    fn has(&self, wanted: Kind) -> bool {
        self.clients.iter().any(|(kind, _)| *kind == wanted)
    }

    /// Adds clients that listen to keyspace events, in two of five runs and more where there are
    /// scripts, and draws which events are
    /// told where somebody listens; and clients that track, in one of three.
    pub(crate) fn hear_events(&mut self, class: &impl Fn(u64) -> Dice, shape: Shape) {
        if class(190).permille(400) || self.has(Kind::Scripts) && class(201).permille(400) {
            let garbage = false;
            let own = (Kind::Hearer, Shape { garbage, ..shape });
            let count = class(191).within(1, 3) as usize;
            self.clients.extend(vec![own; count]);
        }
        if class(192).permille(350) {
            let garbage = false;
            let own = (Kind::Keeper, Shape { garbage, ..shape });
            let count = class(193).within(2, 4) as usize;
            self.clients.extend(vec![own; count]);
            self.config.tracked_keys_max = *class(194).pick(&[1_000_000, 1_000_000, 1, 2]);
        }
        let hears = self.has(Kind::Listener) && class(195).permille(500);
        if self.has(Kind::Hearer) || hears {
            let letters = class(196).pick(&["AKE", "AKE", "AK", "AE"]).as_bytes();
            self.config.events = Classes::parse(letters).unwrap_or_default();
        }
    }
}
