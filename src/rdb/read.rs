//! The value in a payload, item by item.
//!
//! A reading holds no bytes of the payload but those that it had to decompress, so that it can be
//! put aside and gone on with.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::compact::Form;
use super::element::{BadPayload, Element};
use super::lzf::{self, UNPACKED_MAX};

/// The types of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A string: one item, which is its value.
    String,
    /// A list: its elements.
    List,
    /// A set: its members.
    Set,
    /// A sorted set: its members and their scores.
    Zset,
    /// A hash: its fields and their values.
    Hash,
}

/// An item of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueItem<'a> {
    /// An element, a member or the name of a field.
    pub name: Cow<'a, [u8]>,
    /// The value of a field; empty in other types.
    pub value: Cow<'a, [u8]>,
    /// The score of a member of a sorted set.
    pub score: f64,
}

/// The form of the items that stand for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    /// Strings alone.
    Strings,
    /// Members with scores as text.
    TextScores,
    /// Members with scores as they are in memory.
    Scores,
    /// Nodes of elements that stand close together.
    Nodes(Form),
    /// The same, each behind a number that says whether it is one element alone.
    TaggedNodes,
}

/// A string in which elements stand close together.
#[derive(Clone, Debug)]
struct Node {
    form: Form,
    /// Its place in the payload, or the bytes that it was decompressed to.
    place: Result<(usize, usize), Vec<u8>>,
    /// The place of the next element in it.
    at: usize,
}

impl Node {
    fn bytes<'a>(&'a self, value: &'a [u8]) -> Result<&'a [u8], BadPayload> {
        match &self.place {
            Ok((from, to)) => value.get(*from..*to).ok_or(BadPayload),
            Err(own) => Ok(own),
        }
    }
}

/// How far the items of a value are read.
#[derive(Clone, Debug)]
pub struct Reading {
    kind: ValueKind,
    plain: Plain,
    at: usize,
    /// How many items, or nodes, stand behind.
    left: u64,
    /// How many bytes more may come out of compressed strings.
    room: usize,
    node: Option<Node>,
}

/// The bytes that are read, and how far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// How many bytes more may come out of compressed strings.
    pub(super) room: usize,
}

impl<'a> Source<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], BadPayload> {
        let end = self.at.checked_add(count).ok_or(BadPayload)?;
        let taken = self.bytes.get(self.at..end).ok_or(BadPayload)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BadPayload> {
        self.take(N)?.try_into().map_err(|_| BadPayload)
    }

    /// A length, or the number of an encoding.
    fn length(&mut self) -> Result<Result<u64, u8>, BadPayload> {
        let [first] = self.array()?;
        let low = first & 0x3f;
        Ok(match (first >> 6, first) {
            (0, _) => Ok(u64::from(low)),
            (1, _) => {
                let [next] = self.array()?;
                Ok(u64::from(low) << 8 | u64::from(next))
            }
            (_, 0x80) => Ok(u64::from(u32::from_be_bytes(self.array()?))),
            (_, 0x81) => Ok(u64::from_be_bytes(self.array()?)),
            (3, _) => Err(low),
            _ => return Err(BadPayload),
        })
    }

    pub(super) fn count(&mut self) -> Result<u64, BadPayload> {
        self.length()?.map_err(|_| BadPayload)
    }

    fn size(&mut self) -> Result<usize, BadPayload> {
        usize::try_from(self.count()?).map_err(|_| BadPayload)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'a, [u8]>, BadPayload> {
        let number = |number: i64| Ok(Element::Integer(number).into_bytes());
        match self.length()? {
            Ok(length) => {
                let length = usize::try_from(length).map_err(|_| BadPayload)?;
                Ok(Cow::Borrowed(self.take(length)?))
            }
            Err(0) => number(i64::from(i8::from_le_bytes(self.array()?))),
            Err(1) => number(i64::from(i16::from_le_bytes(self.array()?))),
            Err(2) => number(i64::from(i32::from_le_bytes(self.array()?))),
            Err(3) => {
                let (packed, length) = (self.size()?, self.size()?);
                let packed = self.take(packed)?;
                self.room = self.room.checked_sub(length).ok_or(BadPayload)?;
                let whole = lzf::decompressed(packed, length).ok_or(BadPayload)?;
                Ok(Cow::Owned(whole))
            }
            Err(_) => Err(BadPayload),
        }
    }

    /// A score that stands as text behind its length, or as one of three words.
    fn text_score(&mut self) -> Result<f64, BadPayload> {
        match self.array()? {
            [253] => Err(BadPayload),
            [254] => Ok(f64::INFINITY),
            [255] => Ok(f64::NEG_INFINITY),
            [length] => score_of(self.take(usize::from(length))?),
        }
    }
}

fn score_of(text: &[u8]) -> Result<f64, BadPayload> {
    let text = core::str::from_utf8(text).map_err(|_| BadPayload)?;
    let score: f64 = text.parse().map_err(|_| BadPayload)?;
    if score.is_nan() {
        return Err(BadPayload);
    }
    Ok(score)
}

