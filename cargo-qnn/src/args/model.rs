//! Arguments that describe a model on the command line.

use qnn_build::job::InputSpec;

/// `--input NAME=SHAPE[:dtype[:layout]]`: what the app wants of one graph input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InputArg {
    pub(crate) name: String,
    pub(crate) spec: InputSpec,
}

impl std::str::FromStr for InputArg {
    type Err = String;

    /// `image=1,3,224,224:uint8:nhwc`. The shape may be left out (`image=:uint8`); a name may have `:` in it.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "NAME=SHAPE[:DTYPE[:LAYOUT]], for example image=1,3,224,224:uint8";
        let (name, rest) = text.rsplit_once('=').ok_or_else(|| format!("expected {FORM}"))?;
        let mut parts = rest.split(':');
        let shape = parts.next().unwrap_or_default();
        let shape = match shape.trim() {
            "" => None,
            dims => {
                let dims = dims.trim_start_matches('[').trim_end_matches(']').split([',', 'x']);
                let dims: Result<Vec<u64>, _> = dims.map(|dim| dim.trim().parse()).collect();
                Some(dims.map_err(|_| format!("`{shape}` is not a shape; expected {FORM}"))?)
            }
        };
        let text = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
        let (dtype, layout) = (text(parts.next()), text(parts.next()));
        if parts.next().is_some() || name.is_empty() {
            return Err(format!("expected {FORM}"));
        }
        Ok(Self { name: name.to_owned(), spec: InputSpec { shape, dtype, layout } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, Option<Vec<u64>>, Option<String>, Option<String>) {
        let InputArg { name, spec } = text.parse().unwrap();
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
}
