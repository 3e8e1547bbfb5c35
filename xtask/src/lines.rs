//! The length of lines. `cargo fmt` breaks code, but neither comments and strings nor what is not Rust.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::workspace::{command, output, root};

/// The longest line, in characters: `max_width` of `rustfmt.toml`.
const LIMIT: usize = 120;
/// What people write by hand. All else that is tracked is data, made by a program, or a picture.
const KINDS: &[&str] =
    &["rs", "py", "pyi", "js", "mjs", "cjs", "ts", "mts", "cts", "html", "css", "toml", "md", "yml", "yaml", "sh"];
/// Files of these kinds that nobody writes by hand: others' code, what a program makes, and data.
const EXCEPT: &[&str] = &[
    "reference-server/src/openapi/pages/vendor/",
    // Made by @napi-rs/cli from the doc comments of the addon.
    "bindings-node/index.d.ts",
    // Django makes migrations, and what was released is not changed.
    "bindings-python/python/faceattend/contrib/django/migrations/",
    "bindings-python/tests/site/school/migrations/",
    // Addresses, hashes and figures of models.
    "models/manifest.toml",
];

/// One line that is too long.
#[derive(Debug, PartialEq, Eq)]
struct Long {
    number: usize,
    length: usize,
}

/// Looks at every tracked file; says how many there were.
///
/// # Errors
/// When a line is too long: each with its file, number and length.
pub(crate) fn check() -> Result<String> {
    let Ok(tracked) = output(command("git").args(["ls-files", "-z"])) else {
        return Ok("left out: this is no checkout of git".to_owned());
    };
    let (mut files, mut found) = (0, 0);
    for path in tracked.split('\0').filter(|path| is_written_by_hand(path)) {
        // A file that was deleted and not yet committed is tracked all the same.
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        files += 1;
        for Long { number, length } in long_lines(&text) {
            println!("{path}:{number}: {length} characters");
            found += 1;
        }
    }
    if found == 0 {
        return Ok(format!("{files} files, no line over {LIMIT} characters"));
    }
    Err(format!("{found} lines have more than {LIMIT} characters"))
}

fn is_written_by_hand(path: &str) -> bool {
    let kind = Path::new(path).extension().and_then(|kind| kind.to_str());
    kind.is_some_and(|kind| KINDS.contains(&kind)) && !EXCEPT.iter().any(|except| path.starts_with(except))
}

/// Returns the lines of `text` that are too long. A row of a table in Markdown cannot be broken, nor can an address.
fn long_lines(text: &str) -> Vec<Long> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.chars().count(), line));
    lines
        .filter(|&(_, length, line)| length > LIMIT && !is_table_row(line) && !is_address(line))
        .map(|(number, length, _)| Long { number, length })
        .collect()
}

/// Whether the line is a row of a table, in Markdown or in a doc comment, which is Markdown too.
fn is_table_row(line: &str) -> bool {
    let line = line.trim_start();
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or(line).trim_start();
    text.starts_with("| ") && text.ends_with('|')
}

/// Whether an address is all that stands on the line, besides what makes it a comment, an item or a link's target.
fn is_address(line: &str) -> bool {
    let is_mark = |word: &&str| ["//", "///", "//!", "#", "-", "*", ">"].contains(word) || word.ends_with("]:");
    let mut words = line.split_whitespace().skip_while(is_mark);
    matches!((words.next(), words.next()), (Some(word), None) if word.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_found_by_its_characters() {
        let text = format!("short\n{}\n{}\n", "ü".repeat(120), "x".repeat(121));
        assert_eq!(long_lines(&text), [Long { number: 3, length: 121 }]);
    }

    #[test]
    fn what_cannot_be_broken_may_be_long() {
        let row = format!("| {} | b |", "a ".repeat(100));
        assert!(long_lines(&row).is_empty());
        assert!(long_lines(&format!("//! {row}")).is_empty(), "doc comments are Markdown");
        assert_eq!(long_lines(&format!("// {row}")).len(), 1, "other comments are not");
        let address = format!("https://example.org/{}", "a".repeat(120));
        for line in [address.clone(), format!("[name]: {address}"), format!("    /// <{address}>")] {
            assert!(long_lines(&line).is_empty(), "{line}");
        }
        assert_eq!(long_lines(&format!("See {address}")).len(), 1, "the address can have its own line");
    }

    #[test]
    fn only_what_people_write_is_looked_at() {
        for path in ["core/src/lib.rs", "README.md", ".github/workflows/test.yml", "rustfmt.toml"] {
            assert!(is_written_by_hand(path), "{path}");
        }
        for path in ["Cargo.lock", "core/public-api.txt", "examples/media/index.json", "models/manifest.toml"] {
            assert!(!is_written_by_hand(path), "{path}");
        }
        for except in EXCEPT {
            assert!(root().join(except).exists(), "{except} has gone elsewhere");
        }
    }
}
