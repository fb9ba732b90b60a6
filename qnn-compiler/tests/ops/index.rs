//! Gather, GatherElements, GatherND, ScatterElements, ScatterND, OneHot, Trilu, EyeLike and Einsum.

use qnn_compiler::graph::DType;

use crate::arithmetic::extents;
use crate::case::{Case, Draft, case};
use crate::movement::{TYPES, typed};
use crate::support::{int, text};

/// Indices into an axis, from both ends.
fn indices(d: &mut Draft, count: usize, extent: usize) -> Vec<i64> {
    let extent = extent as f32;
    d.between(count, -extent, extent)
        .into_iter()
        .map(|v| (v.floor() as i64).clamp(-(extent as i64), extent as i64 - 1))
        .collect()
}

/// Indices as a constant or as an input.
fn index(d: &mut Draft, constant: bool, shape: &[usize], values: &[i64]) -> String {
    if constant {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        d.constant_raw(DType::I64, shape, bytes)
    } else {
        d.input_i64(shape, values)
    }
}

const KINDS: [(&str, bool); 2] = [("constant", true), ("computed", false)];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(gather());
    all.extend(gather_elements());
    all.extend(gather_nd());
    all.extend(scatter());
    all.extend(masks());
    all.extend(einsum());
    all
}

fn gather() -> Vec<Case> {
    let mut all = Vec::new();
    for shape in [&[7usize][..], &[3, 5], &[2, 3, 5], &[2, 3, 4, 5]] {
        for axis in 0..shape.len() {
            for at in [&[][..], &[4], &[2, 3]] {
                if shape.len() + at.len() > 6 {
                    continue;
                }
                for (kind, constant) in KINDS {
                    let label =
                        format!("gather_of_{}_along_{axis}_at_{kind}_{}", extents(shape), extents(at));
                    all.push(case(label, move |d| {
                        let values = indices(d, at.iter().product(), shape[axis]);
                        let (x, i) = (d.input(shape), index(d, constant, at, &values));
                        d.result("Gather", &[&x, &i], &[int("axis", axis as i64)]);
                    }));
                }
            }
        }
    }
    for &(name, dtype, array) in TYPES {
        for (kind, constant) in KINDS {
            all.push(case(format!("gather_of_{name}_at_{kind}_indices"), move |d| {
                let x = typed(d, dtype, array, &[2, 5, 3]);
                let i = index(d, constant, &[4], &[0, -1, 2, 2]);
                d.result("Gather", &[&x, &i], &[int("axis", 1)]);
            }));
        }
    }
    all.push(case("gather_from_a_table_of_words", |d| {
        let (table, i) =
            (d.weight(&[1000, 64]), d.input_i64(&[2, 7], &(0..14).map(|i| i * 71).collect::<Vec<_>>()));
        d.result("Gather", &[&table, &i], &[]);
    }));
    all.push(case("gather_in_reverse_is_a_slice", |d| {
        let (x, i) = (d.input(&[4, 6]), d.ints(&[5, 4, 3, 2, 1, 0]));
        d.result("Gather", &[&x, &i], &[int("axis", 1)]);
    }));
    for (kind, constant) in KINDS {
        all.push(case(format!("gather_of_channels_of_a_convolution_at_{kind}_indices"), move |d| {
            let (x, w) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]));
            let y = d.node("Conv", &[&x, &w], &[]);
            let i = index(d, constant, &[3], &[3, 1, 0]);
            d.result("Gather", &[&y, &i], &[int("axis", 1)]);
        }));
    }
    all
}

fn gather_elements() -> Vec<Case> {
    let mut all = Vec::new();
    for shape in [&[7usize][..], &[3, 5], &[2, 3, 4, 5], &[2, 3, 2, 4, 5]] {
        for axis in [0, shape.len() - 1] {
            for (kind, constant) in KINDS {
                for &(name, dtype, array) in
                    TYPES.iter().filter(|t| ["floats", "integers", "truths"].contains(&t.0))
                {
                    if shape.len() == 1 && name != "floats" || shape.len() == 1 && axis == 0 && !constant {
                        continue;
                    }
                    let label = format!(
                        "gather_elements_of_{name}_{}_along_{axis}_at_{kind}_indices",
                        extents(shape)
                    );
                    if all.iter().any(|c: &Case| c.name == label) {
                        continue;
                    }
                    all.push(case(label, move |d| {
                        let values = indices(d, shape.iter().product(), shape[axis]);
                        let (x, i) = (typed(d, dtype, array, shape), index(d, constant, shape, &values));
                        d.result("GatherElements", &[&x, &i], &[int("axis", axis as i64)]);
                    }));
                }
            }
        }
    }
    all.push(case("gather_elements_with_fewer_indices_than_data", |d| {
        let (x, i) = (d.input(&[4, 5]), d.input_i64(&[2, 3], &[0, 3, 1, 2, 2, 0]));
        d.result("GatherElements", &[&x, &i], &[int("axis", 0)]);
    }));
    all
}

