//! The bounds of a script: what it takes counts, whatever it is that takes it.

use alloc::string::String;
use alloc::vec::Vec;

use super::show;
use crate::lua::*;

/// The memory that scripts get here, and by how much small objects may exceed it.
const MEMORY: u64 = 4 << 20;
const SLACK: u64 = 300 << 10;

/// The end of a script.
struct End {
    /// Its results, or its error behind a `!`; `budget` if it came to no end.
    text: String,
    /// The instructions that it has used.
    used: u64,
}

/// Runs a script in slices, and checks that its memory keeps to its bound.
#[track_caller]
fn end_of(source: &str, budget: u64) -> End {
    let limits = ScriptLimits {
        memory_bytes: MEMORY,
        ..ScriptLimits::default()
    };
    let mut machine = Machine::new(limits, 0);
    machine.seal();
    machine.reset(1);
    let own = machine.memory_bytes();
    let function = machine.load(&compile(source.as_bytes(), "script").unwrap());
    machine.start(function, &[]);
    let mut out = Vec::new();
    loop {
        let left = budget.saturating_sub(machine.used());
        if left == 0 {
            out.extend_from_slice(b"budget");
            break;
        }
        let stop = machine.run(left.min(10_000));
        let bytes = machine.memory_bytes() - own;
        assert!(bytes <= MEMORY + SLACK, "{bytes} bytes: {source}");
        match stop {
            Stop::Paused => continue,
            Stop::Failed(error) => {
                out.push(b'!');
                show(&machine, error, &mut out);
            }
            Stop::Done => {
                for value in machine.results() {
                    show(&machine, *value, &mut out);
                    out.push(b' ');
                }
            }
            Stop::Call { function } => panic!("{function} is not there"),
        }
        break;
    }
    End {
        text: String::from_utf8_lossy(&out).trim_end().into(),
        used: machine.used(),
    }
}

/// Checks that scripts use at least so many instructions.
#[track_caller]
fn count(scripts: &[(u64, &str)]) {
    for (least, source) in scripts {
        let End { text, used } = end_of(source, 1_000_000);
        assert!(used >= *least, "{used}, {text}: {source}");
    }
}

/// Checks that scripts use up a budget, and exceed it by little.
#[track_caller]
fn never_end(scripts: &[&str]) {
    for source in scripts {
        let End { text, used } = end_of(source, 1_000_000);
        assert_eq!(text, "budget", "{source}");
        assert!(used < 1_300_000, "{used}: {source}");
    }
}

/// Checks that scripts end in the error of memory.
#[track_caller]
fn exhaust(scripts: &[&str]) {
    for source in scripts {
        let End { text, .. } = end_of(source, 50_000_000);
        assert!(text.ends_with("not enough memory"), "{text}: {source}");
    }
}

#[test]
fn decoders_ask_for_memory_while_they_build() {
    exhaust(&[
        "return cjson.decode('[' .. ('{},'):rep(3e5) .. '{}]')",
        "return cjson.decode('[' .. ('[1],'):rep(2e5) .. '{}]')",
        "return cmsgpack.unpack(('\\144'):rep(6000) .. '\\220\\255\\255' .. ('\\144'):rep(65535))",
        "return cmsgpack.unpack(('\\221\\0\\1\\255\\255' .. ('\\144'):rep(131071)))",
        "local t = {} for i = 1, 2e5 do
           t[i] = struct.unpack('c3000', ('x'):rep(3000 + i % 9)) .. i end",
    ]);
}

#[test]
fn tables_calls_and_kept_bytes_take_memory() {
    exhaust(&[
        "local t = {} for i = 1, 1e9 do t[-i] = i end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local t = {} for i = 2, 4e4 do t[i] = i end local u = {} for i = 1, 1e9 do u[i] = {} end",
        "return #(('x'):rep(2e5):gsub('x', ('y'):rep(50)))",
        "local s, t = ('x'):rep(1e6), {} for i = 1, 100 do t[i] = s:sub(i) end",
        "local s, t = ('x'):rep(1e6), {} for i = 1, 100 do t[i] = s:match('(.*)', i) end",
        "local keep, piece = {}, (' '):rep(1e5) for i = 1, 100 do
           local n = 0
           keep[i] = coroutine.wrap(function() load(function()
             n = n + 1 if n > 10 then coroutine.yield() end return piece end) end)
           keep[i]() end",
        "return loadstring(('x=1 '):rep(5e5))",
    ]);
}

