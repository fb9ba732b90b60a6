//! The estimate of a graph as one page of HTML that needs nothing else.

use std::fmt::Write;

use qnn_types::Estimate;

use super::trace::{NodeCost, Traced};
use crate::term::size;

/// Nodes that the page shows.
const SHOWN: usize = 60;
/// Width of the picture of VTCM, pixels.
const WIDE: f64 = 900.0;
/// Its height.
const HIGH: f64 = 160.0;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
td,th{padding:.25rem .6rem;text-align:left;border-bottom:1px solid #e3e6ea;vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}\
.bar{background:#2f7ed8;height:.8rem;border-radius:2px;min-width:1px}.small{color:#59636e;font-size:.85em}\
.facts{display:flex;flex-wrap:wrap;gap:1rem}.facts div{border:1px solid #e3e6ea;border-radius:6px;padding:.5rem 1rem}.facts b{display:block;font-size:1.25rem}\
@media(prefers-color-scheme:dark){body{background:#15181c;color:#dfe3e8}td,th,.facts div{border-color:#333a42}.small{color:#9aa4af}}";

/// The page of a graph of `model`; `on` says what was simulated for which SoC.
pub(crate) fn html(model: &str, on: &str, estimate: &Estimate, traced: &Traced) -> String {
    let mut page = String::new();
    let title = format!("{}, graph {}", escaped(model), escaped(&estimate.graph));
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{}</p>",
        escaped(on)
    );
    page.push_str("<div class=\"facts\">");
    for (what, value) in facts(estimate) {
        let _ = write!(page, "<div><b>{}</b>{what}</div>", escaped(&value));
    }
    page.push_str("</div>");
    if estimate.ops_without_cost > 0 {
        let _ = write!(
            page,
            "<p>The simulation has no cost of {} ops: the cycles are too low.</p>",
            estimate.ops_without_cost
        );
    }
    page.push_str("<h2>Time by node of the model</h2><table><tr><th>node<th>operator<th class=\"n\">busy cycles<th class=\"n\">part<th style=\"width:25%\"><th class=\"n\">from DRAM<th class=\"n\">to DRAM");
    let largest = traced.nodes.first().map_or(1, |node| node.busy_cycles.max(1));
    for node in traced.nodes.iter().take(SHOWN) {
        row(&mut page, node, largest);
    }
    page.push_str("</table>");
    if traced.nodes.len() > SHOWN {
        let _ = write!(page, "<p class=\"small\">and {} more nodes</p>", traced.nodes.len() - SHOWN);
    }
    let _ = write!(
        page,
        "<p class=\"small\">Busy cycles count every thread; {:.1} % of them belong to the nodes above, the rest to the library's own ops.</p>",
        traced.named * 100.0
    );
    vtcm(&mut page, traced);
    page.push_str("</html>\n");
    page
}

fn facts(estimate: &Estimate) -> Vec<(&'static str, String)> {
    vec![
        ("simulated time", format!("{} µs", estimate.microseconds)),
        ("cycles", estimate.cycles.to_string()),
        ("least and most", format!("{} to {}", estimate.cycles_lower, estimate.cycles_upper)),
        ("spilled to DRAM", size(estimate.spill_bytes)),
        ("read back", size(estimate.fill_bytes)),
        ("inputs", size(estimate.input_bytes)),
        ("outputs", size(estimate.output_bytes)),
    ]
}

fn row(page: &mut String, node: &NodeCost, largest: u64) {
    let internal: Vec<String> = node.internal.iter().take(3).map(|(op, _)| escaped(op)).collect();
    let advice = node.advice.map_or(String::new(), |advice| format!("<br>{}", escaped(advice)));
    let _ = write!(
        page,
        "<tr><td>{}<div class=\"small\">{}{advice}</div><td>{}<td class=\"n\">{}<td class=\"n\">{:.1} %<td><div class=\"bar\" style=\"width:{:.1}%\"></div>\
         <td class=\"n\">{}<td class=\"n\">{}",
        escaped(&node.node),
        internal.join(", "),
        escaped(&node.op),
        node.busy_cycles,
        node.share * 100.0,
        100.0 * node.busy_cycles as f64 / largest as f64,
        size(node.dram_read_bytes),
        size(node.dram_write_bytes)
    );
}

/// The curve of VTCM in use over time.
fn vtcm(page: &mut String, traced: &Traced) {
    let most = traced.vtcm.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    if most == 0 || traced.end == 0 {
        return;
    }
    let points: Vec<String> = traced
        .vtcm
        .iter()
        .map(|&(cycle, bytes)| {
            let x = WIDE * cycle as f64 / traced.end as f64;
            let y = HIGH * (1.0 - bytes as f64 / most as f64);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let _ = write!(
        page,
        "<h2>VTCM in use over time</h2><svg viewBox=\"0 0 {WIDE} {HIGH}\" style=\"width:100%\" role=\"img\" aria-label=\"VTCM in use over time\">\
         <polyline fill=\"none\" stroke=\"#2f7ed8\" stroke-width=\"1.5\" points=\"{}\"/></svg><p class=\"small\">at most {}, from cycle 0 to {}</p>",
        points.join(" "),
        size(most),
        traced.end
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
