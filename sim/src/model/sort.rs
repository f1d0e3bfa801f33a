//! SORT and SORT_RO, by the plainest means.

use std::cmp::Ordering;

use super::{Answer, Call, Datum, SYNTAX, WRONG_TYPE, Want, zsets};

/// The words of a request.
#[derive(Debug, Default)]
struct Words {
    descends: bool,
    is_alpha: bool,
    by: Option<Vec<u8>>,
    gets: Vec<Vec<u8>>,
    limit: Option<(i64, i64)>,
    target: Option<Vec<u8>>,
}

impl Words {
    fn read(call: &Call<'_>) -> Result<Self, String> {
        let mut words = Self::default();
        let may_store = call.name() == "sort";
        let mut place = 2;
        while place < call.args.len() {
            let left = call.args.len() - place - 1;
            let next = call.arg(place + 1);
            place += match (&call.word(place)[..], left) {
                ("asc", _) => {
                    words.descends = false;
                    1
                }
                ("desc", _) => {
                    words.descends = true;
                    1
                }
                ("alpha", _) => {
                    words.is_alpha = true;
                    1
                }
                ("limit", 2..) => {
                    words.limit = Some((call.integer(place + 1)?, call.integer(place + 2)?));
                    3
                }
                ("store", 1..) if may_store => {
                    words.target = Some(next);
                    2
                }
                ("by", 1..) => {
                    words.by = Some(next);
                    2
                }
                ("get", 1..) => {
                    words.gets.push(next);
                    2
                }
                _ => return Err(SYNTAX.to_owned()),
            };
        }
        Ok(words)
    }
}

/// The text that a pattern finds for an item.
fn find(call: &Call<'_>, pattern: &[u8], item: &[u8]) -> Option<Vec<u8>> {
    if pattern == b"#" {
        return Some(item.to_vec());
    }
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let behind = &pattern[star + 1..];
    let arrow = (0..behind.len()).find(|at| behind[*at..].starts_with(b"->"));
    let arrow = arrow.filter(|at| at + 2 < behind.len());
    let end = arrow.unwrap_or(behind.len());
    let key = [&pattern[..star], item, &behind[..end]].concat();
    match (call.get(&key).map(|item| &item.datum), arrow) {
        (Some(Datum::Text(text, _)), None) => Some(text.clone()),
        (Some(Datum::Hash(fields)), Some(at)) => fields.get(&behind[at + 2..]).cloned(),
        _ => None,
    }
}

/// A number as `strtod` reads one.
fn number(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let blanks = text
        .iter()
        .take_while(|byte| b" \t\n\x0b\x0c\r".contains(byte));
    let digits = &text[blanks.count()..];
    if text.is_empty() {
        return Some(0.0);
    }
    zsets::float(digits)
}

pub(super) fn sort(call: &mut Call<'_>) -> Answer {
    let words = Words::read(call)?;
    let datum = call.get(&call.arg(1)).map(|item| item.datum.clone());
    let is_set = matches!(datum, Some(Datum::Set(_)));
    let mut items: Vec<Vec<u8>> = match datum {
        None => Vec::new(),
        Some(Datum::List(items)) => items,
        Some(Datum::Set(members)) => members.into_iter().collect(),
        Some(Datum::Zset(members)) => {
            let members = zsets::sorted(&members).into_iter();
            members.map(|(member, _)| member).collect()
        }
        Some(Datum::Text(..) | Datum::Hash(_)) => return Err(WRONG_TYPE.to_owned()),
    };
    let is_constant = words.by.as_ref().is_some_and(|by| !by.contains(&b'*'));
    let stored_set = is_constant && is_set && words.target.is_some();
    let by = words.by.clone().filter(|_| !stored_set);
    let is_sorted = !is_constant || stored_set;
    if is_sorted {
        items = in_order(call, items, &words, by.as_deref(), stored_set, is_set)?;
    } else if words.descends {
        items.reverse();
    }
    let (offset, count) = words.limit.unwrap_or((0, -1));
    let offset = usize::try_from(offset.max(0)).expect("it is not negative");
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let all = items.clone();
    let items: Vec<Vec<u8>> = items.into_iter().skip(offset).take(count).collect();
    let found: Vec<Option<Vec<u8>>> = items
        .iter()
        .flat_map(|item| {
            let gets = words.gets.iter().map(|get| find(call, get, item));
            let found: Vec<_> = gets.collect();
            if found.is_empty() {
                vec![Some(item.clone())]
            } else {
                found
            }
        })
        .collect();
    if let Some(target) = &words.target {
        let found: Vec<Vec<u8>> = found.into_iter().map(Option::unwrap_or_default).collect();
        let len = found.len() as i64;
        if found.is_empty() {
            call.remove(target);
        } else {
            call.put(target, Datum::List(found), None);
        }
        return Ok(Want::Integer(len));
    }
    // Members of a set that nothing puts in order stand in one that the model does not know.
    if !is_sorted && is_set && all.len() > 1 {
        return Ok(if words.gets.is_empty() {
            let (from, count) = (all, items.len());
            let repeats = false;
            Want::Chosen {
                from,
                count,
                repeats,
            }
        } else {
            Want::Anything
        });
    }
    let found = found.iter().map(|text| Want::bulk_or_null(text.as_deref()));
    Ok(Want::Array(found.collect()))
}

fn in_order(
    call: &Call<'_>,
    items: Vec<Vec<u8>>,
    words: &Words,
    by: Option<&[u8]>,
    stored_set: bool,
    is_set: bool,
) -> Result<Vec<Vec<u8>>, String> {
    let weighed = items.into_iter().map(|item| {
        let weight = match by {
            Some(by) => find(call, by, &item),
            None => Some(item.clone()),
        };
        (item, weight)
    });
    let weighed: Vec<(Vec<u8>, Option<Vec<u8>>)> = weighed.collect();
    let mut all = Vec::new();
    for (item, weight) in weighed {
        let score = match &weight {
            _ if words.is_alpha || stored_set => 0.0,
            None => 0.0,
            Some(text) => {
                number(text).ok_or("ERR One or more scores can't be converted into double")?
            }
        };
        all.push((item, weight, score));
    }
    all.sort_by(|(a, a_text, a_score), (b, b_text, b_score)| {
        let order = if words.is_alpha || stored_set {
            let tie = if is_set { a.cmp(b) } else { Ordering::Equal };
            a_text.cmp(b_text).then(tie)
        } else {
            let order = a_score.partial_cmp(b_score).expect("no number is NaN");
            order.then_with(|| a.cmp(b))
        };
        if words.descends {
            order.reverse()
        } else {
            order
        }
    });
    Ok(all.into_iter().map(|(item, ..)| item).collect())
}
