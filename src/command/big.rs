//! Natural numbers of any size, as far as reading and printing extended floats needs them.

use alloc::vec;
use alloc::vec::Vec;

/// A natural number: digits to the base 2^32, the lowest first, none of the highest being zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Big(Vec<u32>);

impl Big {
    /// The number `value`.
    pub(super) fn new(value: u64) -> Self {
        let mut made = Self(vec![value as u32, (value >> 32) as u32]);
        made.trim();
        made
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Returns true if it is zero.
    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bits it has, the highest being one.
    pub(super) fn bits(&self) -> u32 {
        match self.0.last() {
            None => 0,
            Some(top) => self.0.len() as u32 * 32 - top.leading_zeros(),
        }
    }

    /// Multiplies by `factor` and adds `more`.
    pub(super) fn multiply_add(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for digit in &mut self.0 {
            let sum = u64::from(*digit) * u64::from(factor) + carry;
            *digit = sum as u32;
            carry = sum >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        self.trim();
    }

    /// Multiplies by 10 to the power of `power`.
    pub(super) fn multiply_power_of_ten(&mut self, mut power: u32) {
        while power >= 9 {
            self.multiply_add(1_000_000_000, 0);
            power -= 9;
        }
        self.multiply_add(10_u32.pow(power), 0);
    }

    /// Multiplies by 2 to the power of `places`.
    #[must_use]
    pub(super) fn shifted(&self, places: u32) -> Self {
        if self.is_zero() {
            return Self::default();
        }
        let mut digits = vec![0; places as usize / 32];
        let within = places % 32;
        let mut carry = 0_u64;
        for digit in &self.0 {
            let wide = u64::from(*digit) << within | carry;
            digits.push(wide as u32);
            carry = wide >> 32;
        }
        digits.push(carry as u32);
        let mut made = Self(digits);
        made.trim();
        made
    }

    /// Halves it, rounding down.
    fn halve(&mut self) {
        let mut carry = 0;
        for digit in self.0.iter_mut().rev() {
            let low = *digit & 1;
            *digit = *digit >> 1 | carry << 31;
            carry = low;
        }
        self.trim();
    }

    /// Subtracts `other` where it is not larger; whether it was.
    fn try_subtract(&mut self, other: &Self) -> bool {
        let longer = self.0.len().cmp(&other.0.len());
        let order = longer.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()));
        if order.is_lt() {
            return false;
        }
        let mut borrow = 0_u64;
        for (place, digit) in self.0.iter_mut().enumerate() {
            let taken = u64::from(other.0.get(place).copied().unwrap_or(0)) + borrow;
            let (rest, under) = u64::from(*digit).overflowing_sub(taken);
            *digit = rest as u32;
            borrow = u64::from(under);
        }
        self.trim();
        true
    }

    /// The quotient by `divisor`, which must have at most 128 bits, and whether nothing is left
    /// over.
    pub(super) fn divide(mut self, divisor: &Self) -> (u128, bool) {
        let places = self.bits().saturating_sub(divisor.bits());
        let mut divisor = divisor.shifted(places);
        let mut quotient = 0;
        for _ in 0..=places {
            quotient = quotient << 1 | u128::from(self.try_subtract(&divisor));
            divisor.halve();
        }
        (quotient, self.is_zero())
    }

    /// Divides by `divisor`, rounding down, and gives what is left over.
    fn divide_small(&mut self, divisor: u32) -> u32 {
        let mut rest = 0_u64;
        for digit in self.0.iter_mut().rev() {
            let wide = rest << 32 | u64::from(*digit);
            *digit = (wide / u64::from(divisor)) as u32;
            rest = wide % u64::from(divisor);
        }
        self.trim();
        rest as u32
    }

    /// Its decimal digits, the lowest first; none for zero.
    pub(super) fn into_decimal(mut self) -> Vec<u8> {
        let mut digits = Vec::new();
        while !self.is_zero() {
            let mut nine = self.divide_small(1_000_000_000);
            for _ in 0..9 {
                digits.push(b'0' + (nine % 10) as u8);
                nine /= 10;
            }
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        digits
    }
}
