//! Tables whose keys somebody has chosen for their hashes.

use super::*;

/// Numbers whose hashes are the same.
fn chosen(count: u64) -> Vec<Value> {
    // The multiplier times its inverse is 1, so that products are small numbers.
    let mut inverse = 1_u64;
    for _ in 0..6 {
        let product = inverse.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(product));
    }
    let numbers = (1..).map(|number: u64| {
        let mixed = number.wrapping_mul(inverse);
        let high = mixed ^ mixed >> 29;
        f64::from_bits(high ^ (mixed >> 58))
    });
    let plain = numbers.filter(|number| !number.is_nan() && array_place(*number).is_none());
    let same = plain.map(Value::Number).filter(|key| hash(*key) == 0);
    same.take(count as usize).collect()
}

#[test]
fn keys_that_are_chosen_for_their_hashes_are_found_in_order() {
    let keys = chosen(2000);
    let mut table = Table::default();
    let mut bytes = table.bytes();
    for key in &keys {
        bytes += table.set(*key, Value::Boolean(true));
        bytes += table.set(Value::Boolean(true), *key);
    }
    assert!(table.order.is_some());
    assert_eq!(bytes, table.bytes());
    assert!(
        keys.iter()
            .all(|key| table.get(*key) == Value::Boolean(true))
    );
    assert_eq!(table.get(Value::Number(0.5)), Value::Nil);
    for key in keys.iter().skip(5) {
        table.set(*key, Value::Nil);
    }
    for number in 0..3000_u32 {
        table.set(Value::String(StringRef(number)), Value::Boolean(false));
    }
    let mut walked = 0;
    let mut last = Value::Nil;
    while let Some((key, value)) = table.next(last).unwrap().pair {
        assert_eq!(table.get(key), value);
        (last, walked) = (key, walked + 1);
    }
    assert_eq!(walked, 5 + 1 + 3000);
}

#[test]
fn keys_of_chance_are_found_by_their_hashes() {
    let mut table = Table::default();
    for number in 0..100_000_u32 {
        table.set(Value::String(StringRef(number)), Value::Boolean(true));
        table.set(Value::Number(-f64::from(number)), Value::Boolean(true));
        table.set(Value::Number(f64::from(number) / 7.0), Value::Boolean(true));
    }
    assert!(table.order.is_none());
}
