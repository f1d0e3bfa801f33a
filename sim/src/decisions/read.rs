//! A `.sim` file as a script, or the line that says nothing and why.

use seedis::disk::FileName;

use super::address::{Address, Deed, Files, Kind, Point};
use super::decision::{Act, Deal, Decision, Fate, Harm, Leave, Slowness, Strike};
use super::script::{Script, Unreadable, id, profile};
use super::words::{Parsed, all_words, nanoseconds, next_word, number};
use super::write::{ENDS, PROFILES};
use crate::disk::NO_SPACE;
use crate::workload::Piece;

/// Reads a whole file.
pub(super) fn script(text: &str) -> Result<Script, Unreadable> {
    let at = |line: usize| move |why: String| Unreadable { line, why };
    let mut lines = (1..).zip(text.lines().map(str::trim_end));
    let (mut remarks, mut fires) = (Vec::new(), None);
    for (number, line) in lines.by_ref() {
        if let Some(remark) = line.strip_prefix('#') {
            remarks.push(remark.strip_prefix(' ').unwrap_or(remark).to_owned());
        } else if !line.is_empty() {
            let name = line.strip_prefix("fires ");
            let name =
                name.ok_or_else(|| at(number)("a file begins with `fires ID`".to_owned()))?;
            fires = Some(id(name).map_err(at(number))?);
            break;
        }
    }
    let fires = fires.ok_or_else(|| at(1)("there is no `fires ID`".to_owned()))?;
    let (number, line) = lines.next().unwrap_or((2, ""));
    let from = line
        .strip_prefix("from ")
        .ok_or("`from PROFILE SEED` follows");
    let (profile, seed) = from
        .map_err(str::to_owned)
        .and_then(origin)
        .map_err(at(number))?;
    let mut script = Script {
        remarks,
        fires,
        profile,
        seed,
        steady: false,
        settings: Vec::new(),
        decisions: Vec::new(),
        acts: Vec::new(),
    };
    let mut last = number;
    for (number, line) in lines {
        if !line.is_empty() && !line.starts_with('#') {
            add(&mut script, line).map_err(at(number))?;
        }
        last = number;
    }
    script.scenario().map_err(at(last))?;
    Ok(script)
}

fn origin(text: &str) -> Parsed<(crate::scenario::Profile, u64)> {
    let (name, seed) = text.split_once(' ').ok_or("`from PROFILE SEED`")?;
    Ok((profile(name)?, number(seed)?))
}

/// Adds what a line says.
fn add(script: &mut Script, line: &str) -> Parsed<()> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb {
        "steady" => script.steady = true,
        "set" => {
            let (key, value) = rest.split_once(' ').ok_or("`set KEY VALUE`")?;
            script.set(key, value)?;
        }
        "client" => script.acts.push(act(rest)?),
        _ => script.decisions.push(decision(verb, rest)?),
    }
    Ok(())
}

/// Words of a line, one after the other.
struct Words<'a> {
    words: std::str::SplitWhitespace<'a>,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        let words = text.split_whitespace();
        Self { words }
    }

    fn next(&mut self, what: &str) -> Parsed<&'a str> {
        self.words.next().ok_or_else(|| format!("expected {what}"))
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        match self.words.next() {
            Some(there) if there == word => Ok(()),
            Some(there) => Err(format!("expected `{word}`, found `{there}`")),
            None => Err(format!("expected `{word}`")),
        }
    }

    fn end(&mut self) -> Parsed<()> {
        match self.words.next() {
            None => Ok(()),
            Some(more) => Err(format!("`{more}` is left over")),
        }
    }
}

/// `n3` is the member that is counted as 2.
fn member(text: &str) -> Parsed<usize> {
    let of = text.strip_prefix('n').and_then(|n| n.parse::<usize>().ok());
    of.and_then(|n| n.checked_sub(1))
        .filter(|n| *n < 16)
        .ok_or_else(|| format!("`{text}` is not a member such as n1"))
}

fn ordinal(text: &str) -> Parsed<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    match (digits.parse::<u64>(), &text[digits.len()..]) {
        (Ok(number), "st" | "nd" | "rd" | "th") if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not an ordinal such as 2nd")),
    }
}

