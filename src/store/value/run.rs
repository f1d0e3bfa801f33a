//! A run of items in one piece of memory, read from either end.
//!
//! An item is `head · text · size`. The head says how long the text is, or is an integer; the size
//! of head and text stands behind them, written to be read backwards. This is the idea of Redis's
//! listpack, with integers in as few bytes as they need.

use alloc::vec::Vec;

use super::narrow;
use super::string::{Text, parse_i64};

/// The longest text whose length stands in one byte.
const SHORT_MAX: usize = 0x7f;
/// The first byte of a text whose length has fourteen bits.
const MIDDLE: u8 = 0x80;
/// The longest such text.
const MIDDLE_MAX: usize = 0x3fff;
/// The first byte of an integer, less how many bytes it has.
const INTEGER: u8 = 0xe0;
/// The first byte of a text whose length has four bytes.
const LONG: u8 = 0xf0;

/// One item, ready to be written into a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Encoded<'a> {
    head: [u8; 9],
    head_len: u8,
    text: &'a [u8],
    size: [u8; 5],
    size_len: u8,
}

impl<'a> Encoded<'a> {
    /// The item with this text.
    pub(in crate::store) fn of(text: &'a [u8]) -> Self {
        let mut head = [0; 9];
        let (head_len, text) = match parse_i64(text) {
            Some(number) => (put_integer(&mut head, number), &text[..0]),
            None => (put_length(&mut head, text.len()), text),
        };
        let mut size = [0; 5];
        let size_len = put_size(&mut size, head_len + text.len());
        Self {
            head,
            head_len: head_len as u8,
            text,
            size,
            size_len: size_len as u8,
        }
    }

    /// How many bytes it takes in a run.
    pub(in crate::store) fn len(&self) -> usize {
        usize::from(self.head_len) + self.text.len() + usize::from(self.size_len)
    }

    /// Writes it to `out`, which is just as long.
    pub(in crate::store) fn write(&self, out: &mut [u8]) {
        let mut at = 0;
        for part in self.parts() {
            out[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
    }

    /// Appends it to `out`.
    pub(in crate::store) fn push_to(&self, out: &mut Vec<u8>) {
        self.parts()
            .iter()
            .for_each(|part| out.extend_from_slice(part));
    }

    fn parts(&self) -> [&[u8]; 3] {
        let head = &self.head[..usize::from(self.head_len)];
        let size = &self.size[self.size.len() - usize::from(self.size_len)..];
        [head, self.text, size]
    }
}

fn put_integer(head: &mut [u8; 9], number: i64) -> usize {
    let len = narrow::bytes_of(number);
    head[0] = INTEGER + len as u8;
    head[1..=len].copy_from_slice(&number.to_le_bytes()[..len]);
    1 + len
}

fn put_length(head: &mut [u8; 9], len: usize) -> usize {
    if len <= SHORT_MAX {
        head[0] = len as u8;
        1
    } else if len <= MIDDLE_MAX {
        head[0] = MIDDLE | (len >> 8) as u8;
        head[1] = len as u8;
        2
    } else {
        head[0] = LONG;
        head[1..5].copy_from_slice(&(len as u32).to_le_bytes());
        5
    }
}

/// Writes a size to the end of `out`, seven bits a byte, the lowest last.
fn put_size(out: &mut [u8; 5], mut size: usize) -> usize {
    let mut len = 0;
    loop {
        len += 1;
        let more = if size > SHORT_MAX { 0x80 } else { 0 };
        out[5 - len] = (size & SHORT_MAX) as u8 | more;
        size >>= 7;
        if size == 0 {
            return len;
        }
    }
}

/// Takes the first item off a run; `None` where the run is empty, or no run.
pub(in crate::store) fn take_first<'a>(run: &mut &'a [u8]) -> Option<Text<'a>> {
    let (&head, rest) = run.split_first()?;
    let (text, own) = match head {
        0..=0x7f => (Text::Bytes(rest.get(..usize::from(head))?), 1),
        MIDDLE..=0xbf => {
            let (&low, rest) = rest.split_first()?;
            let len = usize::from(head - MIDDLE) << 8 | usize::from(low);
            (Text::Bytes(rest.get(..len)?), 2)
        }
        LONG => {
            let (len, rest) = rest.split_first_chunk()?;
            let len = u32::from_le_bytes(*len) as usize;
            (Text::Bytes(rest.get(..len)?), 5)
        }
        0xe1..=0xe8 => {
            let len = usize::from(head - INTEGER);
            (Text::Integer(narrow::read(rest.get(..len)?)), 1 + len)
        }
        _ => return None,
    };
    let size = own
        + if let Text::Bytes(bytes) = text {
            bytes.len()
        } else {
            0
        };
    let behind = size + size_len(size);
    *run = run.get(behind..)?;
    Some(text)
}

