//! The Snapdragon SoCs whose HTP (Hexagon Tensor Processor) this project compiles for.
//!
//! The rows are data: a new SoC is one more row, with the place its numbers were read at. A SoC is only listed when its
//! id, architecture, VTCM and fp16 support are all known.

use std::fmt;

use crate::nearest;

/// One SoC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soc {
    /// Part number, for example `SM8650`.
    pub name: &'static str,
    /// Other names users know it by, lower case with dashes, for example `snapdragon-8-gen-3`.
    pub aliases: &'static [&'static str],
    /// The vendor's SoC id (`socModel` in QNN's device configuration and in a context binary).
    pub id: u32,
    /// Hexagon architecture, for example 75.
    pub arch: u32,
    /// VTCM (the NPU's tightly coupled memory), MiB.
    pub vtcm_mb: u32,
    /// Where `vtcm_mb` was read.
    pub vtcm_source: &'static str,
    /// Whether the HTP of this SoC computes in fp16.
    pub fp16: bool,
    /// Where id, architecture and fp16 were read; every entry agrees with the row.
    pub sources: &'static [&'static str],
}

/// Reported by the vendor's library for this id: name and architecture in its log, fp16 by its op validation.
const LIBRARY: &str = "libQnnHtp.so 2.51.0.260929181845";
/// What the library plans for when the graph asks for all the VTCM there is; read from the binary's metadata.
const LIBRARY_VTCM: &str =
    "libQnnHtp.so 2.51.0.260929181845, graph info of a binary compiled for the SoC's full VTCM";
/// The SoC enumeration of the vendor's headers (`QnnTypes.h`), SDK 2.48; ids up to 87.
const HEADER: &str = "QNN SDK 2.48 headers";
const EXECUTORCH: &str = "pytorch/executorch backends/qualcomm/serialization/qc_schema.py";

const IN_HEADER: &[&str] = &[LIBRARY, HEADER];
const IN_EXECUTORCH: &[&str] = &[LIBRARY, HEADER, EXECUTORCH];
const NEWER: &[&str] = &[LIBRARY];
const NEWER_EXECUTORCH: &[&str] = &[LIBRARY, EXECUTORCH];

const FP16: bool = true;
const NO_FP16: bool = false;

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    (id, arch, vtcm_mb, fp16): (u32, u32, u32, bool),
    sources: &'static [&'static str],
) -> Soc {
    Soc { name, aliases, id, arch, vtcm_mb, vtcm_source: LIBRARY_VTCM, fp16, sources }
}

