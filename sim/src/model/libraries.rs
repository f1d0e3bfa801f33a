//! Libraries of functions: a few, each with what it does written down a second time.
//!
//! No Lua is run here. A text that is none of these is not known, and its reply is anything.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many libraries there are, and how many versions of each.
pub(crate) const LIBRARIES: u64 = 3;
pub(crate) const VERSIONS: u64 = 5;

/// The version that registers a function which another library may have.
pub(super) const SHARES: u64 = 1;
/// The version that takes a while to load.
const SLOW: u64 = 2;
/// The version that fails when it has registered its functions.
const BROKEN: u64 = 3;

/// A library that the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    pub(crate) number: u64,
    pub(crate) version: u64,
}

impl Library {
    pub(crate) fn name(self) -> String {
        format!("lib{}", self.number)
    }

    /// Its text: what it does shows its version, and that its variables are as they were loaded.
    pub(crate) fn text(self) -> String {
        let Self { number, version } = self;
        let mut text = format!(
            "#!lua name=lib{number}\n\
             local step, seen = {version} + 1, {{n = 0}} redis.log(redis.LOG_NOTICE, step) \
             local function count(key) seen.n = seen.n + 1 seen[#seen + 1] = key return seen.n end \
             redis.register_function('bump{number}', function(keys, args) \
             redis.log(redis.LOG_WARNING, keys[1], step) \
             return redis.call('INCRBY', keys[1], step * count(keys[1])) end) \
             redis.register_function{{function_name = 'read{number}', flags = {{'no-writes'}}, \
             description = 'v{version}', callback = function(keys) \
             return {{count(keys[1]), redis.call('GET', keys[1]), step, #seen}} end}}"
        );
        match version {
            SHARES => {
                let _ = write!(
                    text,
                    " redis.register_function('shared', function(keys) \
                     return redis.call('RPUSH', keys[1], 'lib{number}') end)"
                );
            }
            SLOW => text.push_str(" for i = 1, 3000 do step = step end"),
            BROKEN => text.push_str(" step()"),
            _ => {}
        }
        text
    }

    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let all = (0..LIBRARIES)
            .flat_map(|number| (0..VERSIONS).map(move |version| Self { number, version }));
        all.into_iter().find(|one| one.text().as_bytes() == text)
    }
}

/// The libraries that are loaded, and their versions.
pub(super) type Loaded = BTreeMap<u64, u64>;

const LOAD_FAILS: &str = "ERR Error registering functions: ERR user_function:2: \
     attempt to call local 'step' (a number value)";

/// Loads a library where these are there.
pub(super) fn load(there: &mut Loaded, one: Library, replaces: bool) -> Result<(), String> {
    let Library { number, version } = one;
    if there.contains_key(&number) && !replaces {
        return Err(format!("ERR Library '{}' already exists", one.name()));
    }
    if version == BROKEN {
        return Err(LOAD_FAILS.to_owned());
    }
    let shares = |(other, has): (&u64, &u64)| *other != number && *has == SHARES;
    if version == SHARES && there.iter().any(shares) {
        return Err("ERR Function shared already exists".to_owned());
    }
    there.insert(number, version);
    Ok(())
}

/// The payload of FUNCTION RESTORE with these libraries.
pub(crate) fn payload(libraries: &[Library]) -> Vec<u8> {
    let mut payload = Vec::new();
    for library in libraries {
        let text = library.text();
        payload.push(245);
        payload.extend([0x40 | (text.len() >> 8) as u8, text.len() as u8]);
        payload.extend(text.bytes());
    }
    payload.extend([10, 0]);
    let sum = crc64(&payload);
    payload.extend(sum.to_le_bytes());
    payload
}

/// The checksum of payloads, bit by bit.
fn crc64(bytes: &[u8]) -> u64 {
    let mut sum = 0_u64;
    for byte in bytes {
        sum ^= u64::from(*byte);
        for _ in 0..8 {
            let carry = sum & 1;
            sum = sum >> 1 ^ if carry == 1 { 0x95ac_9329_ac4b_c9b5 } else { 0 };
        }
    }
    sum
}

/// The libraries of a payload; nothing where it is none that the model knows.
fn libraries_in(payload: &[u8]) -> Option<Vec<Library>> {
    let (value, sum) = payload.split_last_chunk::<8>()?;
    if crc64(value).to_le_bytes() != *sum {
        return None;
    }
    let mut rest = value.strip_suffix(&[10, 0])?;
    let mut libraries = Vec::new();
    while let Some(behind) = rest.strip_prefix(&[245]) {
        let (length, behind) = behind.split_first_chunk::<2>()?;
        let length = usize::from(length[0] & 0x3f) << 8 | usize::from(length[1]);
        let (text, behind) = behind.split_at_checked(length)?;
        libraries.push(Library::of(text)?);
        rest = behind;
    }
    Some(libraries)
}

pub(super) fn restore(
    there: &mut Loaded,
    payload: &[u8],
    policy: &str,
) -> Option<Result<(), String>> {
    let (mut new, libraries) = (Loaded::new(), libraries_in(payload)?);
    for library in libraries.iter().copied() {
        if let Err(text) = load(&mut new, library, false) {
            return Some(Err(text));
        }
    }
    let mut after = if policy == "flush" {
        Loaded::new()
    } else {
        there.clone()
    };
    if policy != "replace"
        && let Some(one) = libraries.iter().find(|one| after.contains_key(&one.number))
    {
        let name = one.name();
        return Some(Err(format!("ERR Library {name} already exists")));
    }
    after.extend(new);
    if after.values().filter(|version| **version == SHARES).count() > 1 {
        return Some(Err("ERR Function shared already exists".to_owned()));
    }
    *there = after;
    Some(Ok(()))
}
