//! The places of a source file where a rule can plant a bug, and the edits that plant it behind a
//! switch.

use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, ImplItemFn, ItemFn, ReturnType, Stmt, Type, UnOp};

/// A bug that a rule can plant.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The function in which it stands.
    pub(crate) function: String,
    /// The line on which it begins.
    pub(crate) line: usize,
    /// The rule, and the code that it changes.
    pub(crate) change: String,
    /// How the source is changed. The switch stands in the texts as `@`.
    pub(crate) edits: Vec<Edit>,
}

/// A piece of text that is put in the place of another, perhaps of none.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
    /// How deep in the tree it stands.
    pub(crate) depth: usize,
    /// True if it stands behind an expression, false if it stands before one.
    pub(crate) is_behind: bool,
}

/// Finds all places of a file.
pub(crate) fn sites(source: &str) -> Result<Vec<Site>, syn::Error> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder {
        source,
        functions: Vec::new(),
        depth: 0,
        sites: Vec::new(),
    };
    finder.visit_file(&file);
    Ok(finder.sites)
}

struct Finder<'a> {
    source: &'a str,
    /// The names of the functions around, the innermost last.
    functions: Vec<String>,
    depth: usize,
    sites: Vec<Site>,
}

impl Finder<'_> {
    fn add(&mut self, at: Span, change: String, edits: Vec<Edit>) {
        let Some(function) = self.functions.last() else {
            return;
        };
        self.sites.push(Site {
            function: function.clone(),
            line: at.start().line,
            change,
            edits,
        });
    }

    fn text(&self, span: Span) -> String {
        let text = self.source.get(span.byte_range()).unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        line.chars().take(60).collect()
    }

    fn before(&self, at: usize, text: impl Into<String>) -> Edit {
        self.edit(at..at, text, false)
    }

    fn behind(&self, at: usize, text: impl Into<String>) -> Edit {
        self.edit(at..at, text, true)
    }

    fn edit(&self, range: Range<usize>, text: impl Into<String>, is_behind: bool) -> Edit {
        Edit {
            range,
            text: text.into(),
            depth: self.depth,
            is_behind,
        }
    }

    /// Puts texts around an expression.
    fn around(&self, expr: &Expr, before: &str, behind: &str) -> Vec<Edit> {
        let range = expr.span().byte_range();
        vec![
            self.before(range.start, before),
            self.behind(range.end, behind),
        ]
    }

    /// A function is looked through under its name, unless it is evaluated at compile time.
    fn function(&mut self, signature: &syn::Signature, block: &Block) {
        if signature.constness.is_some() {
            return;
        }
        self.functions.push(signature.ident.to_string());
        self.at_once(signature, block);
        self.visit_block(block);
        self.functions.pop();
    }

    /// The function returns at once.
    fn at_once(&mut self, signature: &syn::Signature, block: &Block) {
        let at = block.brace_token.span.open().byte_range().end;
        let values: &[&str] = match &signature.output {
            ReturnType::Default => &["()"],
            ReturnType::Type(_, kind) => match name_of(kind).as_str() {
                "bool" => &["true", "false"],
                "Result" => &["Ok(Default::default())"],
                "" => &[],
                _ => &["Default::default()"],
            },
        };
        for value in values {
            let text = format!(" if @ {{ return {value}; }}");
            let edits = vec![self.before(at, text)];
            let change = format!("returns {value} at once");
            self.add(signature.ident.span(), change, edits);
        }
    }

    fn binary(&mut self, expr: &syn::ExprBinary) {
        if has_let(&expr.left) || has_let(&expr.right) {
            return;
        }
        let (left, right) = (expr.left.span(), expr.right.span());
        let between = left.byte_range().end..right.byte_range().start;
        let whole = expr.span();
        let logic = |sign: &str| {
            vec![
                self.before(whole.byte_range().start, "({ let l: bool = "),
                self.edit(
                    between.clone(),
                    format!("; if l {sign} @ {{ l }} else {{ "),
                    true,
                ),
                self.behind(whole.byte_range().end, " } })"),
            ]
        };
        let pair = |from: &str, to: &str, by_value: bool| {
            let (open, middle) = if by_value {
                ("(match (", "), (")
            } else {
                ("(match (&(", "), &(")
            };
            let open = if by_value {
                format!("{open}(")
            } else {
                open.to_owned()
            };
            vec![
                self.before(whole.byte_range().start, open),
                self.edit(between.clone(), middle, true),
                self.behind(
                    whole.byte_range().end,
                    format!(")) {{ (l, r) => if @ {{ l {to} r }} else {{ l {from} r }} }})"),
                ),
            ]
        };
        let (to, edits) = match expr.op {
            BinOp::And(_) => ("||", logic("==")),
            BinOp::Or(_) => ("&&", logic("!=")),
            BinOp::Eq(_) => ("!=", pair("==", "!=", false)),
            BinOp::Ne(_) => ("==", pair("!=", "==", false)),
            BinOp::Lt(_) => ("<=", pair("<", "<=", false)),
            BinOp::Le(_) => ("<", pair("<=", "<", false)),
            BinOp::Gt(_) => (">=", pair(">", ">=", false)),
            BinOp::Ge(_) => (">", pair(">=", ">", false)),
            BinOp::Add(_) => ("-", pair("+", "-", true)),
            BinOp::Sub(_) => ("+", pair("-", "+", true)),
            _ => return,
        };
        let change = format!("`{}`: {to}", self.text(whole));
        self.add(whole, change, edits);
    }

    /// The condition never holds, or always.
    fn condition(&mut self, cond: &Expr, what: &str) {
        let range = cond.span().byte_range();
        let change = format!("{what} `{}` never", self.text(cond.span()));
        let never = if has_let(cond) {
            vec![self.before(range.start, "!@ && ")]
        } else {
            self.around(cond, "!@ && (", ")")
        };
        self.add(cond.span(), change, never);
        if !has_let(cond) {
            let change = format!("{what} `{}` always", self.text(cond.span()));
            let always = self.around(cond, "@ || (", ")");
            self.add(cond.span(), change, always);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_of_tests(&item.attrs) {
            self.function(&item.sig, &item.block);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_of_tests(&item.attrs) {
            self.function(&item.sig, &item.block);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    // Evaluated at compile time, or no code at all.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_item_macro(&mut self, _: &'ast syn::ItemMacro) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, _: &'ast syn::ExprRepeat) {}

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        if let Stmt::Expr(expr, Some(semi)) = stmt
            && does_something(expr)
        {
            let (start, end) = (expr.span().byte_range().start, semi.span.byte_range().end);
            let edits = vec![self.before(start, "if !@ { "), self.behind(end, " }")];
            let change = format!("does not `{}`", self.text(expr.span()));
            self.add(expr.span(), change, edits);
        }
        self.depth += 1;
        visit::visit_stmt(self, stmt);
        self.depth -= 1;
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            self.condition(guard, "arm");
        }
        self.depth += 1;
        visit::visit_arm(self, arm);
        self.depth -= 1;
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Binary(binary) => self.binary(binary),
            Expr::If(branch) => self.condition(&branch.cond, "if"),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let change = format!("`{}`: not", self.text(expr.span()));
                let edits = self.around(expr, "(@ ^ (", "))");
                self.add(expr.span(), change, edits);
            }
            _ => {}
        }
        self.depth += 1;
        visit::visit_expr(self, expr);
        self.depth -= 1;
    }
}