/// Every SoC that can be compiled for, by id.
#[rustfmt::skip]
pub const SOCS: &[Soc] = &[
    row("SM8350", &["snapdragon-888"], (30, 68, 4, FP16), IN_EXECUTORCH),
    row("SM7350", &["snapdragon-780g"], (32, 68, 2, NO_FP16), IN_HEADER),
    row("SM8325", &[], (34, 68, 4, NO_FP16), IN_HEADER),
    row("SM7325", &["snapdragon-778g"], (35, 68, 2, NO_FP16), IN_HEADER),
    row("SM8450", &["snapdragon-8-gen-1"], (36, 69, 8, FP16), IN_EXECUTORCH),
    row("SC8280X", &["sc8280xp", "snapdragon-8cx-gen-3"], (37, 68, 4, NO_FP16), IN_HEADER),
    row("SM7315", &[], (38, 68, 2, NO_FP16), IN_HEADER),
    row("SA8295", &["sa8295p"], (39, 68, 8, FP16), IN_EXECUTORCH),
    row("SM7450", &["snapdragon-7-gen-1"], (41, 69, 2, FP16), IN_HEADER),
    row("SM8475", &["snapdragon-8-plus-gen-1"], (42, 69, 8, FP16), IN_EXECUTORCH),
    row("SM8550", &["snapdragon-8-gen-2"], (43, 73, 8, FP16), IN_EXECUTORCH),
    row("SXR1230P", &[], (45, 73, 2, NO_FP16), IN_EXECUTORCH),
    row("SSG2115P", &[], (46, 73, 2, NO_FP16), IN_EXECUTORCH),
    row("SM6450", &["snapdragon-6-gen-1"], (50, 73, 2, NO_FP16), IN_HEADER),
    row("SA8255", &["sa8255p", "sa8775p"], (52, 73, 8, FP16), IN_EXECUTORCH),
    row("SXR2230P", &["snapdragon-xr2-gen-2"], (53, 69, 8, FP16), IN_EXECUTORCH),
    row("SM7475", &["snapdragon-7-plus-gen-2"], (54, 69, 4, NO_FP16), IN_HEADER),
    row("SM8650", &["snapdragon-8-gen-3"], (57, 75, 8, FP16), IN_EXECUTORCH),
    row("SSG2125P", &[], (58, 73, 2, NO_FP16), IN_EXECUTORCH),
    row("SC8380XP", &["snapdragon-x-elite", "x1e80100", "x1p64100"], (60, 73, 8, FP16), IN_HEADER),
    row("SM7435", &["snapdragon-7s-gen-2"], (61, 73, 2, NO_FP16), IN_HEADER),
    row("SA8540", &["sa8540p"], (62, 68, 8, FP16), IN_HEADER),
    row("SM7550", &["snapdragon-7-gen-3"], (64, 73, 2, NO_FP16), IN_HEADER),
    row("QCS8550", &["qcm8550"], (66, 73, 8, FP16), IN_HEADER),
    row("SA8620P", &[], (67, 75, 8, FP16), IN_HEADER),
    row("SM8635", &["snapdragon-8s-gen-3"], (68, 73, 4, NO_FP16), IN_HEADER),
    row("SM8750", &["snapdragon-8-elite"], (69, 79, 8, FP16), IN_EXECUTORCH),
    row("SM7675", &["snapdragon-7-plus-gen-3"], (70, 73, 4, NO_FP16), IN_HEADER),
    row("SA8797", &["sa8797p"], (72, 81, 16, FP16), IN_EXECUTORCH),
    row("SM7635", &["snapdragon-7s-gen-3"], (73, 73, 2, NO_FP16), IN_HEADER),
    row("SM6650", &["snapdragon-6-gen-4"], (74, 73, 2, NO_FP16), IN_HEADER),
    row("SXR2330P", &[], (75, 79, 8, FP16), IN_EXECUTORCH),
    row("SM6475", &["snapdragon-6-gen-3"], (76, 73, 2, NO_FP16), IN_HEADER),
    row("QCS9100", &["qcs9075", "iq-9075", "dragonwing-iq-9075"], (77, 73, 8, FP16), IN_EXECUTORCH),
    row("QCM6690", &[], (78, 73, 2, NO_FP16), IN_HEADER),
    row("QCS8300", &["qcs8275", "iq-8275", "dragonwing-iq-8275"], (82, 75, 8, FP16), IN_HEADER),
    row("SM8735", &["snapdragon-8s-gen-4"], (85, 73, 8, NO_FP16), IN_HEADER),
    row("SM7750", &["snapdragon-7-gen-4"], (86, 73, 4, NO_FP16), IN_HEADER),
    row("SM8850", &["snapdragon-8-elite-gen-5"], (87, 81, 8, FP16), IN_EXECUTORCH),
    row("SC8480XP", &["snapdragon-x2-elite"], (88, 81, 8, FP16), NEWER),
    row("QCM8538", &[], (89, 73, 8, FP16), NEWER),
    row("QCS8625", &[], (90, 75, 8, FP16), NEWER),
    row("SM7775", &[], (91, 73, 4, NO_FP16), NEWER),
    row("SM8850L", &[], (92, 81, 8, FP16), NEWER),
    row("QCS6490", &["qcm6490", "rb3gen2", "rb3-gen-2-vision-kit"], (93, 68, 2, NO_FP16), NEWER_EXECUTORCH),
    row("SC8440XP", &[], (94, 81, 8, FP16), NEWER),
    row("SAR2230P", &[], (95, 81, 4, NO_FP16), NEWER_EXECUTORCH),
    row("SW6100", &[], (96, 81, 4, NO_FP16), NEWER_EXECUTORCH),
    row("SM8845", &["snapdragon-8-gen-5"], (97, 81, 8, FP16), NEWER_EXECUTORCH),
    row("QCM8838", &[], (99, 81, 8, FP16), NEWER),
    row("SAR1165P", &[], (100, 73, 2, NO_FP16), NEWER),
    row("SAR1180P", &[], (101, 73, 2, NO_FP16), NEWER),
    row("CQ7790M", &[], (102, 73, 4, NO_FP16), NEWER),
    row("SM8975", &[], (103, 85, 12, FP16), NEWER),
    row("CQ8725S", &[], (104, 79, 8, FP16), NEWER),
    row("CQ8750S", &[], (105, 79, 8, FP16), NEWER),
    row("QCS8845", &[], (109, 81, 8, FP16), NEWER),
    row("XRV7200", &[], (110, 81, 4, NO_FP16), NEWER),
    row("XRV7205", &[], (111, 81, 4, NO_FP16), NEWER),
    row("SM8975L", &[], (112, 85, 8, FP16), NEWER),
    row("SM8950", &[], (113, 85, 8, FP16), NEWER),
    row("SA8787", &[], (114, 85, 8, FP16), NEWER),
    row("QMX115", &[], (115, 81, 2, FP16), NEWER),
    row("IPQ9650", &[], (117, 81, 2, FP16), NEWER),
    row("IQX5121", &[], (119, 73, 8, FP16), NEWER),
    row("SC8340XP", &[], (120, 73, 8, FP16), NEWER),
    row("SM7950", &[], (123, 81, 4, FP16), NEWER),
];

