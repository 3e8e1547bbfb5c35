//! The public API as a list in `public-api.txt`: whoever changes it sees the change in the diff of a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Fields, Generics, ImplItem, Item, TraitItem, Type, Visibility};

use crate::source::{Definition, Module, ModulePath, Source, attributes_of, features_of, is_hidden, name_of};

/// Set it to write the list anew.
const WRITE: &str = "FACEATTEND_WRITE_API";

#[test]
fn the_public_api_is_the_one_that_is_written_down() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("public-api.txt");
    let found = Api::of(&Source::of_this_crate()).lines().join("\n") + "\n";
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let gone: Vec<_> = written.lines().filter(|line| !found.lines().any(|other| other == *line)).collect();
    let new: Vec<_> = found.lines().filter(|line| !written.lines().any(|other| other == *line)).collect();
    assert!(
        written == found,
        "the public API has changed.\ngone:\n  {}\nnew:\n  {}\nIf that is meant: {WRITE}=1 cargo test -p \
         faceattend-core --test structure",
        gone.join("\n  "),
        new.join("\n  ")
    );
}

struct Api<'a> {
    source: &'a Source,
    /// The path that each definition is told under.
    told_as: BTreeMap<Definition, String>,
    /// The traits of each type, by the features that they need.
    traits: BTreeMap<(String, String), BTreeSet<String>>,
    lines: Vec<String>,
}

impl<'a> Api<'a> {
    fn of(source: &'a Source) -> Self {
        let mut api = Self { source, told_as: BTreeMap::new(), traits: BTreeMap::new(), lines: Vec::new() };
        let public = || source.modules.iter().filter(|(_, module)| module.is_public);
        let mut reexports = Vec::new();
        for (path, module) in public() {
            for name in module.items.iter().filter(|item| is_public(item)).filter_map(name_of) {
                let definition = Definition { module: path.clone(), name: Some(name.clone()) };
                api.told_as.insert(definition, joined(path, &name));
            }
            let globs = source.globs(path, true);
            let own = module.imports.iter().filter(|import| import.is_public && import.name != "*");
            let through = globs.iter().filter_map(|glob| Some((glob, source.modules.get(glob)?)));
            for (glob, there) in through.clone() {
                for name in there.items.iter().filter(|item| is_public(item)).filter_map(name_of) {
                    let definition = Definition { module: glob.clone(), name: Some(name.clone()) };
                    reexports.push((definition, joined(path, &name), told(&module.features)));
                }
            }
            let given_on = through.flat_map(|(glob, there)| there.imports.iter().map(move |import| (glob, import)));
            let given_on = given_on.filter(|(_, import)| import.is_public && import.name != "*");
            for (from, import) in own.map(|import| (path, import)).chain(given_on) {
                let features = told(&[module.features.clone(), import.features.clone()].concat());
                let name = joined(path, &import.name);
                match source.resolve(from, &import.path) {
                    Some(definition) => reexports.push((definition, name, features)),
                    None => api.lines.push(format!("{name}: use {}{features}", import.path.join("::"))),
                }
            }
        }
        // A definition in a private module is told where it is re-exported nearest to it: by the longest path.
        reexports.sort_by_key(|(_, path, _)| std::cmp::Reverse(path.split("::").count()));
        for (definition, path, features) in reexports {
            let first = api.told_as.entry(definition).or_insert_with(|| path.clone()).clone();
            if first != path {
                api.lines.push(format!("{path}: use {first}{features}"));
            }
        }
        for (path, module) in &source.modules {
            api.module(path, module);
        }
        api
    }

    fn lines(mut self) -> Vec<String> {
        for ((path, features), traits) in std::mem::take(&mut self.traits) {
            let traits: Vec<_> = traits.into_iter().collect();
            self.lines.push(format!("{path}: impl {}{features}", traits.join(", ")));
        }
        self.lines.sort();
        self.lines.dedup();
        self.lines
    }

