//! What the values of a model reach on samples.

use serde::{Deserialize, Serialize};

/// What a calibration run found of one graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Name of the graph.
    pub graph: String,
    /// Each float that a node of the fused graph computes, in the order of the nodes.
    pub values: Vec<ValueRange>,
}

/// The least and the largest number that a value took. Infinities and NaN do not count; of a value that was nothing else, the least is
/// above the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueRange {
    /// Name of the value. Others of the graph may have the same.
    pub value: String,
    /// The least number.
    #[serde(with = "exact")]
    pub low: f64,
    /// The largest number.
    #[serde(with = "exact")]
    pub high: f64,
}

/// Numbers as text: every one comes back as it was, and JSON has no infinities.
mod exact {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back_as_it_was() {
        let numbers = [
            0.1,
            f64::from(f32::MIN_POSITIVE) / 3.0,
            f64::from(f32::MAX),
            -65504.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            2.0_f64.powi(-1074),
            1.0 / 3.0,
        ];
        for pair in numbers.windows(2) {
            let range = ValueRange { value: "v".to_owned(), low: pair[0], high: pair[1] };
            let text = serde_json::to_string(&range).unwrap();
            assert_eq!(serde_json::from_str::<ValueRange>(&text).unwrap(), range, "{text}");
        }
        assert!(serde_json::from_str::<ValueRange>(r#"{"value":"v","low":"one","high":"2"}"#).is_err());
    }
}