/// Takes the last item off a run; `None` where the run is empty, or no run.
pub(in crate::store) fn take_last<'a>(run: &mut &'a [u8]) -> Option<Text<'a>> {
    let (mut size, mut bytes) = (0usize, 0);
    loop {
        let byte = *run.get(run.len().checked_sub(bytes + 1)?)?;
        size |= usize::from(byte & 0x7f) << (7 * bytes);
        bytes += 1;
        if byte < 0x80 {
            break;
        }
        if bytes == 5 {
            return None;
        }
    }
    let start = run.len().checked_sub(size + bytes)?;
    let mut item = &run[start..];
    let text = take_first(&mut item)?;
    *run = &run[..start];
    item.is_empty().then_some(text)
}

/// How many bytes say a size.
fn size_len(size: usize) -> usize {
    let bits = usize::BITS - (size | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// How many items these bytes are as a run; `None` where they are none, or have no item.
pub(in crate::store) fn count_sound(mut run: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !run.is_empty() {
        let mut behind = run;
        let text = take_first(&mut behind)?;
        let mut item = &run[..run.len() - behind.len()];
        // The same item is read from behind, and written again it is these bytes.
        let mut scratch = [0; 20];
        let encoded = Encoded::of(&text.as_bytes(&mut scratch)).parts().concat();
        if encoded != item || take_last(&mut item).is_none() {
            return None;
        }
        count += 1;
        run = behind;
    }
    (count > 0).then_some(count)
}

/// The items of a run, from either end.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Items<'a>(pub(in crate::store) &'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        take_first(&mut self.0)
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        take_last(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn texts() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<i64>().prop_map(|number| number.to_string().into_bytes()),
            (-70_000i64..70_000).prop_map(|number| number.to_string().into_bytes()),
            vec(any::<u8>(), 0..40),
            (0usize..20_000).prop_map(|len| std::vec![b'x'; len]),
        ]
    }

    proptest! {
        #[test]
        fn items_are_read_from_both_ends_as_they_were_written(
            texts in vec(texts(), 1..12),
            ends in vec(any::<bool>(), 12),
        ) {
            let mut run = Vec::new();
            for text in &texts {
                let before = run.len();
                let item = Encoded::of(text);
                item.push_to(&mut run);
                prop_assert_eq!(run.len() - before, item.len());
                let mut out = std::vec![0; item.len()];
                item.write(&mut out);
                prop_assert_eq!(&run[before..], &out[..]);
            }
            prop_assert_eq!(count_sound(&run), Some(texts.len()));
            let (mut items, mut wanted) = (Items(&run), texts.iter());
            for back in ends {
                let (item, text) = if back {
                    (items.next_back(), wanted.next_back())
                } else {
                    (items.next(), wanted.next())
                };
                prop_assert_eq!(item.map(Text::to_vec), text.cloned());
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in vec(any::<u8>(), 0..60)) {
            if let Some(count) = count_sound(&bytes) {
                prop_assert_eq!(Items(&bytes).count(), count);
                prop_assert_eq!(Items(&bytes).rev().count(), count);
            }
        }

        #[test]
        fn one_wrong_byte_is_seen_or_is_another_text(
            texts in vec(texts(), 1..4),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut run = Vec::new();
            for text in &texts {
                Encoded::of(text).push_to(&mut run);
            }
            let at = at.index(run.len());
            run[at] ^= 1 << bit;
            if let Some(count) = count_sound(&run) {
                prop_assert_eq!(Items(&run).rev().count(), count);
            }
        }
    }

    #[test]
    fn small_integers_take_few_bytes() {
        for (text, len) in [
            ("0", 3),
            ("-128", 3),
            ("128", 4),
            ("70000", 5),
            ("1234567890", 6),
        ] {
            assert_eq!(Encoded::of(text.as_bytes()).len(), len, "{text}");
        }
        assert_eq!(Encoded::of(b"text").len(), 6);
    }
}