impl Reading {
    /// Begins with a value.
    pub fn of(value: &[u8]) -> Result<Self, BadPayload> {
        let mut source = Source {
            bytes: value,
            at: 0,
            room: UNPACKED_MAX,
        };
        let [number] = source.array()?;
        let single = |form| Plain::Nodes(form);
        let (kind, plain, is_single) = match number {
            0 => (ValueKind::String, Plain::Strings, true),
            1 => (ValueKind::List, Plain::Strings, false),
            2 => (ValueKind::Set, Plain::Strings, false),
            3 => (ValueKind::Zset, Plain::TextScores, false),
            4 => (ValueKind::Hash, Plain::Strings, false),
            5 => (ValueKind::Zset, Plain::Scores, false),
            9 => (ValueKind::Hash, single(Form::Zipmap), true),
            10 => (ValueKind::List, single(Form::Ziplist), true),
            11 => (ValueKind::Set, single(Form::Intset), true),
            12 => (ValueKind::Zset, single(Form::Ziplist), true),
            13 => (ValueKind::Hash, single(Form::Ziplist), true),
            14 => (ValueKind::List, Plain::Nodes(Form::Ziplist), false),
            16 => (ValueKind::Hash, single(Form::Listpack), true),
            17 => (ValueKind::Zset, single(Form::Listpack), true),
            18 => (ValueKind::List, Plain::TaggedNodes, false),
            20 => (ValueKind::Set, single(Form::Listpack), true),
            _ => return Err(BadPayload),
        };
        let left = if is_single { 1 } else { source.count()? };
        Ok(Self {
            kind,
            plain,
            at: source.at,
            left,
            room: UNPACKED_MAX,
            node: None,
        })
    }

    /// The type of the value.
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// Reads the next item of the value, which is the same as before; nothing behind the last.
    pub fn next<'a>(&'a mut self, value: &'a [u8]) -> Result<Option<ValueItem<'a>>, BadPayload> {
        loop {
            if let Some(node) = &self.node {
                let bytes = node.bytes(value)?;
                if node.form.element(bytes, node.at)?.is_some() {
                    break;
                }
                self.node = None;
            }
            if self.left == 0 {
                return Ok(None);
            }
            self.left -= 1;
            let mut source = Source {
                bytes: value,
                at: self.at,
                room: self.room,
            };
            let form = match self.plain {
                Plain::Nodes(form) => form,
                Plain::TaggedNodes => match source.count()? {
                    // One element alone.
                    1 => return self.alone(source),
                    2 => Form::Listpack,
                    _ => return Err(BadPayload),
                },
                Plain::Strings | Plain::TextScores | Plain::Scores => return self.alone(source),
            };
            let place = match source.string()? {
                Cow::Owned(own) => Err(own),
                Cow::Borrowed(borrowed) => Ok((source.at - borrowed.len(), source.at)),
            };
            (self.at, self.room) = (source.at, source.room);
            let mut node = Node { form, place, at: 0 };
            node.at = form.first(node.bytes(value)?)?;
            if form.element(node.bytes(value)?, node.at)?.is_none() {
                // Walks over what is empty would have no end.
                return Err(BadPayload);
            }
            self.node = Some(node);
        }
        self.of_node(value)
    }

    /// The next item, which stands for itself.
    fn alone<'a>(&mut self, mut source: Source<'a>) -> Result<Option<ValueItem<'a>>, BadPayload> {
        let name = source.string()?;
        let (mut value, mut score) = (Cow::Borrowed(&[][..]), 0.0);
        match (self.kind, self.plain) {
            (ValueKind::Hash, _) => value = source.string()?,
            (ValueKind::Zset, Plain::TextScores) => score = source.text_score()?,
            (ValueKind::Zset, _) => score = f64::from_le_bytes(source.array()?),
            _ => {}
        }
        if score.is_nan() {
            return Err(BadPayload);
        }
        (self.at, self.room) = (source.at, source.room);
        Ok(Some(ValueItem { name, value, score }))
    }

    /// The next item of the node, which has one.
    fn of_node<'a>(&'a mut self, all: &'a [u8]) -> Result<Option<ValueItem<'a>>, BadPayload> {
        let Some(node) = &mut self.node else {
            return Ok(None);
        };
        let mut at = node.at;
        let (form, place) = (node.form, &node.place);
        let bytes = match place {
            Ok((from, to)) => all.get(*from..*to).ok_or(BadPayload)?,
            Err(own) => own,
        };
        let (name, next) = form.element(bytes, at)?.ok_or(BadPayload)?;
        at = next;
        let mut element = || {
            let (element, next) = form.value(bytes, at)?.ok_or(BadPayload)?;
            at = next;
            Ok(element.into_bytes())
        };
        let name = name.into_bytes();
        let (mut value, mut score) = (Cow::Borrowed(&[][..]), 0.0);
        match self.kind {
            ValueKind::Hash => value = element()?,
            ValueKind::Zset => score = score_of(&element()?)?,
            ValueKind::String | ValueKind::List | ValueKind::Set => {}
        }
        node.at = at;
        Ok(Some(ValueItem { name, value, score }))
    }
}