#[test]
fn calls_take_memory() {
    let source = "local function f(n)
          if n == 0 then coroutine.yield() else return 1 + f(n - 1) end end
        local before, c = collectgarbage('count'), coroutine.wrap(f) c(2000)
        return collectgarbage('count') - before > 400";
    assert_eq!(end_of(source, 1_000_000).text, "true");
}

#[test]
fn memory_comes_back() {
    let scripts = [
        (
            "for i = 1, 200 do local s = ('x'):rep(1e5 + i):gsub('x+', '%0%0') end return 'done'",
            "done",
        ),
        (
            "for i = 1, 100 do pcall(string.gsub, ('x'):rep(1e5), 'x', function(c)
               error('no', 0) end) end return 'done'",
            "done",
        ),
        (
            "for i = 1, 50 do local c = coroutine.wrap(function()
               ('x'):rep(1e5):gsub('x+$', coroutine.yield) end) c() end return 'done'",
            "done",
        ),
        (
            "for i = 1, 50 do local t = {} for k = 1, 5000 do t[k] = {} end end return 'done'",
            "done",
        ),
    ];
    for (source, expected) in scripts {
        assert_eq!(end_of(source, 50_000_000).text, expected, "{source}");
    }
}

#[test]
fn errors_count_by_their_text_and_are_bounded() {
    count(&[
        (
            100_000,
            "local s = ('x'):rep(1e6) local c = coroutine.wrap(function()
               error(s, 0) end) pcall(c) pcall(error, s) pcall(assert, false, s)",
        ),
        (
            300_000,
            "local function f(n) if n > 0 then return (f(n - 1)) end
               for i = 1, 300 do pcall(error, 'x', 9000) end end f(9000)",
        ),
        (
            300_000,
            "local function f(n) if n > 0 then return (f(n - 1)) end
               for i = 1, 300 do pcall(getfenv, 9000) end end f(9000)",
        ),
    ]);
    exhaust(&["local s = ('x'):rep(1.9e6) error(s)"]);
    let wrapped = "local function f(n) if n == 0 then error(('x'):rep(1e5)) end
        local _, e = pcall(f, n - 1) error(e) end
        for i = 1, 10 do pcall(f, 100) end return 'done'";
    assert_eq!(end_of(wrapped, 50_000_000).text, "done");
}

