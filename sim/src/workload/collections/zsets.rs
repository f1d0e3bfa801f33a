//! Requests about sorted sets.

use super::Asking;
use crate::draws::Dice;
use crate::workload::items::{bound, count, edge, fair_count, fair_score, index, score};
use crate::workload::mood::{Type, Way};

impl Asking<'_> {
    fn zset(&self, dice: &mut Dice) -> Vec<u8> {
        self.key(Type::Zset, dice)
    }

    /// Words that are each there or not.
    fn perhaps(&mut self, share: u64, words: &[&str], dice: &mut Dice) -> &mut Self {
        for word in words {
            if dice.permille(share) {
                self.word(word);
            }
        }
        self
    }

    fn add_members(&mut self, dice: &mut Dice) {
        let key = self.zset(dice);
        let grows = self.mood.way == Way::Grow;
        let share = if grows { 15 } else { 180 };
        self.begin("ZADD", key);
        let increments = !grows && dice.permille(350) && self.fair_conditions(dice);
        if self.words.len() == 2 {
            self.perhaps(share, &["NX", "XX", "GT", "LT", "CH", "INCR"], dice);
        }
        let batch = if grows || dice.coin() && !increments {
            self.batch(dice)
        } else {
            1
        };
        for _ in 0..batch {
            // One score that is none spoils all of them.
            let own = if increments {
                // These mostly leave things as they are.
                let steps = ["0", "0", "-0", "1", "-1", "0.5"];
                dice.pick(&steps).as_bytes().to_vec()
            } else if batch > 4 {
                fair_score(dice)
            } else {
                score(dice)
            };
            self.put(own).text(dice);
        }
    }

    /// Conditions that go together, as seldom happens by chance; true where one member alone may
    /// follow.
    fn fair_conditions(&mut self, dice: &mut Dice) -> bool {
        let all: [&[&str]; 8] = [
            &["GT"],
            &["LT"],
            &["XX", "GT", "CH"],
            &["XX", "LT", "CH"],
            &["GT", "INCR"],
            &["LT", "INCR"],
            &["NX", "INCR"],
            &["XX", "INCR"],
        ];
        let own: &&[&str] = dice.pick(&all);
        for word in *own {
            self.word(word);
        }
        own.contains(&"INCR")
    }

    fn named_members(&mut self, name: &str, dice: &mut Dice) {
        let key = self.zset(dice);
        self.begin(name, key);
        for _ in 0..self.batch(dice) {
            self.text(dice);
        }
    }

    fn pop_members(&mut self, dice: &mut Dice) {
        let (name, key) = (*dice.pick(&["ZPOPMIN", "ZPOPMAX"]), self.zset(dice));
        if dice.permille(300) {
            let end = *dice.pick(&["MIN", "MAX", "min", "MAX", "MID"]);
            self.numbered("ZMPOP", Type::Zset, dice).word(end);
            if dice.coin() {
                self.word("COUNT").put(fair_count(dice));
            }
            return;
        }
        self.begin(name, key);
        if dice.permille(600) {
            self.put(fair_count(dice));
        }
    }

    fn two_edges(&mut self, dice: &mut Dice) -> &mut Self {
        let pool = self.mood.pool;
        self.put(edge(pool, dice)).put(edge(pool, dice))
    }

    fn remove_range(&mut self, dice: &mut Dice) {
        let key = self.zset(dice);
        match dice.below(3) {
            0 => self
                .begin("ZREMRANGEBYRANK", key)
                .put(index(dice))
                .put(index(dice)),
            1 => self
                .begin("ZREMRANGEBYSCORE", key)
                .put(bound(dice))
                .put(bound(dice)),
            _ => self
                .begin("ZREMRANGEBYLEX", Self::tied(dice))
                .two_edges(dice),
        };
    }

    /// The key of a sorted set whose scores are equal: of others Redis does not say which members
    /// lie between two.
    fn tied(dice: &mut Dice) -> Vec<u8> {
        format!("e{}", dice.below(2)).into_bytes()
    }

    /// A request about members that lie between two.
    fn between_members(&mut self, dice: &mut Dice) {
        let key = Self::tied(dice);
        match dice.below(12) {
            0..=3 => {
                self.begin("ZADD", key);
                for _ in 0..self.batch(dice) {
                    self.word("0").text(dice);
                }
            }
            4 => {
                self.begin("ZREM", key).text(dice).text(dice);
            }
            5 => {
                let from = Self::tied(dice);
                self.begin("ZRANGESTORE", key)
                    .put(from)
                    .two_edges(dice)
                    .word("BYLEX");
                self.perhaps(350, &["REV"], dice);
                if dice.coin() {
                    self.word("LIMIT").put(count(dice)).put(count(dice));
                }
            }
            6 => {
                self.begin("ZREMRANGEBYLEX", key).two_edges(dice);
            }
            7..=8 => {
                self.begin("ZLEXCOUNT", key).two_edges(dice);
            }
            9 => {
                self.begin("ZRANGE", key).two_edges(dice).word("BYLEX");
                self.perhaps(350, &["REV"], dice);
                if dice.coin() {
                    self.word("LIMIT").put(count(dice)).put(count(dice));
                }
            }
            _ => {
                let name = *dice.pick(&["ZRANGEBYLEX", "ZREVRANGEBYLEX"]);
                self.begin(name, key).two_edges(dice);
                if dice.permille(400) {
                    self.word("LIMIT").put(count(dice)).put(count(dice));
                }
            }
        }
    }

    /// Sets and sorted sets that are put together, with what may stand behind them.
    fn combined(&mut self, dice: &mut Dice) {
        let keys = dice.within(1, 3);
        self.put(keys.to_string().into_bytes());
        for _ in 0..keys {
            let of = *dice.pick(&[Type::Zset, Type::Zset, Type::Zset, Type::Set]);
            let key = self.key(of, dice);
            self.put(key);
        }
        if dice.permille(400) {
            self.word("WEIGHTS");
            for _ in 0..keys {
                let weight = *dice.pick(&["1", "2", "-1", "0", "0.5", "inf", "-inf", "1e300"]);
                self.word(weight);
            }
        }
        if dice.permille(400) {
            let how = *dice.pick(&["SUM", "MIN", "MAX", "min", "max", "AVG"]);
            self.word("AGGREGATE").word(how);
        }
    }

    pub(super) fn change_zset(&mut self, dice: &mut Dice) {
        match (self.mood.way, dice.below(10)) {
            (Way::Grow, 0..=7) => return self.add_members(dice),
            (Way::Shrink, 0..=1) => return self.named_members("ZREM", dice),
            (Way::Shrink, 2..=4) => return self.pop_members(dice),
            (Way::Shrink, 5..=6) => return self.remove_range(dice),
            (Way::Mix, 0) => return self.between_members(dice),
            _ => {}
        }
        let key = self.zset(dice);
        match dice.below(16) {
            0..=3 => self.add_members(dice),
            4..=6 => {
                self.begin("ZINCRBY", key).put(score(dice)).text(dice);
            }
            7..=8 => self.named_members("ZREM", dice),
            9 => self.pop_members(dice),
            10 => self.remove_range(dice),
            11..=12 => {
                let from = self.zset(dice);
                self.begin("ZRANGESTORE", key)
                    .put(from)
                    .range(3, false, dice);
            }
            _ => {
                let names = ["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"];
                self.begin(names[dice.below(3) as usize], key)
                    .combined(dice);
            }
        }
    }

    /// The bounds of ZRANGE and what may stand behind them.
    fn range(&mut self, ways: u64, may_score: bool, dice: &mut Dice) {
        let by = dice.below(ways);
        match by {
            0..=1 => self.put(index(dice)).put(index(dice)),
            2 => self.put(bound(dice)).put(bound(dice)).word("BYSCORE"),
            _ => self.two_edges(dice).word("BYLEX"),
        };
        self.perhaps(350, &["REV"], dice);
        if dice.permille(if by > 1 { 400 } else { 30 }) {
            self.word("LIMIT").put(count(dice)).put(count(dice));
        }
        if may_score && (by < 3 || dice.permille(30)) {
            self.perhaps(500, &["WITHSCORES"], dice);
        }
    }

    /// A range by the names that were before ZRANGE could do all.
    fn old_range(&mut self, dice: &mut Dice) {
        let key = self.zset(dice);
        let by = dice.below(5);
        match by {
            0 => self
                .begin("ZREVRANGE", key)
                .put(index(dice))
                .put(index(dice)),
            1 => self
                .begin("ZRANGEBYSCORE", key)
                .put(bound(dice))
                .put(bound(dice)),
            2 => self
                .begin("ZREVRANGEBYSCORE", key)
                .put(bound(dice))
                .put(bound(dice)),
            3 => self.begin("ZRANGEBYLEX", key).two_edges(dice),
            _ => self.begin("ZREVRANGEBYLEX", key).two_edges(dice),
        };
        if by < 3 {
            self.perhaps(500, &["WITHSCORES"], dice);
        }
        if by > 0 && dice.permille(400) {
            self.word("LIMIT").put(count(dice)).put(count(dice));
        }
    }

    pub(super) fn read_zset(&mut self, dice: &mut Dice) {
        let key = self.zset(dice);
        match dice.below(24) {
            0 => {
                self.begin("ZCARD", key);
            }
            1..=2 => {
                self.begin("ZSCORE", key).text(dice);
            }
            3 => self.named_members("ZMSCORE", dice),
            4..=7 => {
                let name = *dice.pick(&["ZRANK", "ZREVRANK"]);
                self.begin(name, key).text(dice);
                self.perhaps(400, &["WITHSCORE"], dice);
            }
            8..=9 => {
                self.begin("ZCOUNT", key).put(bound(dice)).put(bound(dice));
            }
            10 => self.between_members(dice),
            11..=14 => self.begin("ZRANGE", key).range(4, true, dice),
            15..=17 => self.old_range(dice),
            18..=19 => {
                self.begin("ZRANDMEMBER", key);
                if dice.permille(800) {
                    self.put(count(dice)).perhaps(500, &["WITHSCORES"], dice);
                }
            }
            20 => {
                self.begin("ZSCAN", key).word("0");
                if dice.coin() {
                    self.word("COUNT").put(count(dice));
                }
            }
            21 => {
                self.numbered("ZINTERCARD", Type::Zset, dice);
                if dice.permille(700) {
                    self.word("LIMIT").put(fair_count(dice));
                }
            }
            22 => {
                self.words = vec![b"ZDIFF".to_vec()];
                let keys = dice.within(1, 3);
                self.put(keys.to_string().into_bytes());
                for _ in 0..keys {
                    let key = self.zset(dice);
                    self.put(key);
                }
                self.perhaps(500, &["WITHSCORES"], dice);
            }
            _ => {
                let name = *dice.pick(&["ZUNION", "ZINTER"]);
                self.words = vec![name.as_bytes().to_vec()];
                self.combined(dice);
                self.perhaps(500, &["WITHSCORES"], dice);
            }
        }
    }
}
