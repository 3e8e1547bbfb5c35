//! Modules import each other one way.
//!
//! A module depends on the modules in which the names that it uses are defined. A re-export in a `mod.rs` is a sign at
//! the door, not a dependency, unless the `mod.rs` uses the name itself.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

use crate::source::{ModulePath, Source};

type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Folders that are one thing in several files. The methods of a database call each other across its files (an
/// enrolment creates a student, an erasure deletes sessions), and the codec's cipher takes the codec's own types.
/// Nothing outside the folder is part of such a ring.
const ONE_THING: [&str; 3] = ["store::codec", "store::postgres", "store::sqlite"];

#[test]
fn no_modules_import_each_other_in_a_ring() {
    let graph = graph(|module| {
        let path = module.join("::");
        let folder = ONE_THING.iter().find(|folder| path == **folder || path.starts_with(&format!("{folder}::")));
        folder.map_or(path.clone(), |folder| (*folder).to_owned())
    });
    assert!(graph.len() > 80, "only {} modules were read", graph.len());
    assert_eq!(rings(&graph), Vec::<String>::new());
}

#[test]
fn no_folders_at_the_top_import_each_other_in_a_ring() {
    assert_eq!(rings(&graph(|module| module.first().cloned().unwrap_or_default())), Vec::<String>::new());
}

#[test]
fn a_ring_is_found() {
    let mut graph = Graph::new();
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")] {
        graph.entry(from.into()).or_default().entry(to.into()).or_default().insert("x".into());
    }
    assert_eq!(rings(&graph), ["a -> b (x), b -> c (x), c -> a (x)"]);
}

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

/// Which module depends on which, and by which names, with each module under the name that `node` gives it.
fn graph(node: impl Fn(&ModulePath) -> String) -> Graph {
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

/// Every ring as its edges; the shortest way round from its first module.
fn rings(graph: &Graph) -> Vec<String> {
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
