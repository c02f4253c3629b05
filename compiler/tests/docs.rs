//! The documents made from tables are current. `UPDATE_DOCS=1 cargo test -p pygraph-compiler --test docs` writes them.

use std::{fs, path::PathBuf};

use pygraph_compiler::{driver::docs, ir::ops::reference};

fn check(name: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, expected).expect("docs should be writable");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/{name} is out of date; run UPDATE_DOCS=1 cargo test -p pygraph-compiler --test docs"
    );
}

#[test]
fn passes_md_is_current() {
    check("passes.md", &docs::passes_md());
}

#[test]
fn debugging_md_is_current() {
    check("debugging.md", &docs::debugging_md());
}

#[test]
fn dialect_md_is_current() {
    check("dialect.md", &reference::dialect_md());
}
