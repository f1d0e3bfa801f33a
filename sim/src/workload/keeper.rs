//! Clients that track, and keep what they have read: all of it, what they name, or what they do not
//! name. One of three stays with the member that it has, and reads old states there; of the others
//! one of two also writes. They hear where their connection has begun with RESP3.

use super::{GET_BY_SCRIPT, KEPT, Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    /// Returns true if it reads from whatever member it has.
    pub(super) fn keeps_near(&self) -> bool {
        self.client % 3 == 1
    }

    /// Most track from the first moment on.
    pub(super) fn wishes_of_keeper(&self, dice: &mut Dice) -> Vec<Piece> {
        let near = self.keeps_near().then(|| words(&["READONLY"]));
        let mut pieces: Vec<Piece> = near.into_iter().collect();
        if dice.permille(700) {
            pieces.extend(self.tracks(dice));
        } else if dice.coin() {
            pieces.push(self.broadcasts(dice));
        }
        pieces
    }

    /// Returns true if it writes: one that stays with a follower would be sent away for that.
    fn writes_kept(&self) -> bool {
        self.client.is_multiple_of(2) && !self.keeps_near()
    }

    pub(super) fn keep_reads(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let writes = self.writes_kept();
        match dice.below(100) {
            0..=13 => self.tracks(dice),
            14 => vec![words(&["CLIENT", "TRACKING", "OFF"])],
            15..=34 if writes => vec![self.write_kept(dice)],
            35..=49 => self.spoken_read(dice),
            50..=64 => self.kept_transaction(dice),
            65..=69 => vec![words(&["PING"])],
            // What its scripts read it has read as well.
            70..=79 => {
                let name = *dice.pick(&["EVAL", "EVAL_RO"]);
                vec![words(&[name, GET_BY_SCRIPT, "1", &kept(dice)])]
            }
            _ => vec![read(dice)],
        }
    }

    /// It tracks from now on, perhaps anew.
    fn tracks(&self, dice: &mut Dice) -> Vec<Piece> {
        let off = dice.permille(200);
        // It may begin to hear of prefixes only where it tracks in no other way.
        let on = if dice.permille(if off { 400 } else { 100 }) {
            self.broadcasts(dice)
        } else {
            self.tracks_on(dice)
        };
        let off = off.then(|| words(&["CLIENT", "TRACKING", "OFF"]));
        off.into_iter().chain([on]).collect()
    }

    /// Mostly in its own way, and sometimes in one that does not fit to that.
    fn tracks_on(&self, dice: &mut Dice) -> Piece {
        const WAYS: [&[&str]; 3] = [&[], &["OPTIN"], &["OPTOUT"]];
        let own = match self.client % 4 {
            0 => &WAYS[0],
            1 | 2 => &WAYS[1],
            _ => &WAYS[2],
        };
        let way = if dice.permille(100) {
            *dice.pick(&WAYS)
        } else {
            *own
        };
        let no_loop: &[&str] = if self.client.is_multiple_of(3) {
            &["NOLOOP"]
        } else {
            &[]
        };
        words(&[&["CLIENT", "TRACKING", "ON"], way, no_loop].concat())
    }

    /// It hears of all keys, or of those with some prefixes; where these overlap it is refused.
    fn broadcasts(&self, dice: &mut Dice) -> Piece {
        let prefixes: &[&[u64]] = &[&[], &[0], &[1, 2], &[0, 1, 2], &[2, 2]];
        let prefixes = dice.pick(prefixes).iter();
        let prefixes: Vec<String> = prefixes.map(|nth| format!("{KEPT}{nth}")).collect();
        let mut request = vec!["CLIENT", "TRACKING", "ON", "BCAST"];
        for prefix in &prefixes {
            request.extend(["PREFIX", prefix]);
        }
        if dice.permille(200) {
            request.extend(["PREFIX", KEPT]);
        }
        if self.client.is_multiple_of(3) {
            request.push("NOLOOP");
        }
        words(&request)
    }

    /// It says whether it keeps what it is about to read: mostly as fits its way to track.
    fn says(&self, dice: &mut Dice) -> Piece {
        let fits = if self.client % 4 == 3 { "NO" } else { "YES" };
        let how = match dice.below(20) {
            0 => "NO",
            1 => "yes",
            _ => fits,
        };
        words(&["CLIENT", "CACHING", how])
    }

    /// It says so, and reads; sometimes it asks for something else before.
    fn spoken_read(&self, dice: &mut Dice) -> Vec<Piece> {
        let between: &[&[&str]] = match dice.below(10) {
            0 => &[&["PING"]],
            1 => &[&["CLIENT", "ID"]],
            2 => &[&["CLIENT", "GETREDIR"], &["CLIENT", "ID"]],
            _ => &[],
        };
        let mut pieces = vec![self.says(dice)];
        pieces.extend(between.iter().map(|request| words(request)));
        pieces.extend([read(dice), read(dice)]);
        pieces
    }

    /// A transaction of reads and perhaps writes, before or in which it says so, and a read behind.
    fn kept_transaction(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let writes = self.writes_kept();
        let mut pieces = Vec::new();
        if dice.permille(300) {
            pieces.push(self.says(dice));
        }
        pieces.push(words(&["MULTI"]));
        for _ in 0..dice.within(1, 4) {
            pieces.push(match dice.below(8) {
                0 | 1 => self.says(dice),
                2 if writes => self.write_kept(dice),
                3 if dice.permille(200) => self.tracks_on(dice),
                _ => read(dice),
            });
        }
        let end = if dice.permille(100) {
            "DISCARD"
        } else {
            "EXEC"
        };
        pieces.push(words(&[end]));
        if dice.coin() {
            pieces.push(read(dice));
        }
        pieces
    }

    fn write_kept(&self, dice: &mut Dice) -> Piece {
        let (key, value) = (kept(dice), self.value(dice));
        match dice.below(10) {
            0 => words(&["DEL", &key]),
            1 | 2 => {
                // One key of three lives for as long as nobody removes it.
                let key = format!("{KEPT}{}", dice.below(2));
                let ms = dice.within(5, 200).to_string();
                words(&["SET", &key, &value, "PX", &ms])
            }
            _ => words(&["SET", &key, &value]),
        }
    }
}

fn kept(dice: &mut Dice) -> String {
    format!("{KEPT}{}", dice.below(3))
}

fn read(dice: &mut Dice) -> Piece {
    words(&["GET", &kept(dice)])
}
