//! Relative links of pages, and files that pages and comments name.

use std::path::Path;

use crate::texts;

/// GitHub's name of a heading's anchor.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn anchors(page: &str) -> Vec<String> {
    page.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

/// Targets of the links in a page, outside of code.
fn targets(page: &str) -> Vec<&str> {
    let mut code = false;
    let mut targets = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            targets.extend(
                line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target),
            );
        }
    }
    targets
}

#[test]
fn every_relative_link_of_a_page_works() {
    let root = texts::root();
    let mut found = Vec::new();
    for page in texts::pages() {
        let here = root.join(&page.path);
        for target in targets(&page.text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) =
                target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
            let file = if file.is_empty() { here.clone() } else { here.parent().unwrap().join(file) };
            let works = match heading {
                _ if !file.exists() => false,
                Some(heading) => {
                    anchors(&std::fs::read_to_string(&file).unwrap()).iter().any(|anchor| anchor == heading)
                }
                None => true,
            };
            if !works {
                found.push(format!("{}: {target}", page.path.display()));
            }
        }
    }
    texts::none(&found);
}

/// Words that are a path from the repository's root: they begin with a folder of it.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    text.split(move |c: char| !inside(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.contains('/'))
}

#[test]
fn every_file_of_the_repository_that_is_named_exists() {
    let root = texts::root();
    let folders: Vec<String> = std::fs::read_dir(&root)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != "target" && name != ".git")
        .collect();
    let mut found = Vec::new();
    for file in texts::all(&[".md", ".rs", "justfile", "run"]) {
        let comments = file.path.extension().is_some_and(|extension| extension == "rs");
        for line in file.text.lines().filter(|line| !comments || line.trim_start().starts_with("//")) {
            for path in paths(line) {
                let (first, _) = path.split_once('/').unwrap_or((path, ""));
                // A path in an app looks alike: `models/`, `src/`; and what is built is not there yet.
                let ours = folders.iter().any(|folder| folder == first)
                    && !path.contains("/target/")
                    && !path.contains("/corpus");
                let beside = file.path.parent().unwrap_or(Path::new(""));
                if ours && !root.join(path).exists() && !root.join(beside).join(path).exists() {
                    found.push(format!("{}: {path}", file.path.display()));
                }
            }
        }
    }
    texts::none(&found);
}
