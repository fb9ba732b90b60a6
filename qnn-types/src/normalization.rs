//! What a graph makes of the numbers that an app passes, before the model sees them: `(q · scale - mean) / std`.

use crate::{Diagnostic, InputSpec, PerChannel};

/// `scale`, `mean` and `std` of an input, where one of them is said.
#[derive(Clone, Copy, Debug)]
pub struct Normalization<'a> {
    spec: &'a InputSpec,
}

/// The same, brought to a shape: the model gets `q · factor + shift` of each number q.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// The axis of the model's input that the channels are along.
    pub axis: usize,
    /// Factor and shift, one pair for all channels or one a channel.
    pub steps: Vec<(f64, f64)>,
}

impl InputSpec {
    /// What is to be done to the input's numbers; `None` where the manifest says nothing of it.
    pub fn normalization(&self) -> Option<Normalization<'_>> {
        let said = self.scale.is_some() || self.mean.is_some() || self.std.is_some();
        said.then_some(Normalization { spec: self })
    }
}

impl PerChannel {
    fn numbers(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Each(numbers) => numbers,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::One(number) => number.to_string(),
            Self::Each(numbers) => format!("{numbers:?}"),
        }
    }
}

impl Normalization<'_> {
    /// As a formula of q.
    pub fn text(&self) -> String {
        let InputSpec { scale, mean, std, .. } = self.spec;
        let mut text = scale.map_or("q".to_owned(), |scale| format!("q * {scale}"));
        if let Some(mean) = mean {
            text = format!("{text} - {}", mean.text());
        }
        if let Some(std) = std {
            let inner = if text == "q" { text } else { format!("({text})") };
            text = format!("{inner} / {}", std.text());
        }
        text
    }

    /// On an input of the model: its name, dtype, and its dimensions as far as they are known.
    ///
    /// # Errors
    /// `E0209` where numbers and input do not fit each other.
    pub fn of(&self, name: &str, dtype: &str, dims: &[Option<u64>]) -> Result<Affine, Diagnostic> {
        let wrong = |message: String| Diagnostic::new("E0209", format!("input `{name}`: {message}"));
        if !["float", "bfloat"].iter().any(|kind| dtype.starts_with(kind)) {
            return Err(wrong(format!(
                "`scale`, `mean` and `std` are for inputs that the model takes as floats; this one is {dtype}"
            )));
        }
        let scale = self.spec.scale.unwrap_or(1.0);
        let (mean, std) = (numbers(self.spec.mean.as_ref(), &[0.0]), numbers(self.spec.std.as_ref(), &[1.0]));
        if scale == 0.0 || std.contains(&0.0) {
            return Err(wrong(
                "`scale` and `std` cannot be 0: every number would become the same".to_owned(),
            ));
        }
        let count = mean.len().max(std.len());
        if [mean, std].iter().any(|list| list.len() != 1 && list.len() != count) {
            let message = format!("`mean` has {} numbers and `std` has {}", mean.len(), std.len());
            return Err(wrong(message).help("one number a channel in both, or one number for all channels"));
        }
        let at =
            |list: &[f64], channel: usize| list.get(channel).or(list.first()).copied().unwrap_or_default();
        let steps: Vec<(f64, f64)> =
            (0..count).map(|c| (scale / at(std, c), -at(mean, c) / at(std, c))).collect();
        let narrow = |number: f64| (number as f32).is_finite();
        if !steps.iter().all(|&(factor, shift)| narrow(factor) && narrow(shift)) {
            return Err(wrong("`scale`, `mean` and `std` give numbers beyond float32".to_owned()));
        }
        let axis = self.axis(dims, count).ok_or_else(|| {
            let dims: Vec<String> =
                dims.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string())).collect();
            wrong(format!(
                "`mean` or `std` has {count} numbers, which fit no channels of [{}]",
                dims.join(", ")
            ))
            .help("one number a channel: axis 1 of the model's input, or its last axis")
        })?;
        Ok(Affine { axis, steps })
    }

    /// Where the channels are: at axis 1, where ONNX has them, or at the end, where only that axis has as many as there are
    /// numbers and the manifest does not speak of a layout.
    fn axis(&self, dims: &[Option<u64>], count: usize) -> Option<usize> {
        let last = dims.len().checked_sub(1)?;
        let has = |axis: usize| dims[axis].is_none_or(|dim| dim == count as u64);
        match (last, count) {
            (0, 1) => Some(0),
            (0, _) => has(0).then_some(0),
            // One number fits every axis: few channels at the end are channels, as in a model that came from TensorFlow.
            (_, 1) => {
                let few = |axis: usize| dims[axis].is_some_and(|dim| (1..=4).contains(&dim));
                Some(if self.spec.layout.is_none() && last > 1 && few(last) && !few(1) { last } else { 1 })
            }
            _ if has(1) => Some(1),
            _ => (self.spec.layout.is_none() && has(last)).then_some(last),
        }
    }
}

fn numbers<'a>(said: Option<&'a PerChannel>, otherwise: &'a [f64]) -> &'a [f64] {
    said.map_or(otherwise, PerChannel::numbers)
}