/// The SoC that stands for its architecture when a target is given as `v75`: the best known phone SoC of it.
pub const ARCH_DEFAULTS: &[(u32, &str)] = &[
    (68, "SM8350"),
    (69, "SM8450"),
    (73, "SM8550"),
    (75, "SM8650"),
    (79, "SM8750"),
    (81, "SM8850"),
    (85, "SM8975"),
];

/// A SoC of which the vendor's library has a simulation, which tells what an execution costs without a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// Its id.
    pub id: u32,
    /// The chip that is simulated, by what the library's trace calls it.
    pub chip: &'static str,
    /// Architectures that it stands for, of which the library simulates no chip that is nearer.
    pub stands_for: &'static [u32],
}

/// All of them that have fp16, but for QCS9100, which is the same as SA8255. The simulation's clocks and memory are in its traces:
/// Lahaina is the chip of SM8350, Kailua of SM8550, Kaanapali of SM8850, Pakala of SM8750.
#[rustfmt::skip]
pub const SIMULATED: &[Simulated] = &[
    Simulated { id: 62, chip: "Lahaina (SM8350)", stands_for: &[68, 69] },
    Simulated { id: 52, chip: "Kailua (SM8550)", stands_for: &[73, 75] },
    Simulated { id: 114, chip: "Pakala (SM8750)", stands_for: &[79, 85] },
    Simulated { id: 72, chip: "Kaanapali (SM8850)", stands_for: &[81] },
];

/// The simulated SoC that stands for an architecture.
pub fn simulated(arch: u32) -> Option<&'static Simulated> {
    SIMULATED.iter().find(|row| row.stands_for.contains(&arch))
}

/// A SoC name that is in no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSoc {
    /// What was asked for.
    pub name: String,
    /// Part numbers and aliases that come closest, best first; may be empty.
    pub nearest: Vec<&'static str>,
}

impl fmt::Display for UnknownSoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown SoC `{}`", self.name)?;
        match self.nearest.as_slice() {
            [] => write!(f, "; `cargo qnn socs` lists the known ones"),
            names => {
                let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "; did you mean {}?", quoted.join(" or "))
            }
        }
    }
}

impl std::error::Error for UnknownSoc {}

/// Looks a SoC up by part number (`SM8650`), alias (`snapdragon-8-gen-3`), numeric id (`57`), or architecture (`v75`: the
/// row that [`ARCH_DEFAULTS`] names). Letter case and dashes do not matter.
pub fn find(name: &str) -> Result<&'static Soc, UnknownSoc> {
    let name = name.trim();
    let folded = nearest::fold(name);
    let by_number = name.parse::<u32>().ok().and_then(by_id);
    let by_arch = || {
        let digits: String = folded.strip_prefix(&['v'])?.iter().collect();
        arch_default(digits.parse().ok()?)
    };
    let by_name = || {
        SOCS.iter().find(|soc| names(soc).any(|known| !folded.is_empty() && nearest::fold(known) == folded))
    };
    // Phones report the bin that they have: SM8550-AC, SM8750-3-AB, SM8650P. The HTP is that of the part.
    let by_part = || {
        let part = name.split('-').next().unwrap_or(name);
        let known = |part: &str| SOCS.iter().find(|soc| soc.name.eq_ignore_ascii_case(part));
        let bins = name.split('-').skip(1);
        let is_bin = |bin: &str| bin.len() <= 2 && bin.chars().all(|c| c.is_ascii_alphanumeric());
        if !bins.clone().all(is_bin) {
            return None;
        }
        known(part).or_else(|| known(part.strip_suffix(['P', 'p'])?))
    };
    by_number.or_else(by_arch).or_else(by_name).or_else(by_part).ok_or_else(|| UnknownSoc {
        name: name.to_owned(),
        nearest: nearest::nearest(name, SOCS.iter().flat_map(names), 3),
    })
}

