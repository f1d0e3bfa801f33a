//! Both forms against each other, and strings that somebody has set.

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as some;
use proptest::prelude::*;

use super::layout::{HEAD_BYTES, REGISTERS};
use super::value;
use crate::store::Text;

/// Elements, few or so many that the sparse form does not hold them.
fn elements() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![some(any::<u32>(), 0..40), some(any::<u32>(), 0..3000)]
}

/// The registers of a string.
fn registers(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut registers = vec![0; REGISTERS];
    value::join(&mut registers, bytes).ok()?;
    Some(registers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn both_forms_tell_the_same(elements in elements()) {
        let (mut sparse, mut dense) = (value::empty(), value::empty());
        value::make_dense(&mut dense).unwrap();
        for element in elements {
            let element = element.to_le_bytes();
            let changed = value::add(&mut sparse, &element).unwrap();
            prop_assert_eq!(value::add(&mut dense, &element).unwrap(), changed);
            prop_assert!(value::is_dense(&sparse) || sparse.len() <= 3000);
        }
        value::forget_count(&mut sparse);
        value::forget_count(&mut dense);
        prop_assert_eq!(registers(&sparse), registers(&dense));
        prop_assert_eq!(value::count(&sparse).unwrap(), value::count(&dense).unwrap());
        let all = registers(&sparse).unwrap();
        prop_assert_eq!(value::count(&dense).unwrap(), value::count_of(&all));
        value::make_dense(&mut sparse).unwrap();
        prop_assert_eq!(sparse, dense);
    }
}

proptest! {
    #[test]
    fn any_string_is_judged_without_a_panic(
        form in 0_u8..3,
        body in prop_oneof![some(any::<u8>(), 0..200), some(0x70_u8..0x90, 0..40)],
        is_whole: bool,
        elements in some(any::<u16>(), 0..20),
    ) {
        let mut bytes = b"HYLL".to_vec();
        bytes.push(form);
        bytes.resize(HEAD_BYTES, 0x80);
        bytes.extend_from_slice(&body);
        if is_whole && form == 0 {
            bytes.resize(HEAD_BYTES + REGISTERS * 6 / 8, 0xff);
        }
        if let Ok(read) = value::read(Text::Bytes(&bytes)) {
            let mut read = read.into_owned();
            let is_whole = registers(&read).is_some();
            prop_assert_eq!(value::count(&read).is_ok(), is_whole);
            let _ = super::decoded(&read);
            for element in elements {
                let added = value::add(&mut read, &element.to_le_bytes());
                prop_assert!(added.is_ok() || !is_whole);
            }
            prop_assert_eq!(value::make_dense(&mut read).is_ok(), is_whole);
        }
    }
}
