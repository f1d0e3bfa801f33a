//! Programs that are none, or others: a word is taken out, doubled, or put in.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const WORDS: [&str; 40] = [
    "end", "then", "do", "=", "==", "local", "return", "break", "(", ")", "{", "}", "[", "]", ",",
    ";", "..", "...", "function", "if", "else", "elseif", "for", "in", "while", "repeat", "until",
    "nil", "not", "and", "'", "\"", "[[", "]]", "--", "0x", "1e", "3..2", "~", "\\",
];

/// The same text with something wrong, as a rule.
pub(super) fn spoilt(text: &str, dice: &mut ChaCha8Rng) -> String {
    let words: Vec<&str> = text.split_inclusive([' ', '\n', '(', ')', ',']).collect();
    let place = dice.random_range(0..words.len().max(1));
    let mut spoilt: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    match dice.random_range(0..4) {
        0 if !spoilt.is_empty() => {
            spoilt.remove(place);
        }
        1 if !spoilt.is_empty() => spoilt.insert(place, words[place].to_owned()),
        2 => spoilt.truncate(place),
        _ => {
            let word = WORDS[dice.random_range(0..WORDS.len())];
            spoilt.insert(place, format!(" {word} "));
        }
    }
    spoilt.concat()
}
