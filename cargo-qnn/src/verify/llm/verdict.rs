//! What an evaluation says, and whether that is near enough.

use qnn_types::Evaluation;

use crate::failure::Failure;
use crate::table::columns;

/// How near the logits of single tokens have to be to those of prefill, dB.
const SAME_PATH: f64 = 40.0;

/// Why an evaluation is not good enough; `None` where it is.
pub(crate) fn failure(evaluation: &Evaluation, min_sqnr: f64) -> Option<Failure> {
    let decode = evaluation.decode_db.unwrap_or(f64::INFINITY);
    if evaluation.sqnr_db >= min_sqnr && decode >= SAME_PATH {
        return None;
    }
    let failure = Failure::user(format!(
        "too far from the reference: logits {:.1} dB, single tokens {decode:.1} dB from prefill",
        evaluation.sqnr_db,
    ));
    let departs = evaluation.layers.iter().find(|(_, db)| *db < min_sqnr);
    Some(match departs {
        Some((layer, db)) => failure.note(format!("the first layer that departs is `{layer}`: {db:.1} dB")),
        None if evaluation.layers.is_empty() => {
            failure.help("--layers shows where in the model numbers depart")
        }
        None => failure,
    })
}

/// As a table.
pub(crate) fn table(evaluation: &Evaluation) -> String {
    let mut rows = vec![
        ("tokens predicted".to_owned(), evaluation.predicted.to_string()),
        ("perplexity".to_owned(), format!("{:.3}", evaluation.perplexity)),
        ("  of the reference".to_owned(), format!("{:.3}", evaluation.reference_perplexity)),
        ("logits".to_owned(), format!("{:.1} dB", evaluation.sqnr_db)),
        ("same most likely token".to_owned(), format!("{:.2} %", 100.0 * evaluation.same_top)),
    ];
    if let Some(db) = evaluation.decode_db {
        rows.push(("single tokens against prefill".to_owned(), format!("{db:.1} dB")));
    }
    rows.extend(evaluation.layers.iter().map(|(layer, db)| (layer.clone(), format!("{db:.1} dB"))));
    rows.push(("run".to_owned(), evaluation.artifacts.join(", ")));
    rows.extend(evaluation.not_run.iter().map(|what| ("not run".to_owned(), what.clone())));
    columns(&rows.into_iter().map(|(name, value)| vec![name, value]).collect::<Vec<_>>())
}