    fn module(&mut self, path: &ModulePath, module: &Module) {
        for item in &module.items {
            let features = [module.features.clone(), features_of(attributes_of(item))].concat();
            if let Item::Impl(item) = item {
                let Some(told_as) = self.type_name(path, &item.self_ty) else { continue };
                match &item.trait_ {
                    Some((_, of, _)) => {
                        self.implements(&told_as, text(of), &features);
                    }
                    None => {
                        for member in &item.items {
                            if let ImplItem::Fn(member) = member
                                && matches!(member.vis, Visibility::Public(_))
                                && !is_hidden(&member.attrs)
                            {
                                let features = [features.clone(), features_of(&member.attrs)].concat();
                                self.line(&format!("{told_as}::{}", member.sig.ident), &text(&member.sig), &features);
                            }
                            if let ImplItem::Const(member) = member
                                && matches!(member.vis, Visibility::Public(_))
                            {
                                let kind = format!("const {}", text(&member.ty));
                                self.line(&format!("{told_as}::{}", member.ident), &kind, &features);
                            }
                        }
                    }
                }
                continue;
            }
            let Some(name) = name_of(item) else { continue };
            let definition = Definition { module: path.clone(), name: Some(name) };
            let Some(told_as) = self.told_as.get(&definition).cloned() else { continue };
            self.item(&told_as, item, &features);
        }
    }

    fn type_name(&self, module: &ModulePath, of: &Type) -> Option<String> {
        let Type::Path(of) = of else { return None };
        let path: Vec<_> = of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.told_as.get(&self.source.resolve(module, &path)?).cloned()
    }

    fn item(&mut self, path: &str, item: &Item, features: &[String]) {
        let closed = if attributes_of(item).iter().any(|a| a.path().is_ident("non_exhaustive")) {
            "non_exhaustive "
        } else {
            ""
        };
        match item {
            Item::Fn(item) => self.line(path, &text(&item.sig), features),
            Item::Const(item) => self.line(path, &format!("const {}", text(&item.ty)), features),
            Item::Static(item) => self.line(path, &format!("static {}", text(&item.ty)), features),
            Item::Type(item) => self.line(path, &format!("type = {}", text(&item.ty)), features),
            Item::Struct(item) => {
                self.line(path, &format!("{closed}struct{}", generics(&item.generics)), features);
                self.derives(path, &item.attrs, features);
                self.fields(path, &item.fields, true, features);
            }
            Item::Enum(item) => {
                self.line(path, &format!("{closed}enum{}", generics(&item.generics)), features);
                self.derives(path, &item.attrs, features);
                for variant in &item.variants {
                    let path = format!("{path}::{}", variant.ident);
                    self.line(&path, "variant", features);
                    self.fields(&path, &variant.fields, false, features);
                }
            }
            Item::Trait(item) => {
                let bounds = text(&item.supertraits);
                self.line(path, format!("trait{} {bounds}", generics(&item.generics)).trim_end(), features);
                for member in &item.items {
                    if let TraitItem::Fn(member) = member {
                        let provided = if member.default.is_some() { "provided " } else { "" };
                        let line = format!("{provided}{}", text(&member.sig));
                        self.line(&format!("{path}::{}", member.sig.ident), &line, features);
                    }
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, path: &str, fields: &Fields, only_public: bool, features: &[String]) {
        for (index, field) in fields.iter().enumerate() {
            if !only_public || matches!(field.vis, Visibility::Public(_)) {
                let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
                self.line(&format!("{path}.{name}"), &text(&field.ty), features);
            }
        }
    }

    fn derives(&mut self, path: &str, attributes: &[Attribute], features: &[String]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let _ = attribute.parse_nested_meta(|meta| {
                self.implements(path, text(&meta.path), features);
                Ok(())
            });
        }
    }

    fn implements(&mut self, path: &str, name: String, features: &[String]) {
        self.traits.entry((path.to_owned(), told(features))).or_default().insert(name);
    }

    fn line(&mut self, path: &str, what: &str, features: &[String]) {
        self.lines.push(format!("{path}: {what}{}", told(features)));
    }
}

fn told(features: &[String]) -> String {
    features.iter().map(|feature| format!(" #[{feature}]")).collect()
}

fn joined(module: &ModulePath, name: &str) -> String {
    [module.clone(), vec![name.to_owned()]].concat().join("::")
}

fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes_of(item))
}

fn generics(of: &Generics) -> String {
    if of.params.is_empty() { String::new() } else { format!("<{}>", text(&of.params)) }
}

/// Tokens as rustfmt would set them, near enough to be read.
fn text(of: &impl ToTokens) -> String {
    let mut text = of.to_token_stream().to_string().replace('\n', " ");
    for (wide, narrow) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        ("< ", "<"),
        ("& ", "&"),
        (" ,", ","),
        (" :", ":"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (",)", ")"),
        ("->", " ->"),
        ("  ->", " ->"),
    ] {
        text = text.replace(wide, narrow);
    }
    text
}
