//! The book of the documentation: built with mdBook, and its links checked without it.
//!
//! The pages link to each other and to files of the repository as the repository's own pages do, so that they can be
//! read there too. mdBook knows nothing outside its folder, so this copies the pages that `SUMMARY.md` names, wherever
//! they are, into one folder. It turns links to anything else into links to the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::Result;
use crate::workspace::{command, output, root, succeed};

/// The folder of the pages, below the root.
const PAGES: &str = "docs/src";
const CONTENTS: &str = "docs/src/SUMMARY.md";
/// Where the book lets readers find files that are no page of it.
const REPOSITORY: &str = "https://github.com/faceattend/faceattend/blob/main";
const INSTALL: &str = "mdBook is needed to build the book: `cargo install mdbook`, then run this command again";

/// Builds the book into `target/book`. Its pages load nothing from the network.
///
/// # Errors
/// When mdBook is missing, a page is missing, or a file cannot be written.
pub(crate) fn run() -> Result<()> {
    output(command("mdbook").arg("--version")).map_err(|problem| format!("{INSTALL}\n{problem}"))?;
    let source = root().join("target/book-source");
    let book = root().join("target/book");
    gather(root(), &source)?;
    succeed(command("mdbook").arg("build").arg(&source).arg("--dest-dir").arg(&book))?;
    println!("The book is in {}", book.join("index.html").display());
    Ok(())
}

/// Copies the book's pages and pictures below `root` into the folder `source`, as mdBook wants them.
fn gather(root: &Path, source: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(source);
    let pages = pages(root)?;
    write(&source.join("book.toml"), read(&root.join("docs/book.toml"))?.as_bytes())?;
    for page in pages.iter().map(PathBuf::as_path).chain([Path::new(CONTENTS)]) {
        let text = rewritten(&read(&root.join(page))?, page, &pages);
        write(&source.join("src").join(place(page)), text.as_bytes())?;
    }
    for file in files_below(&root.join(PAGES)) {
        if file.extension().is_none_or(|kind| kind != "md") {
            let bytes = fs::read(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
            let name = file.strip_prefix(root.join(PAGES)).unwrap_or(&file);
            write(&source.join("src").join(name), &bytes)?;
        }
    }
    Ok(())
}

/// The pages that the book consists of, below the root.
fn pages(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let contents = read(&root.join(CONTENTS))?;
    Ok(links(&contents).into_iter().filter_map(|link| target(Path::new(CONTENTS), link)).collect())
}

/// Where a page is in the book. mdBook writes a `README.md` as `index.html`, but leaves links to it as they are.
fn place(page: &Path) -> PathBuf {
    let place = page.strip_prefix(PAGES).unwrap_or(page);
    if place.ends_with("README.md") { place.with_file_name("index.md") } else { place.to_owned() }
}

/// The text of a page with links as the book needs them.
fn rewritten(text: &str, page: &Path, pages: &BTreeSet<PathBuf>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    for link in links(text) {
        // `links` returns slices of `text`, in order.
        let at = link.as_ptr() as usize - rest.as_ptr() as usize;
        out.push_str(&rest[..at]);
        out.push_str(&in_book(link, page, pages));
        rest = &rest[at + link.len()..];
    }
    out.push_str(rest);
    out
}

fn in_book(link: &str, page: &Path, pages: &BTreeSet<PathBuf>) -> String {
    let Some(target) = target(page, link) else { return link.to_owned() };
    let anchor = link.find('#').map_or("", |at| &link[at..]);
    if !pages.contains(&target) && !target.starts_with(PAGES) {
        return format!("{REPOSITORY}/{}{anchor}", target.display());
    }
    let up = "../".repeat(place(page).components().count().saturating_sub(1));
    format!("{up}{}{anchor}", place(&target).display())
}

/// The file below the root that a relative link of `page` leads to; `None` for other links.
fn target(page: &Path, link: &str) -> Option<PathBuf> {
    let path = link.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains(':') || path.starts_with('/') {
        return None;
    }
    let mut target = page.parent().map(Path::to_path_buf).unwrap_or_default();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir if !target.pop() => return Some(PathBuf::from(path)),
            Component::Normal(name) => target.push(name),
            _ => {}
        }
    }
    Some(target)
}

/// The addresses of the links and pictures of a Markdown text, `[text](address)`, outside code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark)) {
            match fence {
                Some(open) if open == mark => fence = None,
                None => fence = Some(mark),
                Some(_) => {}
            }
        } else if fence.is_none() {
            links_of(line, &mut found);
        }
    }
    found
}

fn links_of<'t>(line: &'t str, found: &mut Vec<&'t str>) {
    let bytes = line.as_bytes();
    let (mut at, mut in_code) = (0, false);
    while at < bytes.len() {
        if bytes[at] == b'`' {
            in_code = !in_code;
        } else if !in_code
            && line[at..].starts_with("](")
            && let Some(length) = line[at + 2..].find(')')
        {
            found.push(&line[at + 2..at + 2 + length]);
            at += 2 + length;
        }
        at += 1;
        while !line.is_char_boundary(at) {
            at += 1;
        }
    }
}

