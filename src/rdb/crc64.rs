//! The checksum of Redis's payloads: CRC-64 by the polynomial of Jones, from 0 on.

/// The polynomial, with its bits in the order in which they are met.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// The tables for eight bytes at a time: what becomes of a byte that so many others stand behind.
static TABLES: [[u64; 256]; 8] = tables();

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 {
                sum >> 1 ^ POLYNOMIAL
            } else {
                sum >> 1
            };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut behind = 1;
    while behind < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[behind - 1][byte];
            tables[behind][byte] = tables[0][(before & 0xff) as usize] ^ before >> 8;
            byte += 1;
        }
        behind += 1;
    }
    tables
}

/// The checksum of all bytes so far, of which `sum` is that of those before these.
#[must_use]
pub fn extended(mut sum: u64, bytes: &[u8]) -> u64 {
    let (groups, rest) = bytes.as_chunks::<8>();
    for group in groups {
        sum ^= u64::from_le_bytes(*group);
        let mut next = 0;
        for (behind, byte) in sum.to_le_bytes().iter().rev().enumerate() {
            next ^= TABLES[behind][usize::from(*byte)];
        }
        sum = next;
    }
    for byte in rest {
        sum = TABLES[0][usize::from(sum as u8 ^ byte)] ^ sum >> 8;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_catalogue_however_the_bytes_come() {
        assert_eq!(extended(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        let bytes: Vec<u8> = (0..100).collect();
        let whole = extended(0, &bytes);
        for cut in 0..bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(extended(extended(0, front), back), whole);
        }
    }
}
