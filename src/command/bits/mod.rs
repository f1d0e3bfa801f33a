//! Bits of strings: set, looked at, counted, searched, joined, and read and written as numbers.
//!
//! The bit 0 is the highest of the first byte. Behind its end a string goes on with zeros.

mod field;
mod join;
mod number;
mod place;
mod range;

use super::args::{Args, parse_integer};
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{Arg, KEY, block, integer, key, many, one_of, opt, string, word};
use super::group::Group;
use super::key::{Access, CHANGED, Keys, READ, REPLACED};
use super::reach::Reach;
use super::row::Row;
use super::strings::{current, text};
use crate::store::Text;
use field::{bitfield, bitfield_ro};
use join::bitop;
use place::{bit_offset, is_set};
use range::{bitcount, bitpos};

const UNIT: Arg = opt(one_of("index_unit", &[word("BYTE"), word("BIT")]).since("7.0.0"));
const ENCODING: Arg = string("encoding");
const OFFSET: Arg = integer("offset");
const OVERFLOW: Arg =
    opt(one_of("wrap_sat_fail", &[word("WRAP"), word("SAT"), word("FAIL")]).behind("OVERFLOW"));

pub(super) const ROWS: &[Row] = &[
    Row::write("setbit", 4, setbit)
        .tells(Tells::Each(KeyEvent::SET_BIT))
        .group(Group::Bitmap)
        .since("2.2.0")
        .flags(&[Flag::DenyOom])
        .says("Sets or clears a bit of the string, and returns what it was.")
        .costs("O(N) where N is the length of the gap before the bit, which is filled with zeros.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, OFFSET, integer("value")]),
    Row::read("getbit", 3, getbit)
        .group(Group::Bitmap)
        .since("2.2.0")
        .flags(&[Flag::Fast])
        .says("Returns a bit of the string.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, OFFSET]),
    Row::read("bitcount", -2, bitcount)
        .reaches(Reach::Values)
        .group(Group::Bitmap)
        .since("2.6.0")
        .says("Counts the bits of the string that are set.")
        .costs("O(N) where N is the length of the string, or of the part that is asked for.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            opt(block("index", &[integer("start"), integer("end"), UNIT])),
        ]),
    Row::read("bitpos", -3, bitpos)
        .reaches(Reach::Values)
        .group(Group::Bitmap)
        .since("2.8.7")
        .says("Finds the first bit of the string that is set, or clear.")
        .costs("O(N) where N is the length of the string, or of the part that is asked for.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            integer("bit"),
            opt(block(
                "index",
                &[
                    integer("start"),
                    opt(block("end_index", &[integer("end"), UNIT])),
                ],
            )),
        ]),
    Row::write("bitop", -4, bitop)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::SET]))
        .group(Group::Bitmap)
        .since("2.6.0")
        .flags(&[Flag::DenyOom])
        .says("Joins strings bit by bit, and stores what comes of them.")
        .costs("O(N) where N is the length of all strings together.")
        .keys(&[Keys::at(2, REPLACED), Keys::range(3, -1, 1, READ)])
        .args(&[string("operation"), key("destkey", 0), many(key("key", 1))]),
    Row::write("bitfield", -2, bitfield)
        .tells(Tells::Each(KeyEvent::SET_BIT))
        .group(Group::Bitmap)
        .since("3.2.0")
        .flags(&[Flag::DenyOom])
        .says("Reads and writes bits of the string as numbers of some width.")
        .costs("O(N) where N is the number of fields.")
        .keys(&[Keys::at(1, CHANGED.and(Access::VARIABLE))
            .varying(field::access)
            .note("It is read by some of its operations, and changed by others.")])
        .args(&[
            KEY,
            opt(many(one_of(
                "operation",
                &[
                    block("encoding_offset", &[ENCODING, OFFSET]).behind("GET"),
                    block(
                        "write",
                        &[
                            OVERFLOW,
                            one_of(
                                "write_operation",
                                &[
                                    block(
                                        "encoding_offset_value",
                                        &[ENCODING, OFFSET, integer("value")],
                                    )
                                    .behind("SET"),
                                    block(
                                        "encoding_offset_increment",
                                        &[ENCODING, OFFSET, integer("increment")],
                                    )
                                    .behind("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            ))),
        ]),
    Row::read("bitfield_ro", -2, bitfield_ro)
        .group(Group::Bitmap)
        .since("6.0.0")
        .flags(&[Flag::Fast])
        .says("Reads bits of the string as numbers of some width.")
        .costs("O(N) where N is the number of fields.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            opt(many(block("encoding_offset", &[ENCODING, OFFSET]).behind("GET")).each_behind()),
        ]),
];

fn getbit(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let offset = bit_offset(args.at(2))?;
    let byte = text(query, args.at(1))?.map_or(0, |text| text.byte((offset / 8) as usize));
    query.reply.integer(i64::from(is_set(byte, offset)));
    Ok(())
}

fn setbit(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (key, offset) = (args.at(1), bit_offset(args.at(2))?);
    let sets = match parse_integer(args.at(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Error::NOT_A_BIT),
    };
    let place = (offset / 8) as usize;
    let byte = current(change, key)?.map_or(0, |text| Text::byte(text, place));
    let bit = 0x80 >> (offset % 8);
    let new = if sets { byte | bit } else { byte & !bit };
    let (db, at) = (change.db, change.at);
    change.store.overwrite(db, key, place, &[new], at)?;
    change.reply.integer(i64::from(is_set(byte, offset)));
    Ok(())
}
