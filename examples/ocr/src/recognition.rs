//! From the recognizer's probabilities to text (greedy CTC decoding).

/// The characters in the order of the recognizer's outputs, one a line; `build.rs` takes them out of the model file.
static CHARACTERS: &str = include_str!(concat!(env!("OUT_DIR"), "/characters.txt"));

/// A line of text.
#[derive(Debug)]
pub struct Line {
    pub text: String,
    /// Mean probability of its characters, 0 to 1.
    pub confidence: f32,
}

/// Reads the probabilities: for each place along the line one row, with a value for "nothing", one for each
/// character, and one for the space.
pub fn decode(probabilities: &[f32]) -> Line {
    let mut alphabet = vec![""];
    alphabet.extend(CHARACTERS.split('\n'));
    alphabet.push(" ");

    let (mut text, mut sum, mut count) = (String::new(), 0.0, 0);
    let mut previous = 0;
    for row in probabilities.chunks_exact(alphabet.len()) {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let (class, probability) = best.map_or((0, 0.0), |(class, probability)| (class, *probability));
        // A character stretches over several places; "nothing" stands between two equal characters.
        if class != 0 && class != previous {
            text.push_str(alphabet[class]);
            sum += probability;
            count += 1;
        }
        previous = class;
    }
    Line { text, confidence: if count == 0 { 0.0 } else { sum / count as f32 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities of a reading, given as the class of each place.
    fn places(classes: &[usize]) -> Vec<f32> {
        let size = CHARACTERS.split('\n').count() + 2;
        let mut rows = vec![0.0; classes.len() * size];
        for (place, class) in classes.iter().enumerate() {
            rows[place * size + class] = 0.8;
        }
        rows
    }

    #[test]
    fn repeats_are_one_character_unless_nothing_stands_between() {
        let class = |text: &str| 1 + CHARACTERS.split('\n').position(|c| c == text).unwrap();
        let space = CHARACTERS.split('\n').count() + 1;
        let (a, b) = (class("a"), class("b"));
        let line = decode(&places(&[0, a, a, 0, a, b, b, space, b, 0]));
        assert_eq!(line.text, "aab b");
        assert!((line.confidence - 0.8).abs() < 1e-6);
    }

    #[test]
    fn nothing_anywhere_is_an_empty_line() {
        let line = decode(&places(&[0, 0, 0]));
        assert_eq!((line.text.as_str(), line.confidence), ("", 0.0));
    }
}
