//! HyperLogLogs, with few elements and with many, and strings that are none or nearly one.

use super::request;
use crate::draws::Dice;
use crate::workload::{Request, Workload};

impl Workload {
    pub(super) fn sketch_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        let own = key.map_or_else(|| self.coded_key("p", dice), str::to_owned);
        let other = self.coded_key("p", dice);
        let writes = key.is_some() || dice.permille(600);
        match (writes, dice.below(12)) {
            (true, 0..=6) => Self::add_elements(&own, dice),
            (true, 7..=8) => request(&["PFMERGE", &own, &other, &self.coded_key("p", dice)]),
            (true, 9) => request(&["PFDEBUG", "TODENSE", &own]),
            (true, 10) => {
                // A byte of the head or of the first runs is another one.
                let place = dice.below(24).to_string();
                let byte = *dice.pick(&["\u{0}", "\u{1}", "H", "\u{7f}", "@"]);
                request(&["SETRANGE", &own, &place, byte])
            }
            (true, _) => request(&["SET", &own, "HYLL\u{1}\u{0}\u{0}\u{0}"]),
            (false, 0..=3) => request(&["PFCOUNT", &own]),
            (false, 4..=6) => request(&["PFCOUNT", &own, &other]),
            (false, 7) => request(&["PFDEBUG", "ENCODING", &own]),
            (false, 8) => request(&["PFDEBUG", "DECODE", &own]),
            (false, 9) => request(&["STRLEN", &own]),
            (false, _) => request(&["GET", &own]),
        }
    }

    fn add_elements(key: &str, dice: &mut Dice) -> Request {
        let mut made = request(&["PFADD", key]);
        let (count, pool) = match dice.below(10) {
            0 => (0, 1),
            1..=6 => (dice.within(1, 6), 60),
            7..=8 => (dice.within(20, 90), 4000),
            _ => (dice.within(100, 400), 1_000_000),
        };
        for _ in 0..count {
            made.push(format!("e{}", dice.below(pool)).into_bytes());
        }
        made
    }
}