#[test]
fn compiling_takes_time_by_the_length_of_the_source() {
    let long = "local s = 'local x = 1 return ' .. ('x and '):rep(60000) .. 'x'
        return loadstring(s)()";
    assert!(compile_of(long).ends_with('1'));
    let nested = "local p = {} for i = 1, 180 do
          p[#p + 1] = 'local function f() local ' .. ('aaaa,'):rep(180) .. 'aaaa ' end
        p[#p + 1] = ('zzzz=1 '):rep(20000) .. ('end '):rep(180)
        return loadstring(table.concat(p))";
    let refused = "chunk has too many variables around its functions";
    assert!(compile_of(nested).ends_with(refused));
    count(&[(
        400_000,
        "loadstring(('x=1 '):rep(25000)) loadstring(('x=1 '):rep(25000))",
    )]);
}

/// The end of a script that loads another, with memory for it.
fn compile_of(source: &str) -> String {
    let mut machine = Machine::new(ScriptLimits::default(), 0);
    let function = machine.load(&compile(source.as_bytes(), "script").unwrap());
    machine.start(function, &[]);
    assert_eq!(machine.run(100_000_000), Stop::Done);
    let mut out = Vec::new();
    for value in machine.results() {
        show(&machine, *value, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn sorting_can_be_stopped_and_counts_what_it_compares() {
    never_end(&[
        "local t = {} for i = 1, 60000 do t[i] = i % 3 == 0 and 0 / 0 or i % 100 end
           while true do table.sort(t) end",
        "local s = ('x'):rep(1e6) local a, b, t = s .. 'a', s .. 'b', {}
           for i = 1, 3000 do t[i] = i % 2 == 0 and a or b end table.sort(t) while true do end",
        "local t = {} for i = 1, 1000 do t[i] = i end
           while true do pcall(table.sort, t, function() return true end) end",
    ]);
    let refused = "local t = {} for i = 1, 100 do t[i] = i end
        return pcall(table.sort, t, function() return true end)";
    let text = end_of(refused, 1_000_000).text;
    assert_eq!(text, "false invalid order function for sorting");
    let sorted = "local t = {} for i = 1, 2000 do t[i] = ('x'):rep(1000) .. i * 7919 % 2003 end
        table.sort(t) for i = 2, #t do if t[i] < t[i - 1] then return 'unsorted' end end
        return 'sorted'";
    assert_eq!(end_of(sorted, 50_000_000).text, "sorted");
}

#[test]
fn patterns_count_the_items_of_sets_and_every_match() {
    count(&[
        (
            1_000_000,
            "local set = '[' .. ('b'):rep(1e4) .. 'c]*' for i = 1, 20 do
               pcall(string.find, ('c'):rep(3000), set) end",
        ),
        (900_000, "return (('x'):rep(1e5):gsub('', ''))"),
        (
            500_000,
            "local p = '^' .. ('y'):rep(1e6) for i = 1, 10 do ('x'):find(p) end",
        ),
        (
            500_000,
            "local p = ('y'):rep(1e6) for i = 1, 10 do ('x'):find(p, 1, true) end",
        ),
    ]);
    never_end(&["local s = ('x'):rep(1e6) while true do s:gsub('', '') end"]);
}

#[test]
fn long_strings_count_where_they_are_read() {
    count(&[
        (
            300_000,
            "local s = ('x'):rep(1e6) local a, b = s .. 'a', s .. 'b'
               for i = 1, 20 do local c = a < b end",
        ),
        (
            500_000,
            "local s = ('1'):rep(1e6) for i = 1, 10 do tonumber(s) end",
        ),
        (
            500_000,
            "local s = ('1'):rep(1e6) for i = 1, 10 do tonumber(s, 8) end",
        ),
        (
            500_000,
            "local s = ('1'):rep(1e6) for i = 1, 10 do local x = s + 1 end",
        ),
        (
            500_000,
            "local f = (' '):rep(1e6) for i = 1, 10 do struct.size(f) end",
        ),
        (
            500_000,
            "local s = ('x'):rep(1e6) for i = 1, 20 do pcall(string.format, '%s%d', s, 'x') end",
        ),
        (
            200_000,
            "local t = {} for i = 1, 5e4 do t[i] = 'x' end t[#t + 1] = {}
               for i = 1, 10 do pcall(table.concat, t) end",
        ),
    ]);
}

#[test]
fn walks_count_what_they_pass() {
    count(&[
        (
            700_000,
            "local t = {} for i = 1, 2e4 do t['k' .. i] = i end
               for k in pairs(t) do t[k] = nil end for i = 1, 500 do next(t) end",
        ),
        (
            500_000,
            "local t = {} for i = 1, 2e4 do t[i] = i end for i = 1, 2e4 - 1 do t[i] = nil end
               for i = 1, 400 do next(t) end",
        ),
        (
            400_000,
            "local t = {} for i = 1, 2e4 do t['k' .. i] = i end
               for k in pairs(t) do t[k] = nil end for i = 1, 50 do table.maxn(t) end",
        ),
        (
            1_000_000,
            "local t = {} for i = 1, 90 do t = setmetatable({}, {__index = t}) end
               for i = 1, 20000 do local x = t.x end",
        ),
    ]);
}

#[test]
fn garbage_counts_by_the_places_that_are_looked_through() {
    count(&[(
        900_000,
        "do local t = {} for i = 1, 2e4 do t[i] = {} end end
           local last = {} collectgarbage() for i = 1, 200 do collectgarbage() end",
    )]);
}

/// The coroutine that runs may be known to nobody else.
#[test]
fn a_coroutine_that_runs_is_kept() {
    let source = "local t = setmetatable({}, {})
        getmetatable(t).__index = coroutine.wrap(function()
          getmetatable(t).__index = nil collectgarbage() local x = 1
          local c = coroutine.create(function() return 'inner' end)
          return coroutine.status(c) .. ' ' .. select(2, coroutine.resume(c)) end)
        do local a, b, c, d, e, f, g, h = 1, 2, 3, 4, 5, 6, 7, 8 end
        return t.x";
    assert_eq!(end_of(source, 1_000_000).text, "suspended inner");
}

/// A slice may end anywhere, also within a function of a library.
#[test]
fn pauses_within_library_functions_are_not_seen() {
    super::check(&[
        ("return (('x'):rep(5):gsub('', '-'))", "-x-x-x-x-x-"),
        (
            "local t = {} for i = 1, 60 do t[i] = i % 4 == 0 and {i} or {-i} end
               local m = {__lt = function(a, b) return a[1] < b[1] end}
               for i = 1, 60 do setmetatable(t[i], m) end table.sort(t) return t[1][1], t[60][1]",
            "-59 60",
        ),
        (
            "local t = {} for i = 1, 60 do t[i] = i % 5 == 0 and 0 / 0 or i * 7 % 61 end
               pcall(table.sort, t) return #t",
            "60",
        ),
    ]);
}
