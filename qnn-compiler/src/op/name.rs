//! From names to operators and back.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::Op;

/// The name of an operator without a row. There is one of each: it lives as long as the process.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Domain.
    pub domain: String,
    /// Operator.
    pub name: String,
}

static KNOWN: LazyLock<HashMap<(&'static str, &'static str), Op>> =
    LazyLock::new(|| Op::KNOWN.iter().map(|op| (op.full_name(), *op)).collect());

static OTHERS: LazyLock<Mutex<HashSet<&'static Name>>> = LazyLock::new(Mutex::default);

/// The only copy of a name.
fn interned(name: Name) -> &'static Name {
    let mut all = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(&name) {
        return known;
    }
    let kept = Box::leak(Box::new(name));
    all.insert(kept);
    kept
}

impl Op {
    /// The operator of a domain, which is empty for the standard's own.
    pub fn of(domain: &str, name: &str) -> Self {
        Self::known(domain, name).unwrap_or_else(|| Self::own(domain, name))
    }

    /// The operator of that name that the engine knows.
    pub fn known(domain: &str, name: &str) -> Option<Self> {
        KNOWN.get(&(domain, name)).copied()
    }

    /// An op of an app's op package, whatever it is called: it is none of those that are known.
    pub(crate) fn own(domain: &str, name: &str) -> Self {
        Self::Other(interned(Name { domain: domain.to_owned(), name: name.to_owned() }))
    }

    /// Its domain; empty for the standard's own.
    pub fn domain(self) -> &'static str {
        self.full_name().0
    }

    /// Its name in the domain.
    pub fn name(self) -> &'static str {
        self.full_name().1
    }

    /// What reports call it: its name, with the domain where that is an op package's.
    pub fn label(self) -> String {
        match self {
            Self::Other(_) => self.to_string(),
            _ => self.name().to_owned(),
        }
    }

    /// Whether it is one of the standard's.
    pub fn is_standard(self) -> bool {
        self.domain().is_empty()
    }
}

/// The name; with the domain before it, `domain::Name`, where that is not the standard's.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.full_name() {
            ("", name) => f.pad(name),
            (domain, name) => f.pad(&format!("{domain}::{name}")),
        }
    }
}

/// Reads what `Display` writes.
impl FromStr for Op {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (domain, name) = text.rsplit_once("::").unwrap_or(("", text));
        Ok(Self::of(domain, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        let others = [Op::of("my.package", "Relu"), Op::of("", "Fancy"), Op::of("a::b", "C")];
        for op in Op::KNOWN.iter().copied().chain(others) {
            assert_eq!(op.to_string().parse(), Ok(op));
            assert_eq!(Op::of(op.domain(), op.name()), op);
        }
    }

    #[test]
    fn a_name_of_another_domain_is_another_operator() {
        assert_ne!(Op::of("com.microsoft", "Gelu"), Op::Gelu);
        assert_eq!(Op::of("my.package", "Relu"), Op::of("my.package", "Relu"));
        assert_eq!(Op::MsGelu.to_string(), "com.microsoft::Gelu");
    }
}
