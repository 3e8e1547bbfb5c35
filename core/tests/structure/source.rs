//! The crate's modules as `syn` reads them, and where a path of one of them leads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use quote::ToTokens as _;
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// The path of a module from the root of the crate; the root's own is empty.
pub(crate) type ModulePath = Vec<String>;

pub(crate) struct Module {
    pub(crate) items: Vec<Item>,
    /// Whether programs can name it.
    pub(crate) is_public: bool,
    /// The features without which it is not there.
    pub(crate) features: Vec<String>,
    pub(crate) imports: Vec<Import>,
}

/// One name that a `use` brings into a module.
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    /// Whether it is a re-export: `pub use` of any visibility.
    pub(crate) is_reexport: bool,
    pub(crate) is_public: bool,
    pub(crate) features: Vec<String>,
}

pub(crate) struct Source {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

/// The definition that a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Definition {
    pub(crate) module: ModulePath,
    /// `None` when the path leads to the module itself.
    pub(crate) name: Option<String>,
}

impl Source {
    /// The modules of this crate, without those of its tests.
    pub(crate) fn of_this_crate() -> Self {
        let mut source = Self { modules: BTreeMap::new() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        source.read(&root.join("lib.rs"), &root, Vec::new(), true, Vec::new());
        source
    }

    fn read(&mut self, file: &Path, folder: &Path, path: ModulePath, is_public: bool, features: Vec<String>) {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display())).unwrap();
        let items = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display())).unwrap().items;
        self.add(items, folder, path, is_public, features);
    }

    fn add(&mut self, items: Vec<Item>, folder: &Path, path: ModulePath, is_public: bool, features: Vec<String>) {
        let mut kept = Vec::new();
        for item in items {
            let attributes = attributes_of(&item);
            if is_test(attributes) {
                continue;
            }
            let Item::Mod(module) = item else {
                kept.push(item);
                continue;
            };
            let name = module.ident.to_string();
            let inside = folder.join(&name);
            let public = is_public && matches!(module.vis, Visibility::Public(_)) && !is_hidden(&module.attrs);
            let features = [features.clone(), features_of(&module.attrs)].concat();
            let path = [path.clone(), vec![name.clone()]].concat();
            match module.content {
                Some((_, items)) => self.add(items, &inside, path, public, features),
                None => {
                    let beside: PathBuf = folder.join(format!("{name}.rs"));
                    let file = if beside.exists() { beside } else { inside.join("mod.rs") };
                    self.read(&file, &inside, path, public, features);
                }
            }
        }
        let imports = kept.iter().flat_map(|item| if let Item::Use(item) = item { imports(item) } else { vec![] });
        let imports = imports.collect();
        self.modules.insert(path, Module { items: kept, is_public, features, imports });
    }

    /// Where `path`, written in `module`, leads to; `None` outside the crate.
    pub(crate) fn resolve(&self, module: &ModulePath, path: &[String]) -> Option<Definition> {
        self.resolve_within(module, path, 16)
    }

    fn resolve_within(&self, module: &ModulePath, path: &[String], steps: u32) -> Option<Definition> {
        let steps = steps.checked_sub(1)?;
        let mut at = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (at, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            _ => {}
        }
        let is_relative = rest.len() == path.len();
        for (index, part) in rest.iter().enumerate() {
            let child = [at.clone(), vec![part.clone()]].concat();
            if self.modules.contains_key(&child) {
                at = child;
                continue;
            }
            let here = self.modules.get(&at)?;
            if let Some(import) = here.imports.iter().find(|import| import.name == *part) {
                // A name of a module's own import, or of a re-export of another.
                let target = [import.path.clone(), rest[index + 1..].to_vec()].concat();
                return self.resolve_within(&at, &target, steps);
            }
            let is_here = here.items.iter().any(|item| name_of(item).as_ref() == Some(part));
            if !is_here && let Some(module) = self.module_with(&at, part, steps) {
                return self.resolve_within(&module, &rest[index..], steps);
            }
            if index == 0 && is_relative && !is_here {
                return None;
            }
            return Some(Definition { module: at, name: Some(part.clone()) });
        }
        Some(Definition { module: at, name: None })
    }
}

impl Source {
    /// The modules whose names `module` imports by `*`: all of them, or those that it gives on to programs.
    pub(crate) fn globs(&self, module: &ModulePath, only_public: bool) -> Vec<ModulePath> {
        self.globs_within(module, only_public, 16)
    }

    fn globs_within(&self, module: &ModulePath, only_public: bool, steps: u32) -> Vec<ModulePath> {
        let Some(here) = self.modules.get(module) else { return Vec::new() };
        let globs = here.imports.iter().filter(|import| import.name == "*" && (!only_public || import.is_public));
        let targets = globs.filter_map(|import| self.resolve_within(module, &import.path, steps));
        targets.filter(|target| target.name.is_none() && target.module != *module).map(|target| target.module).collect()
    }

    /// The module that `module` has `name` from by a `*`.
    fn module_with(&self, module: &ModulePath, name: &str, steps: u32) -> Option<ModulePath> {
        self.globs_within(module, false, steps).into_iter().find(|glob| {
            self.modules.get(glob).is_some_and(|there| {
                there.imports.iter().any(|import| import.name == name)
                    || there.items.iter().any(|item| name_of(item).as_deref() == Some(name))
            })
        })
    }
}

fn imports(item: &ItemUse) -> Vec<Import> {
    let mut leaves = Vec::new();
    walk(&item.tree, &mut Vec::new(), &mut leaves);
    let is_reexport = !matches!(item.vis, Visibility::Inherited);
    let is_public = matches!(item.vis, Visibility::Public(_));
    let features = features_of(&item.attrs);
    let import = |(name, path)| Import { name, path, is_reexport, is_public, features: features.clone() };
    leaves.into_iter().map(import).collect()
}

fn walk(tree: &UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<(String, Vec<String>)>) {
    let with = |prefix: &[String], name: String| [prefix, &[name]].concat();
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            walk(&path.tree, prefix, leaves);
            prefix.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push((prefix.last().cloned().unwrap_or_default(), prefix.clone()));
        }
        UseTree::Name(name) => leaves.push((name.ident.to_string(), with(prefix, name.ident.to_string()))),
        UseTree::Rename(name) => leaves.push((name.rename.to_string(), with(prefix, name.ident.to_string()))),
        UseTree::Glob(_) => leaves.push(("*".into(), prefix.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, prefix, leaves)),
    }
}

pub(crate) fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

pub(crate) fn name_of(item: &Item) -> Option<String> {
    match item {
        Item::Const(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Fn(item) => Some(item.sig.ident.to_string()),
        Item::Static(item) => Some(item.ident.to_string()),
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Trait(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        attribute.path().is_ident("cfg") && text.contains("test") && !text.contains("not")
    })
}

pub(crate) fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.meta.to_token_stream().to_string().replace(' ', "") == "doc(hidden)")
}

/// The conditions in the `cfg` attributes, as they are written.
pub(crate) fn features_of(attributes: &[Attribute]) -> Vec<String> {
    let cfgs = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    cfgs.map(|attribute| attribute.meta.to_token_stream().to_string().replace(' ', "")).collect()
}
