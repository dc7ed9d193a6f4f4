//! SELECTs as SQL engines understand them, in the form in which polars does.
//!
//! Nulls come last in every order. A result without a name is called by its own text, rather than by the first column in
//! it. What groups are ordered by is one of their results.

use std::collections::HashSet;
use std::iter::once;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr, Ident, NamedWindowExpr, OrderBy,
    OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, VisitMut, VisitorMut, WindowSpec,
    WindowType, visit_expressions,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

use crate::error::{Error, Result};

/// Functions of the rows of a group. Groups cannot be ordered by them, but by a result that is one.
const AGGREGATES: &[&str] = &[
    "any_value",
    "array_agg",
    "avg",
    "corr",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "first",
    "last",
    "max",
    "median",
    "min",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "stddev_samp",
    "stdev",
    "stdev_samp",
    "string_agg",
    "sum",
    "var",
    "var_samp",
    "variance",
];

/// A SELECT for polars.
///
/// # Errors
/// When it is something else, several statements, or no SQL.
pub(super) fn select(sql: &str) -> Result<String> {
    let mut statements = parse(sql)?;
    let [Statement::Query(query)] = &mut *statements else {
        return Err(Error::invalid("only a SELECT can be run, and only one"));
    };
    // It never breaks off.
    let _ = query.visit(&mut Rewriter);
    Ok(query.to_string())
}

