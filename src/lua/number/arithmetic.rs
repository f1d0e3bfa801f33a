//! Arithmetic that processors and libraries of C do not all do alike.

/// `one % other`, whose sign is that of `other`.
#[inline]
pub(in crate::lua) fn modulo(one: f64, other: f64) -> f64 {
    const EXACT: f64 = 4_503_599_627_370_496.0;
    if one.abs() < EXACT && other.abs() < EXACT {
        let (whole, by) = (one as i64, other as i64);
        if whole as f64 == one && by as f64 == other && by > 0 && whole > 0 {
            return (whole % by) as f64;
        }
    }
    one - libm::floor(one / other) * other
}

/// `one ^ other`.
#[inline]
pub(in crate::lua) fn power(one: f64, other: f64) -> f64 {
    if other == 2.0 {
        return one * one;
    }
    libm::pow(one, other)
}

/// The bits of a number. Those of a NaN are always the same: processors make NaNs of either sign.
pub(in crate::lua) fn bits(number: f64) -> u64 {
    if number.is_nan() {
        0xfff8_0000_0000_0000
    } else {
        number.to_bits()
    }
}

/// The same in 32 bits.
pub(in crate::lua) fn short_bits(number: f64) -> u32 {
    if number.is_nan() {
        0xffc0_0000
    } else {
        (number as f32).to_bits()
    }
}
