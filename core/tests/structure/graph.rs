//! Which module of a crate depends on which. The structure tests of the server use this file too.
//!
//! A module depends on the modules that define the names it uses. A re-export in a `mod.rs` does not count as a
//! dependency, unless the `mod.rs` uses the name itself.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

use crate::source::{ModulePath, Source};

pub(crate) type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The paths that a module's code names, and the first part of each.
#[derive(Default)]
struct Used(Vec<Vec<String>>);

impl<'a> Visit<'a> for Used {
    fn visit_item_use(&mut self, _: &'a syn::ItemUse) {}

    // `pub(in super::super)` says who may use, not what is used.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}

/// Returns which module depends on which, and by which names. `node` names the node of a module.
pub(crate) fn graph(node: impl Fn(&ModulePath) -> String) -> Graph {
    let source = Source::of_this_crate();
    let mut graph = Graph::new();
    for (path, module) in &source.modules {
        let mut used = Used::default();
        module.items.iter().for_each(|item| used.visit_item(item));
        let own_use = |name: &String| used.0.iter().any(|path| path.first() == Some(name));
        let imported = module.imports.iter().filter(|import| !import.is_reexport || own_use(&import.name));
        let imported = imported.map(|import| &import.path);
        // A single name in the code is a name of the module or one of its imports.
        let written = used.0.iter().filter(|path| path.len() > 1);
        let from = graph.entry(node(path)).or_default();
        for target in imported.chain(written) {
            let Some(definition) = source.resolve(path, target) else { continue };
            if node(&definition.module) != node(path) {
                let name = definition.name.unwrap_or_else(|| "*".into());
                from.entry(node(&definition.module)).or_default().insert(name);
            }
        }
    }
    graph
}

/// Returns every ring of imports as its edges: the shortest way round from its first module.
pub(crate) fn rings(graph: &Graph) -> Vec<String> {
    let reaches = |from: &String| -> BTreeMap<String, String> {
        // The node before each that can be reached.
        let mut before = BTreeMap::new();
        let mut next = vec![from.clone()];
        while !next.is_empty() {
            let mut further = Vec::new();
            for node in next {
                for to in graph.get(&node).into_iter().flat_map(BTreeMap::keys) {
                    if !before.contains_key(to) {
                        before.insert(to.clone(), node.clone());
                        further.push(to.clone());
                    }
                }
            }
            next = further;
        }
        before
    };
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for start in graph.keys() {
        let before = reaches(start);
        if told.contains(start) || !before.contains_key(start) {
            continue;
        }
        let mut way = vec![start.clone()];
        while let Some(node) = way.last().and_then(|node| before.get(node)).filter(|node| *node != start) {
            way.push(node.clone());
        }
        way.push(start.clone());
        way.reverse();
        told.extend(way.iter().cloned());
        let edges = way.windows(2).map(|pair| {
            let names: Vec<_> = graph[&pair[0]][&pair[1]].iter().cloned().collect();
            format!("{} -> {} ({})", pair[0], pair[1], names.join(" "))
        });
        found.push(edges.collect::<Vec<_>>().join(", "));
    }
    found
}
