//! Which features of a package are on, by cargo's rules for the packages that a command names.

use std::collections::BTreeSet;

use cargo_metadata::Package;

use crate::args::FeatureArgs;

/// The features of a selected package with these flags.
pub(crate) fn of_selected(package: &Package, args: &FeatureArgs) -> BTreeSet<String> {
    let known = &package.features;
    let words = args.features.iter().flat_map(|list| list.split([',', ' '])).filter(|word| !word.is_empty());
    // `package/feature` is for that package alone.
    let named = words.filter_map(|word| match word.split_once('/') {
        Some((name, feature)) => (name == package.name.as_str()).then(|| feature.to_owned()),
        None => Some(word.to_owned()),
    });
    let mut next: Vec<String> = named.collect();
    if args.all_features {
        next.extend(known.keys().cloned());
    } else if !args.no_default_features {
        next.push("default".to_owned());
    }
    let mut on = BTreeSet::new();
    while let Some(feature) = next.pop() {
        // `dep:name`, `name/feature` and `name?/feature` are about dependencies; the middle one turns an optional one on.
        let own = match feature.split_once('/') {
            Some((name, _)) if name.ends_with('?') => continue,
            Some((name, _)) => name.to_owned(),
            None => feature,
        };
        if let Some(enables) = known.get(&own)
            && on.insert(own)
        {
            next.extend(enables.iter().cloned());
        }
    }
    on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(flags: FeatureArgs) -> Vec<String> {
        let json = serde_json::json!({
            "name": "app", "version": "0.1.0", "id": "app 0.1.0", "dependencies": [], "targets": [],
            "manifest_path": "/app/Cargo.toml", "edition": "2024",
            "features": { "default": ["small"], "small": [], "big": ["small", "gpu/fast", "dep:zip"], "gpu": ["dep:gpu"] },
        });
        let package: Package = serde_json::from_value(json).unwrap();
        of_selected(&package, &flags).into_iter().collect()
    }

    fn features(list: &str) -> FeatureArgs {
        FeatureArgs { features: vec![list.to_owned()], ..FeatureArgs::default() }
    }

    #[test]
    fn features_follow_cargos_flags() {
        assert_eq!(on(FeatureArgs::default()), ["default", "small"]);
        assert_eq!(on(features("big")), ["big", "default", "gpu", "small"]);
        assert_eq!(on(FeatureArgs { no_default_features: true, ..FeatureArgs::default() }), [""; 0]);
        assert_eq!(
            on(FeatureArgs { no_default_features: true, ..features("app/small,other/big") }),
            ["small"]
        );
        assert_eq!(
            on(FeatureArgs { all_features: true, ..FeatureArgs::default() }),
            ["big", "default", "gpu", "small"]
        );
    }
}
