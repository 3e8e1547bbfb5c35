//! Every public noun has an example that runs.

use syn::{Attribute, ImplItem, Item, Visibility};

use crate::source::{Source, attributes_of, is_hidden, name_of};

/// Where an example would say nothing that the type's neighbor does not say: parts of an answer, options and records
/// that only travel between two calls. Each stands beside the noun whose example shows it.
const SHOWN_BY_A_NEIGHBOR: &[&str] = &[
];

#[test]
fn every_public_noun_has_an_example() {
    let source = Source::of_this_crate();
    let items = || source.modules.values().flat_map(|module| &module.items);
    let mut without = Vec::new();
    for item in items() {
        let is_noun = match item {
            Item::Struct(item) => matches!(item.vis, Visibility::Public(_)),
            Item::Enum(item) => matches!(item.vis, Visibility::Public(_)),
            Item::Trait(item) => matches!(item.vis, Visibility::Public(_)),
            _ => false,
        };
        let Some(name) = name_of(item).filter(|_| is_noun && !is_hidden(attributes_of(item))) else { continue };
        let of_its_methods = items().any(|other| {
            let Item::Impl(other) = other else { return false };
            let syn::Type::Path(of) = &*other.self_ty else { return false };
            let is_its = of.path.segments.last().is_some_and(|last| last.ident == name);
            is_its && other.items.iter().any(|i| if let ImplItem::Fn(i) = i { has_example(&i.attrs) } else { false })
        });
        if !has_example(attributes_of(item)) && !of_its_methods {
            without.push(name);
        }
    }
    without.sort();
    without.dedup();
    assert_eq!(without, SHOWN_BY_A_NEIGHBOR);
}

fn has_example(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_doc = attribute.path().is_ident("doc");
        is_doc && quote::ToTokens::to_token_stream(attribute).to_string().contains("```")
    })
}