/// The SoC of a numeric id.
pub fn by_id(id: u32) -> Option<&'static Soc> {
    SOCS.iter().find(|soc| soc.id == id)
}

/// The SoC that stands for an architecture, for example 75.
pub fn arch_default(arch: u32) -> Option<&'static Soc> {
    let (_, name) = ARCH_DEFAULTS.iter().find(|(known, _)| *known == arch)?;
    SOCS.iter().find(|soc| soc.name == *name)
}

fn names(soc: &'static Soc) -> impl Iterator<Item = &'static str> {
    std::iter::once(soc.name).chain(soc.aliases.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_spelling_of_a_soc_finds_it() {
        for spelling in
            ["SM8650", "sm8650", " SM-8650 ", "57", "v75", "V75", "snapdragon-8-gen-3", "Snapdragon 8 Gen 3"]
        {
            assert_eq!(find(spelling).map(|soc| soc.id), Ok(57), "{spelling}");
        }
    }

    #[test]
    fn what_phones_and_boards_report_is_found() {
        for (reported, name) in [
            ("SM8550-AC", "SM8550"),
            ("SM8550P", "SM8550"),
            ("SM8650-AC", "SM8650"),
            ("SM8750P", "SM8750"),
            ("sm8750-3-ab", "SM8750"),
            ("SM8850-AC", "SM8850"),
            ("SM8850L", "SM8850L"),
            ("SA8775P", "SA8255"),
            ("QCS9075", "QCS9100"),
            ("rb3gen2", "QCS6490"),
            ("RB3 Gen 2", "QCS6490"),
        ] {
            assert_eq!(find(reported).map(|soc| soc.name), Ok(name), "{reported}");
        }
        for word in ["SM8550-pro", "SM8551-AC", "-AC", "P", "SM9999P"] {
            assert!(find(word).is_err(), "{word}");
        }
    }

    #[test]
    fn an_unknown_name_offers_the_nearest() {
        let error = find("SM8560").unwrap_err();
        assert!(error.nearest.contains(&"SM8650"), "{error}");
        assert!(error.to_string().starts_with("unknown SoC `SM8560`; did you mean `SM8"), "{error}");
        assert!(
            find("snapdragon-9-gen-9")
                .unwrap_err()
                .nearest
                .iter()
                .any(|name| name.starts_with("snapdragon-"))
        );
    }

    #[test]
    fn nonsense_is_refused_without_a_guess() {
        for word in ["", "v", "v60", "0", "4294967296", "toaster-oven"] {
            assert!(find(word).is_err(), "{word}");
        }
        assert!(find("").unwrap_err().to_string().contains("cargo qnn socs"));
    }

    #[test]
    fn ids_and_names_are_unique() {
        let mut seen = HashSet::new();
        for soc in SOCS {
            assert!(seen.insert(soc.id.to_string()), "id {}", soc.id);
            for name in names(soc) {
                assert!(seen.insert(name.to_lowercase()), "{name}");
                assert!(name.parse::<u32>().is_err(), "{name} would be read as an id");
            }
        }
    }

    #[test]
    fn rows_are_in_the_order_of_their_ids() {
        assert!(SOCS.is_sorted_by_key(|soc| soc.id));
    }

    #[test]
    fn every_architecture_has_one_default_of_that_architecture() {
        for soc in SOCS {
            assert_eq!(arch_default(soc.arch).map(|default| default.arch), Some(soc.arch), "{}", soc.name);
        }
        assert!(ARCH_DEFAULTS.iter().all(|(arch, _)| SOCS.iter().any(|soc| soc.arch == *arch)));
    }
}