/// Every file in a folder and the folders in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|e| format!("cannot read {}: {e}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, bytes))
        .map_err(|e| format!("cannot write {}: {e}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents outside the book's folder.
    const DOCUMENTS: [&str; 15] = [
        "README.md",
        "ARCHITECTURE.md",
        "DESIGN.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "core/README.md",
        "models/README.md",
        "models/sface/README.md",
        "bindings-python/README.md",
        "bindings-node/README.md",
        "examples/README.md",
        "examples/media/README.md",
        "examples/django-admin/README.md",
        "examples/node-service/README.md",
    ];

    fn below_root(file: &Path) -> PathBuf {
        file.strip_prefix(root()).unwrap().to_path_buf()
    }

    fn pages_on_disk() -> Vec<PathBuf> {
        let pages = files_below(&root().join("docs"));
        pages.iter().filter(|file| file.extension().is_some_and(|kind| kind == "md")).map(|f| below_root(f)).collect()
    }

    /// The anchors of a page's headings, as GitHub and mdBook make them.
    fn anchors(text: &str) -> BTreeSet<String> {
        let mut in_code = false;
        let mut anchors = BTreeSet::new();
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            } else if !in_code && line.starts_with('#') {
                let heading = line.trim_start_matches('#').trim().to_lowercase();
                let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
            }
        }
        anchors
    }

    #[test]
    fn every_relative_link_of_the_documents_leads_somewhere() {
        let mut dead = Vec::new();
        let documents = DOCUMENTS.iter().map(PathBuf::from);
        for page in documents.chain(pages_on_disk()) {
            let text = read(&root().join(&page)).unwrap();
            for link in links(&text) {
                let Some(target) = target(&page, link) else { continue };
                let file = root().join(&target);
                let anchor = link.split_once('#').map(|(_, anchor)| anchor);
                let is_there = file.exists()
                    && anchor.is_none_or(|anchor| {
                        file.extension().is_none_or(|kind| kind != "md")
                            || anchors(&read(&file).unwrap()).contains(anchor)
                    });
                if !is_there {
                    dead.push(format!("{}: {link}", page.display()));
                }
            }
        }
        assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
    }

    #[test]
    fn every_page_is_in_the_contents() {
        let listed = pages(root()).unwrap();
        let missing: Vec<_> =
            pages_on_disk().into_iter().filter(|page| page != Path::new(CONTENTS) && !listed.contains(page)).collect();
        assert!(missing.is_empty(), "not in {CONTENTS}: {missing:?}");
    }

    #[test]
    fn links_in_code_are_no_links() {
        let text = "[a](b.md) `[c](d.md)` ![e](f.png)\n```\n[g](h.md)\n```\nä [i](j.md#k)";
        assert_eq!(links(text), ["b.md", "f.png", "j.md#k"]);
    }

    #[test]
    fn a_link_keeps_its_meaning_in_the_book() {
        let pages =
            ["docs/src/deploy.md", "docs/src/start/rust.md", "DESIGN.md", "models/README.md"].map(PathBuf::from).into();
        let page = Path::new("docs/src/start/rust.md");
        let rewritten = |text| rewritten(text, page, &pages);
        assert_eq!(rewritten("[a](../deploy.md#limits), b"), "[a](../deploy.md#limits), b");
        assert_eq!(rewritten("[a](../../../DESIGN.md)"), "[a](../DESIGN.md)");
        assert_eq!(rewritten("[a](../../../models/README.md#b)"), "[a](../models/index.md#b)");
        assert_eq!(rewritten("[a](../../../core/src/lib.rs)"), format!("[a]({REPOSITORY}/core/src/lib.rs)"));
        assert_eq!(rewritten("[a](https://example.org) [b](#c)"), "[a](https://example.org) [b](#c)");
        let design = super::rewritten("[a](docs/src/deploy.md)", Path::new("DESIGN.md"), &pages);
        assert_eq!(design, "[a](deploy.md)");
    }

    #[test]
    fn the_pages_that_the_contents_name_are_gathered_in_one_folder() {
        let source = std::env::temp_dir().join(format!("faceattend-book-{}", std::process::id()));
        gather(root(), &source).unwrap();
        for page in pages(root()).unwrap() {
            let copy = source.join("src").join(place(&page));
            assert!(copy.exists(), "{} is missing", copy.display());
            let text = read(&copy).unwrap();
            for link in links(&text) {
                if let Some(target) = target(&place(&page), link) {
                    assert!(source.join("src").join(&target).exists(), "{}: {link} leads nowhere", page.display());
                }
            }
        }
        fs::remove_dir_all(&source).unwrap();
    }
}