/// Everything in front of a word, and what is behind it.
fn around<'a>(text: &'a str, word: &str) -> Parsed<(&'a str, &'a str)> {
    text.rsplit_once(word)
        .ok_or_else(|| format!("`{}` is missing", word.trim()))
}

fn address(text: &str) -> Parsed<Address> {
    if text == "all at the end" {
        return Ok(Address::End);
    }
    let mut words = Words::new(text);
    let first = words.next("a member, `all` or an ordinal")?;
    if first != "all" && !first.starts_with('n') {
        return passed(text);
    }
    let who = match first {
        "all" => None,
        name => Some(member(name)?),
    };
    let how = words.next("`at`, `behind` or `down`")?;
    match (how, who) {
        ("at", member) => {
            let at = nanoseconds(words.next("a time")?)?;
            words.end()?;
            Ok(Address::Time { member, at })
        }
        ("behind", Some(_)) => passed(text),
        ("down", Some(member)) => {
            words.expect("after")?;
            words.expect("life")?;
            let life = number(words.next("a number")?)?;
            words.end()?;
            Ok(Address::Down { member, life })
        }
        _ => Err(format!("`{how}` does not say `{first}`")),
    }
}

/// A place that is passed again and again, and which time is meant.
fn passed(text: &str) -> Parsed<Address> {
    if let Some(front) = text.strip_suffix(" on") {
        let (front, at) = around(front, " from ")?;
        let (place, nth) = place(front, 0)?;
        let place = Box::new(place.uncounted());
        let at = nanoseconds(at)?;
        return Ok(Address::Since { place, at, nth });
    }
    let term = text.rsplit_once(" in term ");
    let life = text.rsplit_once(" in life ");
    let (front, scope) = term
        .or(life)
        .ok_or("`in term 1`, `in life 0` or `from 2s on` is missing")?;
    let (place, _) = place(front, number(scope)?)?;
    match (&place, term) {
        (Address::Frame { .. }, Some(_)) | (Address::Point { .. } | Address::Deed { .. }, None) => {
            Ok(place)
        }
        _ => Err("messages belong to a term, everything else to a life".to_owned()),
    }
}

/// A place in a life or term, and which time is meant.
fn place(text: &str, scope: u64) -> Parsed<(Address, u64)> {
    let (first, rest) = text.split_once(' ').ok_or("an ordinal and a place")?;
    if let Some(behind) = rest.strip_prefix("behind ") {
        let member = member(first)?;
        let (nth, name) = behind
            .split_once(' ')
            .ok_or("expected what it comes after")?;
        let nth = ordinal(nth)?;
        let point = Point::find(name).ok_or_else(|| format!("`{name}` is not a boundary"))?;
        let life = scope;
        let point = Address::Point {
            member,
            life,
            point,
            nth,
        };
        return Ok((point, nth));
    }
    let nth = ordinal(first)?;
    let name = rest.split(' ').next().unwrap_or_default();
    if let Some(kind) = Kind::find(name) {
        let ends = rest[name.len()..].trim_start().split_once('>');
        let (from, to) = ends.ok_or("`n1>n2` is missing")?;
        let (from, to, term) = (member(from)?, member(to)?, scope);
        let frame = Address::Frame {
            kind,
            from,
            to,
            term,
            nth,
        };
        return Ok((frame, nth));
    }
    let nothing = || format!("`{name}` is neither a message nor an operation");
    let (name, who) = rest.rsplit_once(" of ").ok_or_else(nothing)?;
    let deed = Deed::find(name).ok_or_else(nothing)?;
    let (member, life) = (member(who)?, scope);
    let deed = Address::Deed {
        member,
        life,
        deed,
        nth,
    };
    Ok((deed, nth))
}

/// A set of members as bits.
fn members(text: &str) -> Parsed<u64> {
    let mut bits = 0;
    for name in text.split_whitespace() {
        bits |= 1 << member(name)?;
    }
    Ok(bits)
}

fn after<'a>(text: &'a str, prefix: &str) -> Parsed<&'a str> {
    text.strip_prefix(prefix)
        .ok_or_else(|| format!("expected `{}`, found `{text}`", prefix.trim()))
}