fn gather_nd() -> Vec<Case> {
    let forms: &[(&[usize], usize, &[usize], usize)] = &[
        (&[7], 1, &[3], 0),
        (&[3, 5], 2, &[4], 0),
        (&[2, 3, 5], 2, &[2, 2], 0),
        (&[2, 3, 4, 5], 1, &[3], 0),
        (&[2, 3, 4, 5], 4, &[3], 0),
        (&[2, 3, 4, 5], 1, &[2, 3], 1),
        (&[2, 3, 4, 5], 2, &[2, 3], 1),
        (&[2, 3, 2, 4, 5], 1, &[2, 3, 1], 2),
    ];
    let mut all = Vec::new();
    for &(shape, depth, lead, batch) in forms {
        for (kind, constant) in KINDS {
            for &(name, dtype, array) in TYPES.iter().filter(|t| ["floats", "integers"].contains(&t.0)) {
                let label = format!(
                    "gather_nd_of_{name}_{}_by_{depth}_after_{batch}_at_{kind}_{}",
                    extents(shape),
                    extents(lead)
                );
                all.push(case(label, move |d| {
                    let tuples: usize = lead.iter().product();
                    let columns: Vec<Vec<i64>> =
                        (0..depth).map(|k| indices(d, tuples, shape[batch + k])).collect();
                    let values: Vec<i64> =
                        (0..tuples).flat_map(|t| columns.iter().map(move |c| c[t])).collect();
                    let at: Vec<usize> = lead.iter().copied().chain([depth]).collect();
                    let (x, i) = (typed(d, dtype, array, shape), index(d, constant, &at, &values));
                    d.result("GatherND", &[&x, &i], &[int("batch_dims", batch as i64)]);
                }));
            }
        }
    }
    all
}

fn scatter() -> Vec<Case> {
    let mut all = Vec::new();
    for reduction in ["none", "add", "mul"] {
        for (kind, constant) in KINDS {
            for &(name, dtype, array) in TYPES.iter().filter(|t| ["floats", "integers"].contains(&t.0)) {
                for (shape, depth) in
                    [(&[7usize][..], 1), (&[3, 5], 1), (&[2, 3, 4, 5], 2), (&[2, 3, 2, 4, 5], 3)]
                {
                    let label =
                        format!("scatter_nd_{reduction}_of_{name}_{}_at_{kind}_indices", extents(shape));
                    all.push(case(label, move |d| {
                        // Rows 1 and -1 along the outermost axis, the same elsewhere; twice where that is defined.
                        let twice = reduction != "none";
                        let rows: &[i64] = if twice { &[1, -1, -1] } else { &[0, -1] };
                        let values: Vec<i64> = rows
                            .iter()
                            .flat_map(|&r| (0..depth).map(move |k| if k == 0 { r } else { -1 }))
                            .collect();
                        let updates: Vec<usize> =
                            [rows.len()].into_iter().chain(shape[depth..].iter().copied()).collect();
                        let x = typed(d, dtype, array, shape);
                        let i = index(d, constant, &[rows.len(), depth], &values);
                        let u = small(d, dtype, &updates);
                        d.result("ScatterND", &[&x, &i, &u], &[text("reduction", reduction)]);
                    }));
                }
                for shape in [&[3usize, 5][..], &[2, 3, 4, 5], &[2, 3, 2, 4, 5]] {
                    let label = format!(
                        "scatter_elements_{reduction}_of_{name}_{}_at_{kind}_indices",
                        extents(shape)
                    );
                    all.push(case(label, move |d| {
                        let axis = shape.len() - 1;
                        let mut at = shape.to_vec();
                        at[axis] = 2;
                        let count: usize = at.iter().product();
                        // Two different places of each row, or the same one twice.
                        let twice = reduction != "none";
                        let values: Vec<i64> =
                            (0..count).map(|i| if twice { -1 } else { i as i64 % 2 - 1 }).collect();
                        let x = typed(d, dtype, array, shape);
                        let (i, u) = (index(d, constant, &at, &values), small(d, dtype, &at));
                        d.result(
                            "ScatterElements",
                            &[&x, &i, &u],
                            &[int("axis", -1), text("reduction", reduction)],
                        );
                    }));
                }
            }
        }
    }
    all.push(case("scatter_elements_into_few_places", |d| {
        let (x, u) = (d.input(&[4, 5]), d.input(&[2, 3]));
        let i = d.input_i64(&[2, 3], &[0, 3, 1, 2, 2, 0]);
        d.result("ScatterElements", &[&x, &i, &u], &[int("axis", 0)]);
    }));
    all
}

