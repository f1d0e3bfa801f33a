//! Requests as bytes that are built once: only the numbers in them are drawn and written anew.

use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// The digits of a number in a request.
const DIGITS: usize = 12;
/// The mark in a word where a number belongs.
pub const NUMBER: &str = "{}";

/// A request with places for numbers.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    /// The places of the numbers.
    places: Vec<usize>,
}

impl Template {
    /// The request of these words. Each `{}` in them becomes a number of twelve digits.
    pub fn new(words: &[impl AsRef<str>]) -> Self {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        let mut places = Vec::new();
        for word in words {
            let word = word.as_ref();
            let numbers = word.matches(NUMBER).count();
            let length = word.len() + numbers * (DIGITS - NUMBER.len());
            bytes.extend(format!("${length}\r\n").into_bytes());
            for (at, part) in word.split(NUMBER).enumerate() {
                if at > 0 {
                    places.push(bytes.len());
                    bytes.extend([b'0'; DIGITS]);
                }
                bytes.extend(part.as_bytes());
            }
            bytes.extend(b"\r\n");
        }
        Self { bytes, places }
    }

    /// So many of these requests behind one another.
    #[must_use]
    pub fn repeated(&self, times: usize) -> Self {
        let starts = (0..times).map(|time| time * self.bytes.len());
        let places = starts.flat_map(|start| self.places.iter().map(move |place| start + place));
        Self {
            bytes: self.bytes.repeat(times),
            places: places.collect(),
        }
    }

    /// The bytes, with numbers drawn anew.
    pub(super) fn draw(&mut self, numbers: &mut Numbers) -> &[u8] {
        for &place in &self.places {
            write_number(&mut self.bytes[place..place + DIGITS], numbers.next());
        }
        &self.bytes
    }
}

fn write_number(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// A source of the numbers in requests.
#[derive(Clone, Debug)]
pub struct Numbers {
    below: u64,
    order: Order,
}

#[derive(Clone, Debug)]
enum Order {
    Drawn(Box<ChaCha8Rng>),
    Rising { first: u64, next: u64 },
}

impl Numbers {
    /// Numbers from 0 to below a bound, each as likely, from a seed.
    pub fn uniform(below: u64, seed: u64) -> Self {
        let order = Order::Drawn(Box::new(ChaCha8Rng::seed_from_u64(seed)));
        Self { below, order }
    }

    /// All numbers from 0 to below a bound, and then again.
    pub fn rising(below: u64) -> Self {
        Self::rising_from(0, below)
    }

    /// All numbers from a first one to below a bound, and then from the first again.
    pub fn rising_from(first: u64, below: u64) -> Self {
        let order = Order::Rising { first, next: first };
        Self { below, order }
    }

    fn next(&mut self) -> u64 {
        match &mut self.order {
            // The high bits of a product: no division, and a bias below one in four billion.
            Order::Drawn(draws) => (u64::from(draws.next_u32()) * self.below) >> 32,
            Order::Rising { first, next } => {
                let number = *next;
                *next = if number + 1 < self.below {
                    number + 1
                } else {
                    *first
                };
                number
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_resp_with_its_numbers_in_place() {
        let mut template = Template::new(&["SET", "key:{}", "v"]).repeated(2);
        let bytes = template.draw(&mut Numbers::rising_from(7, 100)).to_vec();
        let one = |number| format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:{number:012}\r\n$1\r\nv\r\n");
        assert_eq!(String::from_utf8(bytes).unwrap(), one(7) + &one(8));
    }

    #[test]
    fn the_same_seed_draws_the_same_numbers_within_the_bound() {
        let draw = |seed| {
            let mut numbers = Numbers::uniform(1000, seed);
            (0..500).map(|_| numbers.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|number| *number < 1000));
        assert!(draw(1).iter().any(|number| *number > 900));
    }

    #[test]
    fn rising_numbers_begin_again() {
        let mut numbers = Numbers::rising(3);
        assert_eq!([0, 1, 2, 0], [(); 4].map(|()| numbers.next()));
        let mut numbers = Numbers::rising_from(7, 9);
        assert_eq!([7, 8, 7, 8], [(); 4].map(|()| numbers.next()));
    }
}
