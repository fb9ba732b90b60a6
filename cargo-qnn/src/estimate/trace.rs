//! The simulation's trace of a graph, by nodes of the user's model.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::advice;
use crate::failure::{Failure, Result};

/// Numbers of the library's own ops that carry inputs and outputs.
const ENDS: [(u64, &str); 2] = [(2, "inputs"), (3, "outputs")];

/// A node of the model with what it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct NodeCost {
    /// Its name, or `inputs` and `outputs` of the graph.
    pub(crate) node: String,
    /// Its operator.
    pub(crate) op: String,
    /// Cycles of all ops that it became, on all threads.
    pub(crate) busy_cycles: u64,
    /// Of the busy cycles of the graph, the part.
    pub(crate) share: f64,
    /// Bytes from DRAM.
    pub(crate) dram_read_bytes: u64,
    /// Bytes to DRAM.
    pub(crate) dram_write_bytes: u64,
    /// The library's ops that it became, with their busy cycles, the dearest first.
    pub(crate) internal: Vec<(String, u64)>,
    /// What makes it cheaper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<&'static str>,
}

/// A graph's trace.
#[derive(Debug)]
pub(crate) struct Traced {
    /// Chrome's trace format, with the model's names.
    pub(crate) chrome: Value,
    /// Nodes, the dearest first.
    pub(crate) nodes: Vec<NodeCost>,
    /// Part of the busy cycles that belongs to nodes of the model, or to its inputs and outputs.
    pub(crate) named: f64,
    /// Bytes of VTCM in use over time: cycle, bytes.
    pub(crate) vtcm: Vec<(u64, u64)>,
    /// Cycle at which the last op ends.
    pub(crate) end: u64,
}

/// Reads what a compile wrote into `folder` about `graph`; `None` where it wrote no trace.
///
/// # Errors
/// A file that is not what the library writes.
pub(crate) fn read(folder: &Path, graph: &str) -> Result<Option<Traced>> {
    let Ok(text) = fs::read(folder.join(format!("{graph}.trace.json"))) else { return Ok(None) };
    let broken =
        |what: &str| Failure::user(format!("the library's {what} of graph {graph:?} cannot be read"));
    let chrome: Value = serde_json::from_slice(&text).map_err(|_| broken("trace"))?;
    let schematic =
        fs::read(folder.join(format!("{graph}_schematic.bin"))).map_err(|_| broken("schematic"))?;
    let origins =
        fs::read(folder.join(format!("{graph}.nodes.json"))).map_err(|_| broken("list of nodes"))?;
    let origins: BTreeMap<String, (String, String)> =
        serde_json::from_slice(&origins).map_err(|_| broken("list of nodes"))?;
    let names = numbers(&String::from_utf8_lossy(&schematic));
    Ok(Some(named(chrome, &names, &origins)))
}

/// The names of our ops by the library's numbers.
fn numbers(schematic: &str) -> BTreeMap<u64, String> {
    let begin = "qnn_name_translations = {";
    let lines = schematic.split_once(begin).map_or("", |(_, rest)| rest).lines();
    let entry = |line: &str| {
        let (number, name) = line.split_once(": '")?;
        let number = u64::from_str_radix(number.trim().strip_prefix("0x")?, 16).ok()?;
        Some((number, name.strip_suffix("',")?.to_owned()))
    };
    lines.skip(1).take_while(|line| !line.starts_with('}')).filter_map(entry).collect()
}

fn named(
    mut chrome: Value,
    names: &BTreeMap<u64, String>,
    origins: &BTreeMap<String, (String, String)>,
) -> Traced {
    let mut nodes: BTreeMap<(String, String), NodeCost> = BTreeMap::new();
    let (mut all, mut known, mut end) = (0, 0, 0);
    let mut vtcm = Vec::new();
    for event in chrome["traceEvents"].as_array_mut().into_iter().flatten() {
        let number = |event: &Value, key: &str| event[key].as_u64().unwrap_or_default();
        match event["ph"].as_str() {
            Some("C") if event["name"] == "TCM usage" => {
                vtcm.push((number(event, "ts"), number(&event["args"], "Bytes")));
            }
            Some("X") => {
                let cycles = number(event, "dur");
                all += cycles;
                end = end.max(number(event, "ts") + cycles);
                let Some((node, op)) = origin(&event["args"]["id"], names, origins) else { continue };
                known += cycles;
                event["args"]["library_name"] = event["name"].take();
                event["name"] =
                    if op.is_empty() { node.clone().into() } else { format!("{node} ({op})").into() };
                let what = event["args"]["opcode"].as_str().unwrap_or_default();
                let what = what.split(['@', '.']).next().unwrap_or_default().to_owned();
                let traffic = &event["args"]["bw_info"];
                let cost = nodes.entry((node.clone(), op.clone())).or_default();
                cost.busy_cycles += cycles;
                cost.dram_read_bytes += number(traffic, "dram_read");
                cost.dram_write_bytes += number(traffic, "dram_write");
                if what.is_empty() {
                    // Waits of the thread that hands out work.
                    continue;
                }
                match cost.internal.iter_mut().find(|(name, _)| *name == what) {
                    Some((_, sum)) => *sum += cycles,
                    None => cost.internal.push((what, cycles)),
                }
            }
            _ => {}
        }
    }
    let part = |cycles: u64| cycles as f64 / (all.max(1)) as f64;
    let mut nodes: Vec<NodeCost> = nodes
        .into_iter()
        .map(|((node, op), cost)| {
            let mut internal = cost.internal;
            internal.sort_by_key(|(_, cycles)| std::cmp::Reverse(*cycles));
            let share = part(cost.busy_cycles);
            NodeCost { advice: advice::about(&op, &internal), node, op, share, internal, ..cost }
        })
        .collect();
    nodes.sort_by(|a, b| b.busy_cycles.cmp(&a.busy_cycles).then_with(|| a.node.cmp(&b.node)));
    Traced { chrome, nodes, named: part(known), vtcm, end }
}

/// The model's node that one of the library's ops comes from: its number's lower half is that of the op that we gave it.
fn origin(
    id: &Value,
    names: &BTreeMap<u64, String>,
    origins: &BTreeMap<String, (String, String)>,
) -> Option<(String, String)> {
    let id = u64::from_str_radix(id.as_str()?.strip_prefix("0x")?, 16).ok()? & 0xffff_ffff;
    if let Some((_, end)) = ENDS.iter().find(|(number, _)| *number == id) {
        return Some(((*end).to_owned(), String::new()));
    }
    let name = names.get(&id)?;
    Some(origins.get(name).cloned().unwrap_or_else(|| (name.clone(), String::new())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_up_to_the_end_of_their_list() {
        let text = "x = {\n}\nqnn_name_translations = {\n0x0091: '/a/Conv',\n0x95: 'it's',\n}\n0x96: 'no',\n";
        let expected = [(0x91, "/a/Conv".to_owned()), (0x95, "it's".to_owned())];
        assert_eq!(numbers(text), BTreeMap::from(expected));
    }
}
