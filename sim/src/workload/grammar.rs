//! Requests made of what the server's table says that a command takes.
//!
//! A command that comes into the table is asked for from that day on: what an argument may be
//! follows from its form, and from its name where that says more.

use seedis::command::grammar::{Arg, Form};
use seedis::command::group::Group;
use seedis::command::row::Row;
use seedis::store::Value;

use super::{Request, Workload};
use crate::draws::Dice;
use crate::model::payloads::PAYLOADS;

/// The values for an integer.
const INTEGERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "10",
    "100",
    "-100",
    "abc",
    "",
    "01",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
];
const FLOATS: [&str; 8] = ["0.5", "-1.25", "3", "1e2", "inf", "abc", "", "+0.25"];
const PATTERNS: [&str; 8] = ["*", "k*", "k?", "k[0-3]", "k[^1]", "\\k1", "", "*1*"];
/// Patterns that make keys of items, among them of those that are integers.
const KEY_PATTERNS: [&str; 12] = [
    "#", "*", "k*", "k*", "k*->f1", "*->f0", "h*->f2", "nosort", "nosort", "k*->", "->*", "",
];
const TIMES: [&str; 13] = [
    "1",
    "10",
    "100",
    "2000",
    "-1",
    "0",
    "1900000000",
    "1900000000000",
    // Some that are still to come for most of a run, or for all of it.
    "1900000009",
    "1900000015000",
    "1900000900000",
    "9223372036854775807",
    "x",
];
/// For waits, in seconds.
const TIMEOUTS: [&str; 14] = [
    "0.001", "0.01", "0.02", "0.05", "0.05", "0.1", "0.1", "0.2", "0.5", "1", "3", "0", "-1", "abc",
];
const DATABASES: [&str; 8] = ["0", "1", "15", "16", "-1", "x", "0", "0"];
const CURSORS: [&str; 6] = ["0", "0", "0", "5", "x", "-1"];
const OFFSETS: [&str; 6] = ["0", "3", "10", "-1", "x", "536870912"];
/// Places of bits: none of them makes a string long, or no string can have it.
pub(super) const BIT_OFFSETS: [&str; 14] = [
    "0",
    "1",
    "7",
    "8",
    "9",
    "62",
    "100",
    "511",
    "2047",
    "-1",
    "x",
    "4294967296",
    "#0",
    "#3",
];
pub(super) const WIDTHS: [&str; 14] = [
    "u1", "u2", "i5", "u8", "i8", "i16", "u31", "i33", "u63", "i64", "u64", "i0", "x", "u8",
];
const LONGITUDES: [&str; 10] = [
    "0", "13.36", "13.4", "15.1", "-179.99", "179.9", "180", "-180", "181", "x",
];
const LATITUDES: [&str; 10] = [
    "0",
    "38.1",
    "37.5",
    "38.2",
    "-38",
    "70",
    "85.05112878",
    "-85",
    "86",
    "x",
];
const LENGTHS: [&str; 9] = ["0", "1", "30", "200", "5000", "20000", "inf", "-1", "x"];
const BIT_OPERATIONS: [&str; 6] = ["and", "OR", "xor", "not", "NOT", "x"];

/// The keys of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes<'a> {
    /// The first part of the names of keys.
    pub(super) names: &'a str,
    /// The key that it names first, if it is to be that one.
    pub(super) key: Option<&'a str>,
}

impl Workload {
    /// A request for a command, or for one of its subcommands.
    pub(super) fn request(&self, row: &Row, wishes: Wishes<'_>, dice: &mut Dice) -> Request {
        let cased = |name: &str, dice: &mut Dice| match dice.below(4) {
            0 => name.to_ascii_uppercase().into_bytes(),
            _ => name.as_bytes().to_vec(),
        };
        let mut request = vec![cased(row.name, dice)];
        let mut row = row;
        if row.is_container() {
            if dice.permille(30) {
                request.push(b"nope".to_vec());
                return request;
            }
            row = dice.pick(row.subcommands);
            request.push(cased(row.own_name(), dice));
        }
        let mut maker = Maker {
            workload: self,
            row,
            wishes,
            request,
        };
        for arg in row.args {
            if !arg.optional || dice.permille(300) {
                maker.put(arg, dice);
            }
        }
        // What may be left out stands there twice, beside what excludes it, or out of its place.
        let optional: Vec<&Arg> = row.args.iter().filter(|arg| arg.optional).collect();
        if !optional.is_empty() && dice.permille(100) {
            let arg = *dice.pick::<&Arg>(&optional);
            maker.put(arg, dice);
        }
        maker.request
    }
}

