//! Expressions, as a rule of the kind that is wanted.

use super::{KINDS, Kind, Writer};

const NUMBERS: [&str; 24] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "-1",
    "0.5",
    "1.5",
    "3.0",
    "100",
    "255",
    "1e3",
    "0x10",
    "1e15",
    "2^53",
    "-0.25",
    "1e100",
    "0.1",
    "4294967296",
    "(1/0)",
    "-7",
    "12345.678",
    "1e-5",
];
const TEXTS: [&str; 26] = [
    "''",
    "'a'",
    "'b'",
    "'abc'",
    "'Hello World'",
    "'10'",
    "' 0x1F '",
    "'1e2'",
    "'a,b,,c'",
    "'x=1, y=2'",
    "\"it's\"",
    "'\\n\\t\\\\'",
    "'\\0z'",
    "'\\255\\200'",
    "[[long text]]",
    "[==[]]]==]",
    "'(a(b)c)'",
    "'aXbXc'",
    "'  trim  '",
    "'%d'",
    "'-5'",
    "'0.1'",
    "'\\065'",
    "'a.b'",
    "'inf'",
    "'nan'",
];
const NAMES: [&str; 6] = ["x", "y", "size", "a", "b", "n"];

impl Writer {
    /// An expression of this kind; now and then of another.
    pub(super) fn expression(&mut self, kind: Kind) -> String {
        let kind = if kind == Kind::Any || self.chance(3) {
            self.kind()
        } else {
            kind
        };
        if self.chance(3) {
            return self
                .pick(&["nil", "absent", "{}", "say", "cut", "''", "(nil)"])
                .to_owned();
        }
        if self.chance(35)
            && let Some(name) = self.known(kind)
        {
            return name;
        }
        if self.depth > 5 {
            return self.leaf(kind);
        }
        self.depth += 1;
        let text = match kind {
            Kind::Number => self.number(),
            Kind::Text => self.word(),
            Kind::Truth => self.truth(),
            Kind::List => self.list(),
            Kind::Map => self.map(),
            Kind::Function => self.function(),
            Kind::Any => self.anything(),
        };
        self.depth -= 1;
        text
    }

    pub(super) fn of(&mut self, kind: Kind) -> String {
        self.expression(kind)
    }

