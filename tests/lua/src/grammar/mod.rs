//! Programs by chance: what a seed writes.
//!
//! A program is bounded: its loops count, its functions call only those that stand before them, its
//! strings are cut. It says what it has seen in a text that depends on no order and no address.

mod expressions;
mod patterns;
mod spoil;
mod statements;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The front of each program: how values are shown, and strings kept short.
const HEAD: &str = "\
local out = {}
local function show(v, d)
  local t = type(v)
  if t == 'string' then return string.format('%q', v) end
  if t == 'number' then return string.format('%.14g', v) end
  if t ~= 'table' then return t == 'boolean' and tostring(v) or t end
  if d > 3 then return '{..}' end
  local parts = {}
  for k, e in pairs(v) do parts[#parts + 1] = show(k, d + 1) .. '=' .. show(e, d + 1) end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end
local function say(...)
  if #out > 400 then return end
  local line = {}
  for i = 1, select('#', ...) do line[i] = show((select(i, ...)), 0) end
  out[#out + 1] = table.concat(line, ' ')
end
local function text(v)
  if type(v) == 'table' or type(v) == 'function' or type(v) == 'thread' then return type(v) end
  return tostring(v)
end
local function known(n) if n ~= n then return 0 end return n end
local function cut(s) if type(s) == 'string' then return (string.sub(s, 1, 60)) end return s end
";

const TAIL: &str = "return table.concat(out, '\\n')\n";

/// The program of a seed.
pub(crate) fn program(seed: u64) -> String {
    let mut writer = Writer {
        dice: ChaCha8Rng::seed_from_u64(seed),
        text: HEAD.to_owned(),
        locals: Vec::new(),
        names: 0,
        depth: 0,
        loops: 0,
        is_variadic: false,
    };
    let statements = writer.below(9) + 3;
    writer.statements(statements as usize);
    let is_spoilt = writer.chance(6);
    let Writer { mut dice, text, .. } = writer;
    let body = text.strip_prefix(HEAD).unwrap_or_default();
    let body = if is_spoilt {
        spoil::spoilt(body, &mut dice)
    } else {
        body.to_owned()
    };
    format!("{HEAD}{body}{TAIL}")
}

/// The kinds of values that names hold, as far as the writer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Truth,
    /// A table of which only the places from 1 on are used, without holes.
    List,
    /// A table with names.
    Map,
    Function,
    Any,
}

const KINDS: [Kind; 7] = [
    Kind::Number,
    Kind::Text,
    Kind::Truth,
    Kind::List,
    Kind::Map,
    Kind::Function,
    Kind::Any,
];

struct Writer {
    dice: ChaCha8Rng,
    text: String,
    /// The names in scope; those of loops are not assigned to.
    locals: Vec<(String, Kind, bool)>,
    names: u32,
    depth: u32,
    loops: u32,
    /// The function that is being written takes any number of arguments.
    is_variadic: bool,
}

impl Writer {
    fn below(&mut self, end: u32) -> u32 {
        self.dice.random_range(0..end)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    fn kind(&mut self) -> Kind {
        self.pick(&KINDS)
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn new_name(&mut self) -> String {
        self.names += 1;
        let letters = ["a", "n", "s", "value", "item"];
        let letter = self.pick(&letters);
        format!("{letter}{}", self.names)
    }

    /// A name in scope that holds this kind.
    fn known(&mut self, kind: Kind) -> Option<String> {
        let is_fit = |of: &Kind| kind == Kind::Any || *of == kind;
        let fit: Vec<&String> = self
            .locals
            .iter()
            .filter(|one| is_fit(&one.1))
            .map(|one| &one.0)
            .collect();
        if fit.is_empty() {
            return None;
        }
        let place = self.dice.next_u32() as usize % fit.len();
        Some(fit[place].clone())
    }

    /// Writes something within a scope of its own.
    fn within(&mut self, write: impl FnOnce(&mut Self)) {
        let (count, was_variadic) = (self.locals.len(), self.is_variadic);
        self.depth += 1;
        write(self);
        self.depth -= 1;
        self.locals.truncate(count);
        self.is_variadic = was_variadic;
    }
}
