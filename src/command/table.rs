//! The table of commands: all rows, found by name in any case.

use super::args::Args;
use super::error::Error;
use super::key::Access;
use super::row::Row;

const FAMILIES: &[&[Row]] = &[
    super::connection::ROWS,
    super::hashes::ROWS,
    super::lists::ROWS,
    super::list_waits::ROWS,
    super::sets::ROWS,
    super::zset::ROWS,
    super::zset::WAITS,
    super::keys::ROWS,
    super::dump::ROWS,
    super::expiry::ROWS,
    super::scan::ROWS,
    super::sort::ROWS,
    super::object::ROWS,
    super::strings::ROWS,
    super::set::ROWS,
    super::counters::ROWS,
    super::lcs::ROWS,
    super::bits::ROWS,
    super::geo::ROWS,
    super::pubsub::ROWS,
    super::scripting::ROWS,
    super::hll::ROWS,
    super::server::ROWS,
    super::cluster::ROWS,
];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

static ROWS: [Row; COUNT] = {
    let mut rows = [FAMILIES[0][0]; COUNT];
    let (mut at, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut row = 0;
        while row < FAMILIES[family].len() {
            rows[at] = FAMILIES[family][row];
            at += 1;
            row += 1;
        }
        family += 1;
    }
    rows
};

/// Slots of the name index: a power of two, more than twice the rows.
const SLOTS: usize = 1024;
const EMPTY: u16 = u16::MAX;

/// Open addressing over the names, made by the compiler: a look-up is one hash and, nearly always,
/// one comparison.
static INDEX: [u16; SLOTS] = {
    assert!(COUNT * 2 < SLOTS);
    let mut index = [EMPTY; SLOTS];
    let mut row = 0;
    while row < COUNT {
        let mut slot = hash(ROWS[row].name.as_bytes());
        while index[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        index[slot] = row as u16;
        row += 1;
    }
    index
};

/// FNV-1a over the letters without their case.
const fn hash(name: &[u8]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ (name[at] | 0x20) as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    ((hash ^ hash >> 32) % SLOTS as u64) as usize
}

/// The row of the command with this name, in any case.
pub fn find(name: &[u8]) -> Option<&'static Row> {
    if name.len() > 32 {
        return None;
    }
    let mut slot = hash(name);
    loop {
        let row = ROWS.get(usize::from(INDEX[slot]))?;
        if row.name.as_bytes().eq_ignore_ascii_case(name) {
            return Some(row);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The row of the command or the subcommand with this name, as in `config|get`.
pub fn find_full(name: &[u8]) -> Option<&'static Row> {
    let mut parts = name.splitn(2, |byte| *byte == b'|');
    let row = find(parts.next()?)?;
    match parts.next() {
        None => Some(row),
        Some(own) => row.subcommand(own),
    }
}

/// The row that runs a request for this command: its own, or that of the subcommand that is named.
pub fn called(row: &'static Row, args: Args<'_>) -> Result<&'static Row, Error> {
    if !row.is_container() || args.len() == 1 {
        return Ok(row);
    }
    let own = row.subcommand(args.at(1));
    own.ok_or_else(|| Error::unknown_subcommand(&row.name.to_ascii_uppercase(), args.at(1)))
}

/// All rows, family by family.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// All rows with those of subcommands, in the order of their places.
pub fn all() -> impl Iterator<Item = &'static Row> {
    let subcommands = ROWS.iter().flat_map(|row| row.subcommands);
    ROWS.iter().chain(subcommands)
}

/// The place of a row in `all()`.
pub fn place(row: &'static Row) -> usize {
    if let Some(place) = place_in(&ROWS, row) {
        return place;
    }
    let mut before = COUNT;
    for container in ROWS.iter().filter(|row| row.is_container()) {
        if let Some(place) = place_in(container.subcommands, row) {
            return before + place;
        }
        before += container.subcommands.len();
    }
    unreachable!("every row is in the table")
}

/// The place of a row among others that stand together.
fn place_in(rows: &[Row], row: &Row) -> Option<usize> {
    let offset = (&raw const *row).addr().checked_sub(rows.as_ptr().addr())?;
    Some(offset / size_of::<Row>()).filter(|place| *place < rows.len())
}

/// The row of a request, whose first argument is the command's name, if it has keys to tell of:
/// what COMMAND GETKEYS answers by, or its error.
pub fn with_keys(args: Args<'_>) -> Result<&'static Row, Error> {
    let row = find(args.name()).and_then(|row| called(row, args).ok());
    let row = row.ok_or(Error::INVALID_COMMAND)?;
    // A channel is routed like a key and is none.
    if row.keys.iter().all(|keys| keys.access.has(Access::NOT_KEY)) {
        return Err(Error::NO_KEY_ARGUMENTS);
    }
    if !row.takes(args.len()) {
        return Err(Error::INVALID_ARGUMENT_COUNT);
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_in_any_case_and_nothing_else_is() {
        for row in rows() {
            assert_eq!(find(row.name.as_bytes()).map(|r| r.name), Some(row.name));
            let capitals = row.name.to_ascii_uppercase();
            assert_eq!(find(capitals.as_bytes()).map(|r| r.name), Some(row.name));
        }
        for name in [&b""[..], b"nope", b"se", b"sett", &[b'x'; 100]] {
            assert!(find(name).is_none());
        }
    }

    #[test]
    fn every_row_has_a_place_of_its_own() {
        for (place, row) in all().enumerate() {
            assert_eq!(super::place(row), place, "{}", row.name);
        }
        assert!(all().count() > rows().len());
    }

    #[test]
    fn a_subcommand_is_called_through_its_container() {
        let config = find(b"config").expect("a command");
        let request = b"CONFIGGeT";
        let words = [0..6, 6..9];
        let args = Args::new(request, &words);
        assert_eq!(called(config, args).map(|row| row.name), Ok("config|get"));
        assert_eq!(
            find_full(b"CONFIG|set").map(|row| row.name),
            Some("config|set")
        );
        assert!(find_full(b"config|nope").is_none());
    }
}