fn before<'a>(text: &'a str, suffix: &str) -> Parsed<&'a str> {
    text.strip_suffix(suffix)
        .ok_or_else(|| format!("`{text}` should end with `{}`", suffix.trim()))
}

fn crash(text: &str) -> Parsed<Strike> {
    let parts: Vec<&str> = text.split(", ").collect();
    let [end, profile, dice, arrive, back] = parts[..] else {
        return Err("a crash says: power, lost, dice 0, 0 arrive, back in 300ms".to_owned());
    };
    let known = ENDS.iter().find(|(_, name)| *name == end);
    let (end, _) = known.ok_or_else(|| format!("`{end}` is neither power, process nor stop"))?;
    let known = PROFILES.iter().find(|(_, name)| *name == profile);
    let (profile, _) = known.ok_or_else(|| format!("`{profile}` is not an outcome of a crash"))?;
    let fate = Fate {
        profile: *profile,
        dice: number(after(dice, "dice ")?)?,
        arrive: number(before(arrive, " arrive")?)?,
        back: nanoseconds(after(back, "back in ")?)?,
    };
    let end = *end;
    Ok(Strike::Crash { end, fate })
}

fn jump(text: &str) -> Parsed<Strike> {
    let by = |digits| {
        let by = nanoseconds(digits)? / 1000;
        i64::try_from(by).map_err(|_| "a clock cannot jump that far".to_owned())
    };
    let by_us = match text.strip_prefix('-') {
        Some(back) => -by(back)?,
        None => by(after(text, "+")?)?,
    };
    Ok(Strike::Jump { by_us })
}

fn cut(text: &str) -> Parsed<Strike> {
    let (how, length) = text.split_once(", ").ok_or("`deaf and mute, 2s`")?;
    let (hears, speaks) = match how {
        "deaf and mute" => (false, false),
        "deaf" => (false, true),
        "mute" => (true, false),
        "whole" => (true, true),
        _ => return Err(format!("`{how}` is not deaf, mute, or deaf and mute")),
    };
    let length = nanoseconds(length)?;
    Ok(Strike::Cut {
        hears,
        speaks,
        length,
    })
}

fn lag(text: &str) -> Parsed<Strike> {
    let (by, rest) = text.split_once(" late, ").ok_or("`300ms late, mute, 2s`")?;
    let (mute, length) = match rest.strip_prefix("mute, ") {
        Some(length) => (true, length),
        None => (false, rest),
    };
    let (by, length) = (nanoseconds(by)?, nanoseconds(length)?);
    Ok(Strike::Lag { by, mute, length })
}

fn slow(text: &str) -> Parsed<Strike> {
    let (by, length) = text.split_once(" more, ").ok_or("`1.5s more, 4s`")?;
    let (by, length) = (nanoseconds(by)?, nanoseconds(length)?);
    Ok(Strike::Slow { by, length })
}

fn stick(text: &str) -> Parsed<Strike> {
    let (name, rest) = text.split_once(", ").ok_or("`logs, 300ms more, 2s`")?;
    let files = Files::find(name).ok_or_else(|| format!("`{name}` are no files"))?;
    let (by, rest) = rest.split_once(" more, ").ok_or("`300ms more, 2s`")?;
    let (by, length) = (nanoseconds(by)?, nanoseconds(rest)?);
    Ok(Strike::Stick { files, by, length })
}

fn fail(text: &str) -> Parsed<Strike> {
    let text = after(text, "dice ")?;
    let Some((dice, error)) = text.split_once(", error ") else {
        return Ok(Strike::FailSync {
            dice: number(text)?,
        });
    };
    let lasting = error.strip_suffix(", for good");
    Ok(Strike::FailOp {
        dice: number(dice)?,
        code: number(lasting.unwrap_or(error))?,
        stays: lasting.is_some(),
    })
}

fn part(text: &str) -> Parsed<Strike> {
    let (text, turns) = match text.split_once(" in turns of ") {
        Some((text, turns)) => (text, Some(nanoseconds(turns)?)),
        None => (text, None),
    };
    let (groups, length) = around(text, ", ")?;
    let mut hears = Vec::new();
    for group in groups.split(", ") {
        let (who, heard) = around(group, " hears ")?;
        if member(who)? != hears.len() {
            return Err("members are named in their order".to_owned());
        }
        hears.push(members(heard)?);
    }
    let length = nanoseconds(length)?;
    Ok(Strike::Part {
        hears,
        length,
        turns: turns.filter(|turns| *turns > 0),
    })
}