/// Updates small enough to be multiplied.
fn small(d: &mut Draft, dtype: DType, shape: &[usize]) -> String {
    let count: usize = shape.iter().product();
    if dtype == DType::F32 {
        let values = d.between(count, 0.5, 2.0);
        d.input_f32(shape, &values)
    } else {
        d.input_i64(shape, &(0..count as i64).map(|i| i % 5 - 2).collect::<Vec<_>>())
    }
}

fn masks() -> Vec<Case> {
    let mut all = Vec::new();
    for (shape, axis) in [(&[4usize][..], -1i64), (&[2, 3], 0), (&[2, 3], 1), (&[2, 3, 2, 2], 2)] {
        for (name, float) in [("floats", true), ("integers", false)] {
            all.push(case(format!("one_hot_of_{name}_{}_along_{axis}", extents(shape)), move |d| {
                let values = indices(d, shape.iter().product(), 7);
                let i = d.input_i64(shape, &values);
                let depth = d.constant_raw(DType::I64, &[], 5i64.to_le_bytes().to_vec());
                let pair = if float { d.constant(&[2], &[0.5, 2.0]) } else { d.ints(&[1, 70_001]) };
                d.result("OneHot", &[&i, &depth, &pair], &[int("axis", axis)]);
            }));
        }
    }
    for upper in [0, 1] {
        for k in [0i64, 1, -1, 9] {
            let side = if upper == 1 { "upper" } else { "lower" };
            all.push(case(format!("trilu_{side}_from_diagonal_{k}"), move |d| {
                let x = d.input(&[2, 4, 5]);
                let k = d.constant_raw(DType::I64, &[], k.to_le_bytes().to_vec());
                d.result("Trilu", &[&x, &k], &[int("upper", upper)]);
            }));
        }
    }
    all.push(case("trilu_of_integers_of_five_axes", |d| {
        let x = d.input_i64(&[2, 1, 2, 3, 3], &(0..36).map(|i| i * 70_001).collect::<Vec<_>>());
        d.result("Trilu", &[&x], &[]);
    }));
    all.push(case("trilu_of_minus_infinity_masks", |d| {
        let (x, m) = (d.input(&[4, 4]), d.constant(&[4, 4], &[f32::NEG_INFINITY; 16]));
        let k = d.constant_raw(DType::I64, &[], 1i64.to_le_bytes().to_vec());
        let mask = d.node("Trilu", &[&m, &k], &[]);
        let y = d.node("Add", &[&x, &mask], &[]);
        d.result("Softmax", &[&y], &[]);
    }));
    all.push(case("eye_like", |d| {
        let x = d.input(&[3, 4]);
        let eye = d.node("EyeLike", &[&x], &[int("k", 1)]);
        d.result("Add", &[&x, &eye], &[]);
    }));
    all
}

fn einsum() -> Vec<Case> {
    let forms: &[(&str, &str, &[&[usize]])] = &[
        ("a_product", "ij,jk->ik", &[&[3, 4], &[4, 5]]),
        ("a_batched_product", "bij,bjk->bik", &[&[2, 3, 4], &[2, 4, 5]]),
        ("scores", "bhqd,bhkd->bhqk", &[&[2, 2, 3, 4], &[2, 2, 5, 4]]),
        ("values", "bhqk,bkhd->bqhd", &[&[2, 2, 3, 4], &[2, 4, 2, 5]]),
        ("relative_positions", "bhwc,hkc->bhwk", &[&[2, 3, 4, 5], &[3, 6, 5]]),
        ("a_transpose", "ij->ji", &[&[3, 4]]),
        ("a_sum", "ijk->ik", &[&[3, 4, 5]]),
        ("an_outer_product", "i,j->ij", &[&[3], &[4]]),
        ("a_product_of_the_first_axes", "bij,bik->bjk", &[&[2, 3, 4], &[2, 3, 5]]),
        ("a_product_without_arrow", "abc,cd", &[&[2, 3, 4], &[4, 5]]),
        ("channels", "nctw,cd->ndtw", &[&[1, 4, 3, 5], &[4, 6]]),
    ];
    forms
        .iter()
        .map(|&(name, equation, shapes)| {
            case(format!("einsum_of_{name}"), move |d| {
                let inputs: Vec<String> = shapes.iter().map(|s| d.input(s)).collect();
                let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
                d.result("Einsum", &names, &[text("equation", equation)]);
            })
        })
        .collect()
}