/// Returns true if code is compiled for tests alone.
fn is_of_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        let is_test = attribute.path().is_ident("test");
        let names_test = |list: &syn::MetaList| list.tokens.to_string().contains("test");
        is_test || is_cfg && attribute.meta.require_list().is_ok_and(names_test)
    })
}

/// Returns true if a statement without it would do less.
fn does_something(expr: &Expr) -> bool {
    match expr {
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) => true,
        Expr::Try(tried) => does_something(&tried.expr),
        Expr::Binary(binary) => matches!(
            binary.op,
            BinOp::AddAssign(_)
                | BinOp::SubAssign(_)
                | BinOp::BitOrAssign(_)
                | BinOp::BitAndAssign(_)
        ),
        _ => false,
    }
}

/// Returns true if a condition binds names.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// The name of a type, without what it is made of.
fn name_of(kind: &Type) -> String {
    let Type::Path(path) = kind else {
        return String::new();
    };
    let last = path.path.segments.last();
    last.map_or_else(String::new, |last| last.ident.to_string())
}

#[cfg(test)]
mod tests {
    use super::sites;
    use crate::rewrite::rewritten;

    /// The source with all its bugs, each behind its switch.
    fn planted(source: &str) -> String {
        let sites = sites(source).expect("code");
        let switched: Vec<_> = sites.iter().enumerate().collect();
        rewritten(source, &switched)
    }

    #[test]
    fn nested_conditions_stay_nested() {
        let planted = planted("fn f(a: u8, b: bool) -> u8 { if b && a < 3 { 1 } else { a + 2 } }");
        syn::parse_file(&planted).expect("code");
        for number in 0..6 {
            let switch = format!("crate::mutant::is({number})");
            assert_eq!(planted.matches(&switch).count(), 1, "{number} in {planted}");
        }
    }

    #[test]
    fn constants_and_tests_are_left_alone() {
        let source = "const A: u8 = 1 + 2; const fn f() -> bool { 1 < 2 }
            #[cfg(test)] mod tests { fn g() -> bool { 1 < 2 } }";
        assert_eq!(planted(source), source);
    }
}