fn flip(text: &str) -> Parsed<Strike> {
    let mut words = Words::new(text);
    words.expect("bit")?;
    let bit = number(words.next("0 to 7")?)?;
    words.expect("of")?;
    words.expect("byte")?;
    let at = number(words.next("a number")?)?;
    words.expect("of")?;
    let name = words.next("a file")?;
    words.end()?;
    let file = FileName::parse(name).filter(|_| bit < 8);
    let file = file.ok_or_else(|| format!("`{name}` is not a file, or {bit} not a bit"))?;
    Ok(Strike::Flip { file, at, bit })
}

fn damage(text: &str) -> Parsed<Strike> {
    let (place, name) = around(text, " of ")?;
    let (harm, at) = around(place, " at ")?;
    let harm = match harm.split_once(' ') {
        None if harm == "zeros" => Harm::Zeros,
        Some(("bit", bit)) => Harm::Bit(number(bit).and_then(|bit| match bit {
            0..8 => Ok(bit),
            _ => Err(format!("{bit} is not a bit")),
        })?),
        Some(("sector", sector)) => Harm::Sector(number(sector)?),
        _ => return Err(format!("`{harm}` is not bit 3, zeros or sector 7")),
    };
    let file = FileName::parse(name).ok_or_else(|| format!("`{name}` is not a file"))?;
    let at = number(at)?;
    Ok(Strike::Damage { file, at, harm })
}

fn strike(verb: &str, text: &str) -> Parsed<Strike> {
    let length = nanoseconds(text);
    Ok(match verb {
        "lose" | "stop" | "wipe" if !text.is_empty() => {
            return Err(format!("`{text}` is left over"));
        }
        "lose" => Strike::Lose,
        "stop" => Strike::Stop,
        "wipe" => Strike::Wipe,
        "rewind" => Strike::Rewind {
            life: number(after(text, "to what it was after life ")?)?,
        },
        "copy" => Strike::Copy { after: length? },
        "delay" => Strike::Delay { after: length? },
        "stall" => Strike::Stall { by: length? },
        "hold" => Strike::Hold { length: length? },
        "pause" => Strike::Pause { length: length? },
        "freeze" => Strike::Freeze { length: length? },
        "fail" => fail(text)?,
        "stick" => stick(text)?,
        "crash" => crash(text)?,
        "jump" => jump(text)?,
        "drift" => Strike::Drift {
            ppm: number(before(text, " ppm")?)?,
        },
        "fill" => {
            let (space, rest) = text.split_once(", ").ok_or("`0 bytes left, 2s`")?;
            let (length, code) = rest.split_once(", error ").unwrap_or((rest, ""));
            Strike::Fill {
                space: number(before(space, " bytes left")?)?,
                length: nanoseconds(length)?,
                code: if code.is_empty() {
                    NO_SPACE
                } else {
                    number(code)?
                },
            }
        }
        "slow" => slow(text)?,
        "cut" => cut(text)?,
        "lag" => lag(text)?,
        "part" => part(text)?,
        "flip" => flip(text)?,
        "damage" => damage(text)?,
        "abandon" => Strike::Abandon {
            members: members(text)?,
        },
        _ => return Err(format!("unknown fault `{verb}`")),
    })
}

/// Returns true if such a fault can strike at such a place.
fn fits(strike: &Strike, address: &Address) -> bool {
    let address = match address {
        Address::Since { place, .. } => place,
        address => address,
    };
    let one = matches!(
        address,
        Address::Time {
            member: Some(_),
            ..
        }
    );
    match strike {
        Strike::Lose | Strike::Copy { .. } | Strike::Delay { .. } => {
            matches!(address, Address::Frame { .. })
        }
        Strike::Stall { .. } | Strike::FailSync { .. } | Strike::FailOp { .. } => {
            matches!(address, Address::Deed { .. })
        }
        Strike::Hold { .. } => matches!(address, Address::Point { .. }),
        Strike::Crash { .. } => one || matches!(address, Address::Point { .. }),
        Strike::Part { .. } => matches!(address, Address::Time { member: None, .. }),
        Strike::Flip { .. } | Strike::Damage { .. } | Strike::Wipe | Strike::Rewind { .. } => {
            matches!(address, Address::Down { .. })
        }
        Strike::Abandon { .. } => *address == Address::End,
        Strike::Stop
        | Strike::Pause { .. }
        | Strike::Freeze { .. }
        | Strike::Jump { .. }
        | Strike::Drift { .. }
        | Strike::Fill { .. }
        | Strike::Slow { .. }
        | Strike::Stick { .. }
        | Strike::Cut { .. }
        | Strike::Lag { .. } => one,
    }
}

