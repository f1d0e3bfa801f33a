//! Clocks that jump, step and stand still, and what replicated time makes of it.

use super::*;

const DAY_MS: i64 = 86_400_000;
const START_MS: u64 = 1_900_000_000_000;

/// A member that stamps, and its clocks.
struct Desk {
    time: Timekeeper,
    mono_ms: u64,
    wall_ms: u64,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self {
            time: Timekeeper::default(),
            mono_ms: 5000,
            wall_ms: START_MS,
        };
        desk.time.begins(Stamp(0), Offset(0), desk.now());
        desk
    }

    fn now(&self) -> Now {
        Now {
            mono: Mono::from_millis(self.mono_ms),
            wall_us: self.wall_ms * 1000,
        }
    }

    fn pass(&mut self, ms: u64) {
        (self.mono_ms, self.wall_ms) = (self.mono_ms + ms, self.wall_ms + ms);
        self.time.watch(self.now());
    }

    fn jump(&mut self, by_ms: i64) {
        self.wall_ms = self.wall_ms.saturating_add_signed(by_ms);
        self.time.watch(self.now());
    }

    /// Makes an entry; its stamp since the start, and its offset.
    fn stamp(&mut self) -> (u64, i64) {
        let given = self.time.reading(self.now());
        self.time.gives(given, self.now());
        (given.0.0 - START_MS, given.1.0)
    }
}

#[test]
fn a_jump_either_way_moves_the_offset_alone_and_goes_with_it() {
    for by in [DAY_MS, -DAY_MS, 1500, -1500, 400 * DAY_MS] {
        let mut desk = Desk::new();
        assert_eq!(desk.stamp(), (0, 0));
        desk.jump(by);
        desk.pass(10);
        assert_eq!(desk.stamp(), (10, by), "{by}");
        desk.pass(3000);
        assert_eq!(desk.stamp(), (3010, by), "{by}");
        desk.jump(-by);
        desk.pass(5);
        assert_eq!(desk.stamp(), (3015, 0), "{by}");
    }
}

#[test]
fn a_small_step_is_followed_or_waited_for() {
    let mut desk = Desk::new();
    desk.stamp();
    desk.jump(700);
    desk.pass(10);
    assert_eq!(desk.stamp(), (710, 0));
    desk.jump(-600);
    desk.pass(100);
    assert_eq!(desk.stamp(), (760, 0));
    desk.pass(2000);
    assert_eq!(desk.stamp(), (2210, 0));
}

#[test]
fn a_wall_clock_that_stays_ahead_is_believed_in_the_end() {
    let mut desk = Desk::new();
    desk.stamp();
    desk.jump(DAY_MS);
    let minutes = BELIEVED_AFTER.as_millis() as u64;
    desk.pass(minutes - 1);
    assert_eq!(desk.stamp(), (minutes - 1, DAY_MS));
    assert!(
        desk.time
            .follows_at()
            .is_some_and(|at| at > desk.now().mono)
    );
    desk.pass(1);
    assert_eq!(desk.stamp(), (DAY_MS as u64 + minutes, 0));
    assert_eq!(desk.time.follows_at(), None);
    // One that stays behind never is: replicated time does not run back.
    desk.jump(-DAY_MS);
    desk.pass(2 * minutes);
    assert_eq!(desk.stamp(), (DAY_MS as u64 + 3 * minutes, -DAY_MS));
}

#[test]
fn what_passed_while_a_server_was_down_counts_as_its_wall_clock_has_it() {
    for offset in [0, -DAY_MS, DAY_MS] {
        let mut desk = Desk::new();
        desk.wall_ms = desk.wall_ms.saturating_add_signed(offset) + 60_000;
        desk.time = Timekeeper::default();
        desk.time
            .begins(Stamp(START_MS), Offset(offset), desk.now());
        assert_eq!(desk.stamp(), (60_000, offset));
    }
    // The clock was set right meanwhile.
    let mut desk = Desk::new();
    desk.wall_ms += 60_000;
    desk.time = Timekeeper::default();
    let ahead = Stamp(START_MS + DAY_MS as u64);
    desk.time.begins(ahead, Offset(0), desk.now());
    assert_eq!(desk.stamp(), (DAY_MS as u64, 60_000 - DAY_MS));
}

#[test]
fn a_follower_counts_on_from_the_last_entry_that_was_news() {
    let mut desk = Desk::new();
    desk.time.reaches(Stamp(START_MS), desk.now());
    desk.pass(30_000);
    // It was stamped half a minute ago, and is committed only now.
    desk.time.reaches(Stamp(START_MS + 10), desk.now());
    desk.jump(-DAY_MS);
    assert_eq!(desk.stamp(), (30_000, -DAY_MS));
}
