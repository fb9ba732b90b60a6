//! Settings that override the manifest: environment, `--config`, flags, and what a build script sets through the builder.

use qnn_platform::env;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::tree::{Origin, Table, to_json};
use qnn_types::Diagnostic;

/// Settings that override the manifest, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    settings: Vec<(Vec<String>, Value, Origin)>,
    soc: Option<(Vec<String>, Origin)>,
    problems: Vec<Diagnostic>,
}

impl Overrides {
    /// The settings of the environment: `QNN_CONFIG` and `QNN_SOC`.
    pub fn from_env() -> Self {
        let mut overrides = Self::default();
        for line in env::string(&env::QNN_CONFIG).unwrap_or_default().lines() {
            if !line.trim().is_empty() {
                overrides.add_config(line, Origin::Env(env::QNN_CONFIG.name));
            }
        }
        if let Some(list) = env::string(&env::QNN_SOC) {
            overrides.add_soc([list], Origin::Env(env::QNN_SOC.name));
        }
        overrides
    }

    /// A `--config KEY=VALUE` argument. What is wrong with it is told when the manifest is loaded.
    #[must_use]
    pub fn config(mut self, arg: &str) -> Self {
        self.add_config(arg, Origin::Config(arg.to_owned()));
        self
    }

    /// The `--soc` flag: these SoCs for every model, whatever the manifest says. Commas separate; no SoC at all
    /// changes nothing.
    #[must_use]
    pub fn soc<S: AsRef<str>>(mut self, list: impl IntoIterator<Item = S>) -> Self {
        self.add_soc(list, Origin::Flag("--soc"));
        self
    }

    /// Sets one value, as a call of the build script does.
    #[must_use]
    pub fn set(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        let path = path.iter().map(|&key| key.to_owned()).collect();
        self.settings.push((path, value.into(), Origin::Flag("build script")));
        self
    }

    /// The settings of `above` on top of these.
    #[must_use]
    pub fn and(mut self, above: Overrides) -> Self {
        self.settings.extend(above.settings);
        self.soc = above.soc.or(self.soc);
        self.problems.extend(above.problems);
        self
    }

    fn add_config(&mut self, arg: &str, origin: Origin) {
        match parse_config(arg) {
            Ok((path, value)) => self.settings.push((path, value, origin)),
            Err(why) => self.problems.push(
                Diagnostic::new("E0117", format!("`{arg}` is not a setting"))
                    .at(origin.to_string())
                    .note(why)
                    .help("KEY=VALUE, for example models.digits.precision=fp16"),
            ),
        }
    }

    fn add_soc<S: AsRef<str>>(&mut self, list: impl IntoIterator<Item = S>, origin: Origin) {
        let socs: Vec<String> = list
            .into_iter()
            .flat_map(|text| text.as_ref().split(',').map(str::trim).map(str::to_owned).collect::<Vec<_>>())
            .filter(|soc| !soc.is_empty())
            .collect();
        if !socs.is_empty() {
            self.soc = Some((socs, origin));
        }
    }

    /// Puts the settings on top of `tree` and returns what is wrong with them.
    pub(super) fn apply(&self, tree: &mut Table) -> Vec<Diagnostic> {
        for (path, value, origin) in &self.settings {
            tree.set(path, value.clone(), origin);
        }
        if let Some((socs, origin)) = &self.soc {
            tree.set(&["soc".to_owned()], socs.clone().into(), origin);
            // A list of a model would win over the package's, and with it over the flag.
            if let Some(models) = tree.table_mut("models") {
                for name in models.entries.keys().cloned().collect::<Vec<_>>() {
                    if let Some(model) = models.table_mut(&name) {
                        model.entries.remove("soc");
                    }
                }
            }
        }
        self.problems.clone()
    }
}

/// `a.b."c d" = VALUE` as TOML; where VALUE is no TOML, it is taken as text.
fn parse_config(arg: &str) -> Result<(Vec<String>, Value), String> {
    let (key, value) = arg.split_once('=').ok_or("there is no `=`")?;
    let document = format!("{key}={value}\n");
    let quoted;
    let parsed = match DeTable::parse(&document) {
        Ok(table) => table,
        Err(_) => {
            quoted = format!("{key}={}\n", Value::from(value.trim()));
            DeTable::parse(&quoted).map_err(|error| error.message().to_owned())?
        }
    };
    let mut path = Vec::new();
    let mut table = parsed.get_ref();
    loop {
        let mut entries = table.iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            return Err("one setting at a time".to_owned());
        };
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            // Dotted keys are tables within tables; a table that was written as the value ends the key as well.
            DeValue::Table(inner) if inner.len() == 1 => table = inner,
            value => return Ok((path, to_json(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arg: &str) -> (String, Value) {
        let (path, value) = parse_config(arg).unwrap();
        (path.join("/"), value)
    }

    #[test]
    fn a_config_argument_is_toml_or_a_bare_word() {
        assert_eq!(parsed("models.a.precision=fp16"), ("models/a/precision".into(), "fp16".into()));
        assert_eq!(parsed("models.a.htp.optimization = 1"), ("models/a/htp/optimization".into(), 1.into()));
        assert_eq!(parsed("soc=[\"SM8650\"]"), ("soc".into(), vec!["SM8650"].into()));
        assert_eq!(parsed("models.\"a.b\".source=m/x.onnx"), ("models/a.b/source".into(), "m/x.onnx".into()));
        assert_eq!(parsed("models.a.source=C:\\x\"y"), ("models/a/source".into(), "C:\\x\"y".into()));
    }

    #[test]
    fn nonsense_is_refused() {
        for arg in ["", "soc", "=", "=x", "a b=1", "a=1\nb=2"] {
            assert!(parse_config(arg).is_err(), "{arg:?}");
        }
    }
}