/// The name of a type, in small letters or in capitals, or of none.
fn type_name(dice: &mut Dice) -> Vec<u8> {
    let mut names: Vec<String> = Value::TYPES.iter().map(|name| (*name).to_owned()).collect();
    names.extend(names.last().map(|name| name.to_ascii_uppercase()));
    names.push("x".to_owned());
    dice.pick(&names).clone().into_bytes()
}

/// A request that is being made.
struct Maker<'a> {
    workload: &'a Workload,
    row: &'a Row,
    wishes: Wishes<'a>,
    request: Request,
}

impl Maker<'_> {
    fn put(&mut self, arg: &Arg, dice: &mut Dice) {
        let times = if arg.multiple { dice.within(1, 3) } else { 1 };
        for time in 0..times {
            if !arg.token.is_empty() && (time == 0 || arg.repeats_token) {
                self.request.push(arg.token.as_bytes().to_vec());
            }
            match arg.form {
                Form::Word => {}
                Form::OneOf(parts) => self.put(dice.pick(parts), dice),
                Form::Block(parts) => {
                    for part in parts {
                        if !part.optional || dice.coin() {
                            self.put(part, dice);
                        }
                    }
                }
                _ => {
                    let word = self.word(arg, dice);
                    self.request.push(word);
                }
            }
        }
    }

    /// Returns true if it adds decimals: sums of huge numbers and fractions round as only 80-bit
    /// floating point does, so that they have keys, or fields, for themselves.
    fn adds_decimals(&self) -> bool {
        let is_double = |arg: &Arg| matches!(arg.form, Form::Double);
        self.row.args.iter().any(is_double)
    }

    fn key(&mut self, dice: &mut Dice) -> String {
        if self.adds_decimals() && self.row.group == Group::String {
            return self.workload.key("d", dice);
        }
        if let Some(key) = self.wishes.key.take() {
            return key.to_owned();
        }
        self.workload.key(self.wishes.names, dice)
    }

    fn word(&mut self, arg: &Arg, dice: &mut Dice) -> Vec<u8> {
        let pool: &[&str] = match (arg.form, arg.name) {
            (Form::Key(_), _) => return self.key(dice).into_bytes(),
            (Form::Double, "timeout") => &TIMEOUTS,
            (Form::Double, "longitude") => &LONGITUDES,
            (Form::Double, "latitude") => &LATITUDES,
            (Form::Double, "radius" | "width" | "height") => &LENGTHS,
            (Form::Double, _) => &FLOATS,
            (Form::Pattern, _) => &PATTERNS,
            (Form::KeyPattern(_), _) => &KEY_PATTERNS,
            (Form::UnixTime, _) | (Form::Integer, "seconds" | "milliseconds" | "ttl") => &TIMES,
            (Form::Integer, "cursor") => &CURSORS,
            (Form::Integer, "offset") if self.row.group == Group::Bitmap => &BIT_OFFSETS,
            (Form::Integer, "offset") => &OFFSETS,
            (Form::Integer, "db" | "index" | "destination-db") => &DATABASES,
            (Form::Integer, _) => &INTEGERS,
            (_, "encoding") => &WIDTHS,
            (_, "operation") => &BIT_OPERATIONS,
            (_, "subcommand") => &["getreg", "decode", "ENCODING", "todense", "x"],
            (_, "type") => return type_name(dice),
            (_, "serialized-value") => return dice.pick(&PAYLOADS).to_vec(),
            (_, "field") if self.adds_decimals() => &["d"],
            (_, "field") => return format!("f{}", dice.below(6)).into_bytes(),
            _ => return self.text(dice),
        };
        dice.pick(pool).as_bytes().to_vec()
    }

    fn text(&self, dice: &mut Dice) -> Vec<u8> {
        match dice.below(6) {
            0 => dice.pick(&INTEGERS).as_bytes().to_vec(),
            1 => dice.pick(&FLOATS[..4]).as_bytes().to_vec(),
            2 => (0..dice.below(12)).map(|_| dice.below(256) as u8).collect(),
            _ => self.workload.value(dice).into_bytes(),
        }
    }
}
