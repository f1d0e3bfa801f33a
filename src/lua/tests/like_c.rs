//! Details in which C Lua 5.1 is what counts, however odd; random programs have found them.

use super::check;

#[track_caller]
fn runs_to(source: &str, expected: &str) {
    check(&[(source, expected)]);
}

#[test]
fn a_part_of_an_expression_stands_where_its_last_token_does() {
    runs_to(
        "return 1 +\n{}\n",
        "!script:2: attempt to perform arithmetic on a table value",
    );
    runs_to(
        "return {} <\n\n1",
        "!script:3: attempt to compare table with number",
    );
    runs_to(
        "return -\n{}",
        "!script:2: attempt to perform arithmetic on a table value",
    );
    runs_to(
        "return 'a' ..\n{}",
        "!script:2: attempt to concatenate a table value",
    );
}

#[test]
fn the_least_integer_is_written() {
    runs_to(
        "return tostring(-2^63), '' .. -2^63",
        "-9.2233720368548e+18 -9.2233720368548e+18",
    );
}

#[test]
fn zero_and_minus_zero_are_one_constant() {
    runs_to("return 0, -0", "0 0");
    runs_to("return -0, 0", "-0 -0");
}

#[test]
fn an_int_of_c_loses_what_does_not_fit() {
    runs_to("return math.ldexp(3, 1 / 0)", "3");
    runs_to("return string.rep('x', 2^32 + 1)", "x");
    runs_to(
        "return select(2^32, 1)",
        "!script:1: bad argument #1 to 'select' (index out of range)",
    );
}

#[test]
fn texts_end_at_a_zero_byte_where_c_reads_them() {
    runs_to(
        "return tonumber('10\\0x'), '7\\0' + 1, tonumber('\\0001')",
        "10 8 nil",
    );
    runs_to("return tonumber('1F\\0x', 16)", "31");
    runs_to("return string.format('<%s>', 'a\\0b')", "<a>");
    runs_to("return #string.format('%s', ('\\0'):rep(100))", "100");
    runs_to("return #string.format('%q', 'a\\0b')", "8");
    runs_to("return #string.format('%c%c', 65, 2^53 + 65)", "1");
}

#[test]
fn octal_numbers_have_one_zero_in_front() {
    runs_to(
        "return string.format('%#o %#.2o %#.1o %#.o %#o', 8, 3, 3, 0, 0)",
        "010 03 03 0 0",
    );
    runs_to("return string.format('%x', 0 / 0)", "8000000000000000");
}

#[test]
fn errors_tell_what_those_of_c_tell() {
    runs_to(
        "return pcall(rawset, {}, nil, 1)",
        "false table index is nil",
    );
    runs_to(
        "return pcall(coroutine.wrap(function() error(7, 0) end))",
        "false 7",
    );
    runs_to(
        "local f = coroutine.wrap(function() error(7, 0) end) f()",
        "!script:1: 7",
    );
    runs_to(
        "local t = setmetatable({}, {__newindex = rawset}) t[nil] = 1",
        "!script:1: table index is nil",
    );
    runs_to("return string.find('a', '()%1')", "nil");
    runs_to(
        "return table.concat(true, {})",
        "!script:1: bad argument #2 to 'concat' (string expected, got table)",
    );
    runs_to("return 'a\\098c' 1", "script:1: '<eof>' expected near '1'");
    runs_to("return = 'a\\098c'", "script:1: unexpected symbol near '='");
    runs_to("x 'a' = 'b\\098'", "script:1: unexpected symbol near '='");
    runs_to("x = 1 'b\\098'", "script:1: unexpected symbol near ''bb''");
    runs_to("x = 'b\\098\n'", "script:1: unfinished string near ''bb'");
    runs_to(
        "x = 'b\\098\\999'",
        "script:1: escape sequence too large near ''bb'",
    );
    runs_to(
        "x = 1 [=[a]]]=]",
        "script:1: unexpected symbol near '[=[a]]]=]'",
    );
}
