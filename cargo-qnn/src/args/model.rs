//! Arguments that describe a model on the command line.

use std::collections::BTreeMap;

use qnn_manifest::fraction;
use qnn_types::{InputSpec, PerChannel};

/// `--input NAME=SHAPE[:dtype[:layout]][:scale=…][:mean=…][:std=…]`: what the app wants of one graph input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InputArg {
    pub(crate) name: String,
    pub(crate) spec: InputSpec,
}

const INPUT_FORM: &str = "NAME=SHAPE[:DTYPE[:LAYOUT]][:scale=S][:mean=M,…][:std=D,…], for example \
     image=1,3,224,224:uint8:nhwc:scale=1/255:mean=0.485,0.456,0.406:std=0.229,0.224,0.225";

impl std::str::FromStr for InputArg {
    type Err = String;

    /// `image=1,3,224,224:uint8`. The shape may be left out (`image=:uint8`); a name may have `:` in it.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected {INPUT_FORM}");
        let mut spec = InputSpec::default();
        let mut rest = text;
        while let Some((before, key, numbers)) = normalization(rest) {
            let numbers: Option<Vec<f64>> = numbers.split(',').map(fraction).collect();
            let numbers = numbers.ok_or_else(|| format!("`{key}` takes numbers; {}", expected()))?;
            let given = match (key, &numbers[..]) {
                ("scale", &[scale]) => spec.scale.replace(scale).is_some(),
                ("scale", _) => return Err(format!("`scale` is one number; {}", expected())),
                ("mean", _) => spec.mean.replace(per_channel(numbers)).is_some(),
                _ => spec.std.replace(per_channel(numbers)).is_some(),
            };
            if given {
                return Err(format!("`{key}` is there twice; {}", expected()));
            }
            rest = before;
        }
        let (name, rest) = rest.rsplit_once('=').ok_or_else(expected)?;
        let mut parts = rest.split(':');
        let shape = parts.next().unwrap_or_default();
        spec.shape = match shape.trim() {
            "" => None,
            dims => {
                let dims = dims.trim_start_matches('[').trim_end_matches(']').split([',', 'x']);
                let dims: Result<Vec<u64>, _> = dims.map(|dim| dim.trim().parse()).collect();
                Some(dims.map_err(|_| format!("`{shape}` is not a shape; {}", expected()))?)
            }
        };
        let text = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
        (spec.dtype, spec.layout) = (text(parts.next()), text(parts.next()));
        if parts.next().is_some() || name.is_empty() {
            return Err(expected());
        }
        Ok(Self { name: name.to_owned(), spec })
    }
}

/// The last `:key=numbers` of the text, and what is before it.
fn normalization(text: &str) -> Option<(&str, &'static str, &str)> {
    let (before, last) = text.rsplit_once(':')?;
    let (key, numbers) = last.split_once('=')?;
    let key = ["scale", "mean", "std"].into_iter().find(|known| *known == key)?;
    // A name may have `:` in it: what is left must still have its `=`.
    before.contains('=').then_some((before, key, numbers))
}

fn per_channel(numbers: Vec<f64>) -> PerChannel {
    match numbers[..] {
        [one] => PerChannel::One(one),
        _ => PerChannel::Each(numbers),
    }
}

/// `--dim NAME=N`: the size of a free dimension.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DimArg {
    pub(crate) name: String,
    pub(crate) size: u64,
}

impl std::str::FromStr for DimArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.rsplit_once('=').and_then(|(name, size)| Some((name, size.trim().parse().ok()?)));
        match parsed {
            Some((name, size)) if !name.is_empty() && size > 0 => Ok(Self { name: name.to_owned(), size }),
            _ => Err("expected NAME=N with N a whole number from 1, for example batch=4".to_owned()),
        }
    }
}

/// The sizes by name; the last word counts.
pub(crate) fn sizes(dims: &[DimArg]) -> BTreeMap<String, u64> {
    dims.iter().map(|dim| (dim.name.clone(), dim.size)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, Option<Vec<u64>>, Option<String>, Option<String>) {
        let InputArg { name, spec } = text.parse().unwrap();
        assert!(spec.normalization().is_none());
        (name, spec.shape, spec.dtype, spec.layout)
    }

    #[test]
    fn shape_dtype_and_layout_are_optional_from_the_end() {
        assert_eq!(parse("x=1,3,8,8"), ("x".into(), Some(vec![1, 3, 8, 8]), None, None));
        assert_eq!(parse("x=1x3:uint8"), ("x".into(), Some(vec![1, 3]), Some("uint8".into()), None));
        assert_eq!(parse("x=:uint8:nhwc"), ("x".into(), None, Some("uint8".into()), Some("nhwc".into())));
        assert_eq!(parse("a:0=[4]"), ("a:0".into(), Some(vec![4]), None, None));
    }

    #[test]
    fn nonsense_is_refused_with_the_form() {
        for text in ["x", "=1,2", "x=1,a", "x=1:f:l:more"] {
            let error = text.parse::<InputArg>().unwrap_err();
            assert!(error.contains("NAME=SHAPE"), "{error}");
        }
    }

    #[test]
    fn a_normalization_follows_in_any_order() {
        let parse = |text: &str| text.parse::<InputArg>().unwrap();
        let image = parse("a:0=1,3,8,8:uint8:nhwc:std=0.5:scale=1/255:mean=0.1,0.2,0.3");
        assert_eq!((image.name.as_str(), image.spec.layout.as_deref()), ("a:0", Some("nhwc")));
        assert_eq!(image.spec.scale, Some(1.0 / 255.0));
        assert_eq!(image.spec.mean, Some(PerChannel::Each(vec![0.1, 0.2, 0.3])));
        assert_eq!(image.spec.std, Some(PerChannel::One(0.5)));
        let short = parse("x=:scale=-2");
        assert_eq!((short.spec.shape, short.spec.dtype, short.spec.scale), (None, None, Some(-2.0)));
        // An input whose name looks like one.
        assert_eq!(parse("x:scale=4").name, "x:scale");
        for text in ["x=1:scale=a", "x=1:scale=1,2", "x=1:std=1/0", "x=1:mean=1:mean=2"] {
            assert!(text.parse::<InputArg>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_a_whole_number_from_one() {
        let dim = DimArg { name: "past + seq".into(), size: 7 };
        assert_eq!("past + seq=7".parse::<DimArg>(), Ok(dim));
        for text in ["batch", "batch=0", "=1", "batch=-1", "batch=x"] {
            assert!(text.parse::<DimArg>().is_err(), "{text}");
        }
    }
}
