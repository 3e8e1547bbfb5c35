//! Every public noun has an example that runs.

use std::path::Path;

use quote::ToTokens as _;
use syn::{Attribute, ImplItem, Item};

use crate::source::{Source, attributes_of, name_of};

/// The modules whose records travel between two calls that the examples of the module and of its traits show.
const RECORDS: [&str; 2] = ["store", "enrolment"];

#[test]
fn every_public_noun_has_an_example() {
    let source = Source::of_this_crate();
    let api = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("public-api.txt")).unwrap();
    let mut without = Vec::new();
    for line in api.lines() {
        let Some((path, what)) = line.split_once(": ") else { continue };
        let is_noun = ["struct", "enum", "trait"].iter().any(|kind| what.split_whitespace().any(|word| word == *kind));
        let (module, name) = path.rsplit_once("::").unwrap_or(("", path));
        let defined_in = |item: &Item| is_named(item, name);
        let definitions = source.modules.iter().filter(|(_, module)| module.items.iter().any(defined_in));
        let is_record = definitions.clone().count() > 0
            && definitions.clone().all(|(path, _)| path.first().is_some_and(|first| RECORDS.contains(&first.as_str())));
        if !is_noun
            || what.starts_with("fn ")
            || RECORDS.contains(&module.split("::").next().unwrap_or_default())
            || is_record
        {
            continue;
        }
        let items: Vec<&Item> = source.modules.values().flat_map(|module| &module.items).collect();
        let of_itself = items.iter().any(|item| is_named(item, name) && has_example(attributes_of(item)));
        let of_its_methods = items.iter().any(|item| is_impl_of(item, name));
        if !of_itself && !of_its_methods {
            without.push(path);
        }
    }
    assert_eq!(without, Vec::<&str>::new());
}

fn is_named(item: &Item, name: &str) -> bool {
    name_of(item).is_some_and(|found| found == name)
}

/// Whether `item` holds methods of the type `name`, one of which has an example.
fn is_impl_of(item: &Item, name: &str) -> bool {
    let Item::Impl(item) = item else { return false };
    let syn::Type::Path(of) = &*item.self_ty else { return false };
    let is_its = of.path.segments.last().is_some_and(|last| last.ident == name);
    let shows = |member: &ImplItem| if let ImplItem::Fn(member) = member { has_example(&member.attrs) } else { false };
    is_its && item.items.iter().any(shows)
}

fn has_example(attributes: &[Attribute]) -> bool {
    let is_example = |attribute: &&Attribute| {
        attribute.path().is_ident("doc") && attribute.to_token_stream().to_string().contains("```")
    };
    attributes.iter().any(|attribute| is_example(&attribute))
}
