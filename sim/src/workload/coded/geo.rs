//! Places on Earth: near to each other, so that searches find some and not all.

use super::request;
use crate::draws::Dice;
use crate::workload::{Request, Workload};

impl Workload {
    /// A place in one of some countries, one of them at the end of the world.
    fn place(dice: &mut Dice) -> [String; 2] {
        let (longitude, latitude, size) = *dice.pick(&[
            (13.0, 37.0, 3.0),
            (13.0, 37.0, 3.0),
            (-70.0, -33.0, 1.0),
            (179.0, 60.0, 1.0),
            (-180.0, 60.0, 1.0),
            (20.0, 79.0, 6.0),
            (-180.0, -85.0, 170.0),
        ]);
        let mut near = |from: f64, most: f64| {
            let part = dice.below(10_000) as f64 / 10_000.0;
            format!("{:.4}", (from + part * size).min(most))
        };
        [near(longitude, 180.0), near(latitude, 85.0)]
    }

    fn member(&self, dice: &mut Dice) -> String {
        if dice.permille(100) {
            self.value(dice)
        } else {
            format!("m{}", dice.below(30))
        }
    }

    pub(super) fn geo_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        let own = key.map_or_else(|| self.coded_key("g", dice), str::to_owned);
        let member = self.member(dice);
        let writes = key.is_some() || dice.permille(550);
        match (writes, dice.below(10)) {
            (true, 0..=5) => self.geo_add(&own, dice),
            (true, 6) => request(&["ZREM", &own, &member]),
            (true, 7) => self.circle("GEORADIUS", &own, dice),
            (true, _) => {
                let source = self.coded_key("g", dice);
                let mut made = self.search(&["GEOSEARCHSTORE", &own, &source], dice);
                if dice.permille(300) {
                    made.push(b"STOREDIST".to_vec());
                }
                made
            }
            (false, 0..=1) => request(&["GEOPOS", &own, &member, "m1"]),
            (false, 2) => request(&["GEOHASH", &own, &member, "m2"]),
            (false, 3) => {
                let unit = *dice.pick(&["m", "km", "ft", "MI"]);
                request(&["GEODIST", &own, &member, &self.member(dice), unit])
            }
            (false, 4) => self.circle("GEORADIUS_RO", &own, dice),
            (false, 5) => {
                let radius = dice.within(1, 300).to_string();
                request(&[
                    "GEORADIUSBYMEMBER_RO",
                    &own,
                    &member,
                    &radius,
                    "KM",
                    "WITHDIST",
                ])
            }
            (false, 6) => request(&["ZRANGE", &own, "0", "-1"]),
            (false, _) => {
                let mut made = self.search(&["GEOSEARCH", &own], dice);
                for word in ["WITHDIST", "WITHCOORD", "WITHHASH"] {
                    if dice.permille(300) {
                        made.push(word.as_bytes().to_vec());
                    }
                }
                made
            }
        }
    }

    fn geo_add(&self, key: &str, dice: &mut Dice) -> Request {
        let mut made = request(&["GEOADD", key]);
        for word in ["NX", "XX", "CH"] {
            if dice.permille(100) {
                made.push(word.as_bytes().to_vec());
            }
        }
        let many = dice.permille(200);
        for _ in 0..if many {
            dice.within(10, 60)
        } else {
            dice.within(1, 4)
        } {
            made.extend(Self::place(dice).map(String::into_bytes));
            made.push(self.member(dice).into_bytes());
        }
        made
    }

    /// A search by a circle about a place; some of those that may store do.
    fn circle(&self, name: &str, key: &str, dice: &mut Dice) -> Request {
        let [longitude, latitude] = Self::place(dice);
        let radius = dice.within(1, 400).to_string();
        let mut made = request(&[name, key, &longitude, &latitude, &radius, "km", "ASC"]);
        if name == "GEORADIUS" && dice.permille(700) {
            made.push(dice.pick(&["STORE", "STOREDIST"]).as_bytes().to_vec());
            made.push(self.coded_key("g", dice).into_bytes());
        }
        made
    }

    /// A search, as far as all have it.
    fn search(&self, begin: &[&str], dice: &mut Dice) -> Request {
        let mut made = request(begin);
        let mut put = |words: &[&str]| made.extend(request(words));
        if dice.coin() {
            put(&["FROMMEMBER", &self.member(dice)]);
        } else {
            let [longitude, latitude] = Self::place(dice);
            put(&["FROMLONLAT", &longitude, &latitude]);
        }
        let size = |dice: &mut Dice| {
            let (least, most) = if dice.permille(150) {
                (1000, 25_000)
            } else {
                (0, 400)
            };
            dice.within(least, most).to_string()
        };
        let (one, other) = (size(dice), size(dice));
        if dice.coin() {
            put(&["BYRADIUS", &one, "km"]);
        } else {
            put(&["BYBOX", &one, &other, "km"]);
        }
        if dice.coin() {
            put(&[*dice.pick(&["ASC", "DESC"])]);
        }
        if dice.permille(400) {
            put(&["COUNT", &dice.within(1, 6).to_string()]);
            if dice.coin() {
                put(&["ANY"]);
            }
        }
        made
    }
}