fn decision(verb: &str, rest: &str) -> Parsed<Decision> {
    let (place, what) = rest.split_once(": ").unwrap_or((rest, ""));
    let strike = strike(verb, what)?;
    let address = address(place)?;
    if fits(&strike, &address) {
        Ok(Decision { address, strike })
    } else {
        Err(format!("nothing can `{verb}` at `{place}`"))
    }
}

fn asked(text: &str) -> Parsed<Vec<Vec<u8>>> {
    let words = all_words(text)?;
    if words.is_empty() {
        return Err("a request has at least one word".to_owned());
    }
    Ok(words)
}

fn act(text: &str) -> Parsed<Act> {
    let mut words = text.splitn(5, ' ');
    let mut next = |what: &str| {
        let word = words.next();
        word.ok_or_else(|| format!("expected {what}"))
    };
    let client: usize = number(next("a number")?)?;
    let client = client.checked_sub(1).filter(|client| *client < 1000);
    let client = client.ok_or("clients are counted from 1")?;
    if next("`at`")? != "at" {
        return Err("`client 1 at 1.5s …`".to_owned());
    }
    let at = nanoseconds(next("a time")?)?;
    let verb = next("what it does")?;
    let rest = next("more").unwrap_or_default();
    let deal = match verb {
        "connects" => connects(rest)?,
        "asks" => Deal::Ask(Piece::Request(asked(rest)?)),
        "types" => Deal::Ask(Piece::Inline(asked(rest)?)),
        "adds" => Deal::Ask(Piece::Behind(asked(rest)?)),
        "says" => Deal::Ask(Piece::Mangled(asked(rest)?.concat())),
        "errs" => errs(rest)?,
        "tries" => Deal::Twins {
            dice: number(after(rest, "twins ")?)?,
        },
        "closes" | "ends" | "resets" => Deal::Leave {
            cut: number(before(after(rest, "behind ")?, " bytes")?)?,
            how: match verb {
                "closes" => Leave::End,
                "ends" => Leave::Half,
                _ => Leave::Reset,
            },
        },
        "gives" if rest == "up" => Deal::GiveUp,
        _ => return Err(format!("unknown action of a client: `{verb}`")),
    };
    Ok(Act { client, at, deal })
}

fn connects(text: &str) -> Parsed<Deal> {
    let mut words = Words::new(text);
    let member = member(words.next("a member")?)?;
    let slow = match words.words.next() {
        None => None,
        Some("window") => {
            let window = number(words.next("a number of bytes")?)?;
            words.expect("each")?;
            let each = nanoseconds(words.next("a time")?)?;
            Some(Slowness { window, each })
        }
        Some(more) => return Err(format!("`{more}` is left over")),
    };
    words.end()?;
    Ok(Deal::Connect { member, slow })
}

fn errs(text: &str) -> Parsed<Deal> {
    let wrong = || "errs \"bytes\" complaint \"words\"".to_owned();
    let (bytes, rest) = next_word(text)?.ok_or_else(wrong)?;
    let rest = rest.strip_prefix(" complaint ").ok_or_else(wrong)?;
    let (complaint, rest) = next_word(rest)?.ok_or_else(wrong)?;
    let limit = match rest.trim() {
        "" => false,
        "at-the-limit" => true,
        _ => return Err(wrong()),
    };
    let complaint = String::from_utf8(complaint).map_err(|_| wrong())?;
    Ok(Deal::Ask(Piece::Garbage {
        bytes,
        complaint,
        limit,
    }))
}
