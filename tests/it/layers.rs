//! Uses point one way (design section 8). A single crate can't enforce that, so this does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each layer may use. What is not here is no layer.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("store", &["domain"]),
    ("bus", &["domain", "protocol"]),
    ("engine", &["domain", "protocol", "store", "bus"]),
    ("hub", &["domain", "protocol", "bus"]),
    ("settings", &["domain"]),
    (
        "transport",
        &["domain", "protocol", "hub", "engine", "bus", "settings"],
    ),
    ("server", ALL),
    ("cli", ALL),
];

const ALL: &[&str] = &[
    "domain",
    "protocol",
    "store",
    "bus",
    "engine",
    "hub",
    "settings",
    "transport",
    "server",
];

/// Words that the rules and the protocol, being pure, have no business with.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "SystemTime",
    "Instant",
];

#[test]
fn each_layer_uses_only_those_below_it() {
    let table: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let Some(layer) = layer_of(&path) else {
            continue;
        };
        let Some(allowed) = table.get(layer.as_str()) else {
            wrong.push(format!("{} belongs to no known layer", path.display()));
            continue;
        };
        for used in used_by(&code) {
            if used != layer && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: {layer} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_rules_and_the_protocol_are_pure() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        if matches!(layer_of(&path).as_deref(), Some("domain" | "protocol")) {
            let found = IMPURE.iter().filter(|word| code.contains(**word));
            wrong.extend(found.map(|word| format!("{}: {word}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_scan_sees_every_form_of_use() {
    let code =
        "use crate::domain::View;\nuse crate::{bus::Bus, store};\nfn f() -> crate::hub::Hub {}";
    let used: Vec<_> = used_by(code).into_iter().collect();
    assert_eq!(used, ["bus", "domain", "hub", "store"]);
    assert_eq!(
        without_comments("a // crate::x\n//! crate::y\nb"),
        "a \n\nb\n"
    );
}

/// Every source file, relative to `src`, without its comments. A layer's tests join the layers as they need.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !path
                    .iter()
                    .any(|part| part == "tests" || part == "tests.rs")
            {
                let code = fs::read_to_string(&path).expect("text");
                let relative = path.strip_prefix(&root).expect("inside").to_owned();
                files.push((relative, without_comments(&code)));
            }
        }
    }
    assert!(files.len() > 20, "the sources were found");
    files
}

fn without_comments(code: &str) -> String {
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// `lib.rs` and `main.rs` are of no layer: they name them all.
fn layer_of(path: &Path) -> Option<String> {
    let first = path.iter().next()?.to_str()?;
    let layer = first.strip_suffix(".rs").unwrap_or(first);
    (layer != "lib" && layer != "main").then(|| layer.to_owned())
}

/// The modules of this crate that a file names.
fn used_by(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => used.extend(heads(list)),
            None => used.extend(head(rest)),
        }
    }
    used
}

/// The first words of a use list's items, nested lists left out.
fn heads(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut items = vec![String::new()];
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items.last_mut().expect("never empty").push(character),
            _ => {}
        }
    }
    items.iter().filter_map(|item| head(item.trim())).collect()
}

fn head(path: &str) -> Option<String> {
    let word: String = path
        .chars()
        .take_while(|c| c.is_ascii_lowercase() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}