impl Affine {
    /// What the model gets of the app's numbers: whole samples of shape `shape`, in the model's own layout.
    pub fn apply(&self, values: &mut [f64], shape: &[u64]) {
        self.each(values, shape, |value, (factor, shift)| value * factor + shift);
    }

    /// The app's numbers that give these.
    pub fn undo(&self, values: &mut [f64], shape: &[u64]) {
        self.each(values, shape, |value, (factor, shift)| (value - shift) / factor);
    }

    fn each(&self, values: &mut [f64], shape: &[u64], f: impl Fn(f64, (f64, f64)) -> f64) {
        let inner = shape.iter().skip(self.axis + 1).product::<u64>().max(1) as usize;
        for (block, step) in values.chunks_mut(inner).zip(self.steps.iter().cycle()) {
            block.iter_mut().for_each(|value| *value = f(*value, *step));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imagenet() -> InputSpec {
        InputSpec {
            scale: Some(1.0 / 255.0),
            mean: Some(PerChannel::Each(vec![0.485, 0.456, 0.406])),
            std: Some(PerChannel::Each(vec![0.229, 0.224, 0.225])),
            ..InputSpec::default()
        }
    }

    fn of(spec: &InputSpec, dims: &[u64]) -> Result<Affine, Diagnostic> {
        let dims: Vec<Option<u64>> = dims.iter().map(|dim| (*dim > 0).then_some(*dim)).collect();
        spec.normalization().unwrap().of("x", "float32", &dims)
    }

    #[test]
    fn numbers_are_scaled_centred_and_divided_channel_by_channel() {
        let affine = of(&imagenet(), &[1, 3, 1, 2]).unwrap();
        // Two samples of three channels of two pixels.
        let pixels = [0.0, 255.0, 128.0, 64.0, 1.0, 2.0].repeat(2);
        let mut values = pixels.clone();
        affine.apply(&mut values, &[1, 3, 1, 2]);
        let expected = [
            (0.0 - 0.485) / 0.229,
            (1.0 - 0.485) / 0.229,
            (128.0 / 255.0 - 0.456) / 0.224,
            (64.0 / 255.0 - 0.456) / 0.224,
            (1.0 / 255.0 - 0.406) / 0.225,
            (2.0 / 255.0 - 0.406) / 0.225,
        ];
        for (value, expected) in values.iter().zip(expected.repeat(2)) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
        affine.undo(&mut values, &[1, 3, 1, 2]);
        assert!(values.iter().zip(&pixels).all(|(value, pixel)| (value - pixel).abs() < 1e-9));
    }

    #[test]
    fn channels_are_at_axis_one_or_where_only_the_last_axis_has_as_many() {
        let axis = |spec: &InputSpec, dims: &[u64]| of(spec, dims).map(|affine| affine.axis).ok();
        let nhwc = InputSpec { layout: Some("nhwc".to_owned()), ..imagenet() };
        let one = InputSpec { scale: Some(0.5), ..InputSpec::default() };
        assert_eq!(axis(&imagenet(), &[1, 3, 8, 3]), Some(1));
        assert_eq!(axis(&imagenet(), &[1, 8, 8, 3]), Some(3));
        assert_eq!(axis(&imagenet(), &[1, 0, 8, 8]), Some(1));
        assert_eq!(axis(&nhwc, &[1, 8, 8, 3]), None);
        assert_eq!(axis(&imagenet(), &[1, 8, 8, 8]), None);
        assert_eq!(axis(&imagenet(), &[3]), Some(0));
        assert_eq!(axis(&one, &[1, 8, 8, 3]), Some(3));
        assert_eq!(axis(&one, &[1, 3, 8, 3]), Some(1));
        assert_eq!(axis(&one, &[]), None);
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        let fault = |spec: InputSpec| of(&spec, &[1, 3, 8, 8]).unwrap_err().message;
        assert!(fault(InputSpec { scale: Some(0.0), ..imagenet() }).contains("cannot be 0"));
        assert!(fault(InputSpec { std: Some(PerChannel::One(0.0)), ..imagenet() }).contains("cannot be 0"));
        let two = Some(PerChannel::Each(vec![0.5, 0.5]));
        assert!(fault(InputSpec { std: two.clone(), ..imagenet() }).contains("`std` has 2"));
        assert!(fault(InputSpec { mean: two.clone(), std: two, ..imagenet() }).contains("fit no channels"));
        assert!(fault(InputSpec { std: Some(PerChannel::One(1e-300)), ..imagenet() }).contains("float32"));
        let spec = imagenet();
        assert!(spec.normalization().unwrap().of("x", "int64", &[]).is_err());
    }

    #[test]
    fn the_formula_says_what_is_done() {
        let text = |spec: &InputSpec| spec.normalization().unwrap().text();
        let half = Some(PerChannel::One(0.5));
        assert_eq!(text(&InputSpec { mean: half.clone(), ..InputSpec::default() }), "q - 0.5");
        assert_eq!(text(&InputSpec { std: half.clone(), ..InputSpec::default() }), "q / 0.5");
        let both = InputSpec { scale: Some(2.0), mean: half.clone(), std: half, ..InputSpec::default() };
        assert_eq!(text(&both), "(q * 2 - 0.5) / 0.5");
    }
}