fn parse(sql: &str) -> Result<Vec<Statement>> {
    let options = ParserOptions::new().with_trailing_commas(true);
    let parser = Parser::new(&GenericDialect).with_options(options).try_with_sql(sql);
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    statements.map_err(|error| Error::invalid(format!("cannot run the query: {error}")))
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        name_results(&mut select.projection);
        for window in &mut select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = &mut window.1 {
                order_window(window);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        if let Some(WindowType::WindowSpec(window)) = &mut function.over {
            order_window(window);
        }
        if let FunctionArguments::List(arguments) = &mut function.args {
            for clause in &mut arguments.clauses {
                if let FunctionArgumentClause::OrderBy(order) = clause {
                    nulls_last(order);
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// When its results have names.
    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        match &mut query.order_by {
            None => return ControlFlow::Continue(()),
            Some(OrderBy { kind: OrderByKind::All(options), .. }) => {
                options.nulls_first.get_or_insert(false);
            }
            Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => {
                nulls_last(order);
                if let SetExpr::Select(select) = &mut *query.body {
                    let unseen = order_by_results(order, select);
                    leave_out(&unseen, query);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn nulls_last(order: &mut [OrderByExpr]) {
    for key in order {
        key.options.nulls_first.get_or_insert(false);
    }
}

/// In windows polars puts nulls first whatever is written, so that another key comes before the one that is. It takes one
/// such key only.
fn order_window(window: &mut WindowSpec) {
    let [key] = &mut *window.order_by else { return };
    if key.options.nulls_first == Some(true) {
        return;
    }
    let (null, value) = if key.options.asc == Some(false) { (0, 1) } else { (1, 0) };
    let text = format!("CASE WHEN {} IS NULL THEN {null} ELSE {value} END", key.expr);
    let parsed = Parser::new(&GenericDialect).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
    if let Ok(expr) = parsed {
        let first = OrderByExpr { expr, ..key.clone() };
        window.order_by.insert(0, first);
    }
}

/// Names results that are no columns, and columns of one name from several tables, by their text.
fn name_results(results: &mut [SelectItem]) {
    let names: Vec<String> = results.iter().filter_map(own_name).collect();
    let aliases = results.iter().filter(|result| !matches!(result, SelectItem::UnnamedExpr(_)));
    let mut taken: HashSet<String> = aliases.filter_map(own_name).collect();
    for result in results {
        let name = own_name(result);
        let SelectItem::UnnamedExpr(expr) = result else { continue };
        let is_unique = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
        // `COLUMNS` is several columns.
        if name.is_some_and(|name| is_unique(&name)) || calls(expr, &["columns"]) {
            continue;
        }
        let text = expr.to_string();
        let numbered = (1..).map(|number| format!("{text}_{number}"));
        let Some(alias) = once(text.clone()).chain(numbered).find(|alias| !taken.contains(alias)) else { continue };
        taken.insert(alias.clone());
        *result = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', alias) };
    }
}

/// The name that a result has without one of ours.
fn own_name(result: &SelectItem) -> Option<String> {
    match result {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last().map(|name| name.value.clone()),
        _ => None,
    }
}

/// Orders by names of results instead of what they are. What groups are ordered by, and is no result, becomes one; returns
/// the names of these.
fn order_by_results(order: &mut [OrderByExpr], select: &mut Select) -> Vec<Ident> {
    let keys: &[Expr] = if let GroupByExpr::Expressions(keys, _) = &select.group_by { keys } else { &[] };
    let is_grouped = !keys.is_empty() || matches!(select.group_by, GroupByExpr::All(_));
    let mut unseen = Vec::new();
    for key in order {
        if matches!(key.expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) {
            continue;
        }
        let named = select.projection.iter().find_map(|result| match result {
            SelectItem::ExprWithAlias { expr, alias } if is_same(expr, &key.expr) => Some(alias.clone()),
            _ => None,
        });
        let is_of_group = || calls(&key.expr, AGGREGATES) || keys.iter().any(|of_group| is_same(of_group, &key.expr));
        let name = match named {
            Some(name) => name,
            // What is distinct cannot be ordered by anything else.
            None if is_grouped && select.distinct.is_none() && is_of_group() => {
                let name = Ident::with_quote('"', format!("__order{}", unseen.len()));
                let result = SelectItem::ExprWithAlias { expr: key.expr.clone(), alias: name.clone() };
                select.projection.push(result);
                unseen.push(name.clone());
                name
            }
            None => continue,
        };
        key.expr = Expr::Identifier(name);
    }
    unseen
}

/// Whether two expressions are written alike.
fn is_same(one: &Expr, other: &Expr) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one == other || !one.contains(['\'', '"']) && one.eq_ignore_ascii_case(&other)
}

/// Whether one of these functions is called, but not in a window.
fn calls(expr: &Expr, functions: &[&str]) -> bool {
    let found = visit_expressions(expr, |part| match part {
        Expr::Function(Function { name, over: None, .. })
            if functions.contains(&&*name.to_string().to_ascii_lowercase()) =>
        {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Leaves results out of a query.
fn leave_out(results: &[Ident], query: &mut Query) {
    if results.is_empty() {
        return;
    }
    let with = query.with.take();
    let names: Vec<String> = results.iter().map(ToString::to_string).collect();
    let outer = format!("SELECT * EXCLUDE ({}) FROM ({query}) AS ordered", names.join(", "));
    if let Some(Statement::Query(outer)) = parse(&outer).ok().and_then(|mut statements| statements.pop()) {
        *query = *outer;
    }
    query.with = with;
}

#[cfg(test)]
mod tests {
    use super::select;

    #[test]
    fn a_result_without_a_name_is_called_by_its_text() {
        let is = |sql: &str, rewritten: &str| assert_eq!(select(sql).unwrap(), rewritten, "{sql}");
        is(
            "select count(*), Units/2 from calls",
            "SELECT count(*) AS \"count(*)\", Units / 2 AS \"Units / 2\" FROM calls",
        );
        is("select units, c.agent, 1 as n, * from c", "SELECT units, c.agent, 1 AS n, * FROM c");
        is("select a.file, b.file from c", "SELECT a.file AS \"a.file\", b.file AS \"b.file\" FROM c");
        is("select file, file from c", "SELECT file AS \"file\", file AS \"file_1\" FROM c");
        is("select 'a \"b\"' from c", "SELECT 'a \"b\"' AS \"'a \"\"b\"\"'\" FROM c");
        is("select columns('^dead') from c", "SELECT columns('^dead') FROM c");
        is("from calls", "FROM calls");
    }

    #[test]
    fn nulls_come_last_unless_said_otherwise() {
        let is = |sql: &str, rewritten: &str| assert_eq!(select(sql).unwrap(), rewritten, "{sql}");
        is(
            "select a from c order by a desc, b nulls first, 3",
            "SELECT a FROM c ORDER BY a DESC NULLS LAST, b NULLS FIRST, 3 NULLS LAST",
        );
        is(
            "(select a from (select a from c order by a) t)",
            "(SELECT a FROM (SELECT a FROM c ORDER BY a NULLS LAST) t)",
        );
        is(
            "select rank() over (order by a desc) as r from c",
            "SELECT rank() OVER (ORDER BY CASE WHEN a IS NULL THEN 0 ELSE 1 END DESC, a DESC) AS r FROM c",
        );
    }

    #[test]
    fn groups_are_ordered_by_results() {
        let is = |sql: &str, rewritten: &str| assert_eq!(select(sql).unwrap(), rewritten, "{sql}");
        is(
            "select agent, count(*) from calls group by agent order by COUNT(*) desc",
            "SELECT agent, count(*) AS \"count(*)\" FROM calls GROUP BY agent ORDER BY \"count(*)\" DESC NULLS LAST",
        );
        is(
            "with c as (from calls) select agent from c group by agent order by sum(units) limit 1",
            "WITH c AS (FROM calls) SELECT * EXCLUDE (\"__order0\") FROM (SELECT agent, sum(units) AS \"__order0\" FROM c \
             GROUP BY agent ORDER BY \"__order0\" NULLS LAST LIMIT 1) AS ordered",
        );
    }

    #[test]
    fn only_one_select_is_run() {
        for sql in ["drop table calls", "create table a as select 1", "selected", "", "-- select", "select 1; select 2"]
        {
            assert!(select(sql).is_err(), "{sql}");
        }
        for sql in ["select 1;", "-- all\nWith a as (select 1) select * from a", "/* x */ from calls"] {
            assert!(select(sql).is_ok(), "{sql}");
        }
    }
}