    fn leaf(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Number => self.pick(&NUMBERS),
            Kind::Text => self.pick(&TEXTS),
            Kind::Truth => self.pick(&["true", "false", "nil"]),
            Kind::List => self.pick(&["{1, 2, 3}", "{}", "{'a', 'b'}", "{5}"]),
            Kind::Map => self.pick(&["{x = 1}", "{a = 'b', n = 2}", "{}"]),
            Kind::Function => self.pick(&["text", "type", "tonumber", "string.upper", "math.abs"]),
            Kind::Any => self.pick(&["nil", "1", "'s'", "true"]),
        }
        .to_owned()
    }

    fn number(&mut self) -> String {
        match self.below(24) {
            0..5 => self.pick(&NUMBERS).to_owned(),
            5..11 => {
                let sign = self.pick(&["+", "-", "*", "/", "%", "^", "+", "-", "*"]);
                let (one, other) = (self.of(Kind::Number), self.of(Kind::Number));
                self.joined(&one, sign, &other)
            }
            11 => format!("-{}", self.bracketed(Kind::Number)),
            12 => format!("#{}", self.bracketed(Kind::Text)),
            13 => format!("#{}", self.bracketed(Kind::List)),
            14 => {
                let name = self.pick(&["floor", "ceil", "abs", "sqrt", "modf", "frexp"]);
                format!("math.{name}({})", self.of(Kind::Number))
            }
            15 => {
                let name = self.pick(&["max", "min", "fmod", "ldexp"]);
                let (one, other) = (self.of(Kind::Number), self.of(Kind::Number));
                format!("math.{name}({one}, {other})")
            }
            16 => {
                let base = self.pick(&["", "", ", 16", ", 2", ", 36", ", 10"]);
                format!("tonumber({}{base})", self.of(Kind::Text))
            }
            17 => format!(
                "string.byte({}, {})",
                self.of(Kind::Text),
                self.of(Kind::Number)
            ),
            18 => {
                let plain = self.pick(&["", ", 1", ", 2", ", 1, true", ", -3"]);
                let pattern = self.pattern();
                format!("string.find({}, {pattern}{plain})", self.of(Kind::Text))
            }
            19 => {
                let list = self.bracketed(Kind::List);
                format!("{list}[ {}]", self.of(Kind::Number))
            }
            20 => format!("select({}, 1, {})", self.of(Kind::Any), self.of(Kind::Any)),
            21 => {
                let place = self.pick(&["'#'", "1", "-1", "2"]);
                let what = if self.is_variadic { "..." } else { "1, 2, nil" };
                format!("select({place}, {what})")
            }
            22 => self.call(),
            _ => {
                let (a, b) = (self.of(Kind::Number), self.of(Kind::Number));
                let truth = self.bracketed(Kind::Truth);
                format!("({truth} and {a} or {b})")
            }
        }
    }

    fn word(&mut self) -> String {
        match self.below(22) {
            0..5 => self.pick(&TEXTS).to_owned(),
            5..8 => {
                let kind = self.pick(&[Kind::Text, Kind::Text, Kind::Number]);
                let (one, other) = (self.of(Kind::Text), self.of(kind));
                format!("cut({})", self.joined(&one, "..", &other))
            }
            8 => {
                let (form, kinds) = self.form();
                let mut call = format!("cut(string.format({form}");
                for kind in kinds {
                    call.push_str(", ");
                    call.push_str(&self.shown(kind));
                }
                call.push_str("))");
                call
            }
            9 => {
                let text = self.of(Kind::Text);
                format!(
                    "string.sub({text}, {}, {})",
                    self.of(Kind::Number),
                    self.of(Kind::Number)
                )
            }
            10 => {
                let name = self.pick(&["upper", "lower", "reverse", "len"]);
                format!("string.{name}({})", self.of(Kind::Text))
            }
            11 => {
                let times = self.below(5);
                format!("cut(string.rep({}, {times}))", self.of(Kind::Text))
            }
            12 => {
                let pattern = self.pattern();
                format!("string.match({}, {pattern})", self.of(Kind::Text))
            }
            13..15 => {
                let (pattern, with) = (self.pattern(), self.replacement());
                let most = self.pick(&["", "", ", 1", ", 2", ", 0"]);
                format!(
                    "cut(string.gsub({}, {pattern}, {with}{most}))",
                    self.of(Kind::Text)
                )
            }
            15 => format!("tostring({})", self.shown(Kind::Any)),
            16 => {
                let between = self.pick(&["", ", ','", ", ', ', 2", ", '', 1, 2", ", '', 2, 9"]);
                format!("cut(table.concat({}{between}))", self.of(Kind::List))
            }
            17 => format!("type({})", self.of(Kind::Any)),
            18 => {
                let bytes = self.pick(&["65, 66", "0, 255", "", "256", "97"]);
                format!("string.char({bytes})")
            }
            19 => format!("{}.{}", self.bracketed(Kind::Map), self.pick(&NAMES)),
            20 => {
                let name = self.pick(&[
                    "upper()",
                    "len()",
                    "sub(2)",
                    "rep(2)",
                    "byte()",
                    "nothing()",
                ]);
                format!("({}):{name}", self.of(Kind::Text))
            }
            _ => self.call(),
        }
    }

    fn truth(&mut self) -> String {
        match self.below(12) {
            0..2 => self.pick(&["true", "false", "nil"]).to_owned(),
            2..6 => {
                let sign = self.pick(&["==", "~=", "<", "<=", ">", ">="]);
                let kind = self.pick(&[Kind::Number, Kind::Text, Kind::Any, Kind::Number]);
                let (one, other) = (self.of(kind), self.of(kind));
                self.joined(&one, sign, &other)
            }
            6 => format!("not {}", self.bracketed(Kind::Any)),
            7..9 => {
                let sign = self.pick(&["and", "or"]);
                let (one, other) = (self.of(Kind::Any), self.of(Kind::Truth));
                self.joined(&one, sign, &other)
            }
            9 => format!("rawequal({}, {})", self.of(Kind::Any), self.of(Kind::Any)),
            10 => format!("next({}) == nil", self.of(Kind::Map)),
            _ => format!("pcall({}, {})", self.of(Kind::Function), self.of(Kind::Any)),
        }
    }

    fn list(&mut self) -> String {
        let count = self.below(4);
        let kind = self.pick(&[Kind::Number, Kind::Text, Kind::Number, Kind::Any]);
        let mut items: Vec<String> = (0..count).map(|_| self.of(kind)).collect();
        // What is nil would leave a hole.
        for item in &mut items {
            *item = format!("{} or 0", wrapped(item));
        }
        if self.is_variadic && self.chance(10) {
            return "{...}".to_owned();
        }
        format!("{{{}}}", items.join(self.pick(&[", ", "; "])))
    }

    fn map(&mut self) -> String {
        let mut parts = Vec::new();
        for _ in 0..self.below(4) {
            let name = self.pick(&NAMES);
            let kind = self.kind();
            let value = self.of(kind);
            let key = match self.below(4) {
                0..2 => name.to_owned(),
                2 => format!("['{name}']"),
                _ => format!("[ {}]", self.of(Kind::Text)),
            };
            parts.push(format!("{key} = {value}"));
        }
        let map = format!("{{{}}}", parts.join(", "));
        if self.chance(25) {
            let behind = self.metatable();
            return format!("setmetatable({map}, {behind})");
        }
        map
    }

    pub(super) fn metatable(&mut self) -> String {
        let mut parts = Vec::new();
        for _ in 0..=self.below(3) {
            let part = match self.below(14) {
                0 => format!("__index = {}", self.of(Kind::Map)),
                1 => "__index = function(t, k) return type(k) end".to_owned(),
                2 => "__newindex = function(t, k, v) rawset(t, k, v) end".to_owned(),
                3 => format!("__newindex = {}", self.of(Kind::Map)),
                4 => "__call = function(self, ...) return select('#', ...), ... end".to_owned(),
                5 => "__tostring = function() return 'shown' end".to_owned(),
                6 => "__concat = function(a, b) return type(a) .. type(b) end".to_owned(),
                7 => "__unm = function() return 'minus' end".to_owned(),
                8 => "__eq = function() return true end".to_owned(),
                9 => "__lt = function() return 1 end".to_owned(),
                10 => "__le = function(a, b) return nil end".to_owned(),
                11 => "__metatable = 'locked'".to_owned(),
                12 => "__len = function() return 42 end".to_owned(),
                _ => {
                    let name = self.pick(&["add", "sub", "mul", "div", "mod", "pow"]);
                    format!("__{name} = function(a, b) return type(a) .. '{name}' .. type(b) end")
                }
            };
            parts.push(part);
        }
        format!("{{{}}}", parts.join(", "))
    }

    fn function(&mut self) -> String {
        if self.chance(30) {
            return self.leaf(Kind::Function);
        }
        let kind = self.kind();
        let mut text = String::new();
        self.within(|writer| {
            let (one, other) = (writer.new_name(), writer.new_name());
            writer.locals.push((one.clone(), Kind::Any, true));
            writer.locals.push((other.clone(), Kind::Any, true));
            writer.is_variadic = writer.chance(25);
            let (dots, result) = if writer.is_variadic {
                (", ...", ", ...")
            } else {
                ("", "")
            };
            let value = writer.of(kind);
            text = format!("function({one}, {other}{dots}) return {value}{result} end");
        });
        text
    }

    fn anything(&mut self) -> String {
        match self.below(8) {
            0 => self.call(),
            1 => format!("{}.{}", self.bracketed(Kind::Map), self.pick(&NAMES)),
            2 => format!("{}[ {}]", self.bracketed(Kind::Map), self.of(Kind::Any)),
            3 => format!("rawget({}, {})", self.of(Kind::Map), self.of(Kind::Text)),
            4 => format!("type(getmetatable({}))", self.of(Kind::Any)),
            5 => {
                let kind = self.kind();
                format!("assert({})", self.of(kind))
            }
            6 => {
                let kind = self.kind();
                format!("({})", self.of(kind))
            }
            _ => {
                let kind = self.kind();
                let text = self.of(kind);
                self.loaded(&text)
            }
        }
    }

    /// A call of something in scope.
    pub(super) fn call(&mut self) -> String {
        let name = self
            .known(Kind::Function)
            .unwrap_or_else(|| "tostring".to_owned());
        if name == "tostring" {
            return format!("tostring({})", self.shown(Kind::Any));
        }
        let arguments = self.arguments();
        if self.chance(15) {
            let map = self.bracketed(Kind::Map);
            return format!("{map}:{}({arguments})", self.pick(&NAMES));
        }
        format!("{name}({arguments})")
    }

    fn arguments(&mut self) -> String {
        let count = self.below(3);
        let mut all: Vec<String> = (0..count)
            .map(|_| {
                let kind = self.pick(&KINDS);
                self.of(kind)
            })
            .collect();
        if self.is_variadic && self.chance(20) {
            all.push("...".to_owned());
        }
        all.join(", ")
    }

    /// An expression that is compiled while the program runs.
    fn loaded(&mut self, text: &str) -> String {
        if text.contains("]]") || text.contains("[[") || text.contains("...") {
            return self.leaf(Kind::Any);
        }
        let name = self.pick(&["", ", '=chunk'", ", '@file'", ", 'text\\nmore'"]);
        format!("assert(loadstring([[return {text}]]{name}))()")
    }

    /// A value that is shown as text: no table and no function, which would show addresses.
    fn shown(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Number | Kind::Text => {
                let text = self.leaf(kind);
                if self.chance(60) {
                    return text;
                }
                match kind {
                    Kind::Number => format!("known({} + 0)", self.of(Kind::Number)),
                    _ => format!("('' .. {})", self.wrapped_of(Kind::Text)),
                }
            }
            _ => {
                let kind = self.pick(&[Kind::Number, Kind::Text, Kind::Truth]);
                self.leaf(kind)
            }
        }
    }

    fn wrapped_of(&mut self, kind: Kind) -> String {
        let text = self.of(kind);
        wrapped(&text)
    }

    /// An expression that may be indexed or called.
    pub(super) fn bracketed(&mut self, kind: Kind) -> String {
        match self.known(kind) {
            Some(name) if self.chance(70) => name,
            _ => self.wrapped_of(kind),
        }
    }

    fn joined(&mut self, one: &str, sign: &str, other: &str) -> String {
        match self.below(4) {
            0 => format!("{one} {sign} {other}"),
            1 => format!("({one}) {sign} {other}"),
            2 => format!("{one} {sign} ({other})"),
            _ => format!("({one} {sign} {other})"),
        }
    }
}

fn wrapped(text: &str) -> String {
    format!("({text})")
}
