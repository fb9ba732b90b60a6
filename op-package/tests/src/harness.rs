//! Cases for `harness/harness.c`, and running them.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::stored::Encoding;

/// The numbers of harness.c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    Convert,
    AddBias,
    Silu,
    SiluMul,
    RmsNorm,
    LayerNorm,
    Rope,
    CausalMask,
    KvAppend,
    KvAppendInPlace,
}

#[derive(Clone, Debug)]
pub struct Buffer {
    pub encoding: Encoding,
    pub bytes: Vec<u8>,
}

/// One call of a kernel. Buffer 0 is the output.
#[derive(Clone, Debug)]
pub struct Case {
    pub kernel: Kernel,
    pub begin: usize,
    pub end: usize,
    pub arguments: Vec<u32>,
    pub buffers: Vec<Buffer>,
}

impl Case {
    fn write(&self, repetitions: u32, to: &mut Vec<u8>) {
        let mut word = |value: u32| to.extend(value.to_le_bytes());
        word(self.kernel as u32);
        word(repetitions);
        word(self.begin as u32);
        word(self.end as u32);
        for index in 0..8 {
            word(self.arguments.get(index).copied().unwrap_or(0));
        }
        word(self.buffers.len() as u32);
        for Buffer { encoding, bytes } in &self.buffers {
            let words =
                [encoding.stored as u32, encoding.zero as u32, encoding.step.to_bits(), bytes.len() as u32];
            words.iter().for_each(|value| to.extend(value.to_le_bytes()));
            to.extend(bytes);
        }
    }
}

/// What one execution took, as QEMU counts; zeros elsewhere. A packet is up to four instructions that a Hexagon processor
/// executes together: packets are nearer to cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub packets: u32,
    pub instructions: u32,
}

/// Runs all cases in one process of a command, and returns the output buffer of each.
///
/// Fails where the process dies, which it does when a kernel touches a byte behind a buffer, and where it wrote before its output.
pub fn run(command: &mut Command, cases: &[Case]) -> Vec<Vec<u8>> {
    run_repeatedly(command, cases, 1).into_iter().map(|(output, _)| output).collect()
}

/// Counts one execution of each case: that of two, less that of one.
pub fn count(command: impl Fn() -> Command, cases: &[Case]) -> Vec<Count> {
    let [one, two] = [1, 2].map(|repetitions| run_repeatedly(&mut command(), cases, repetitions));
    let counts = |run: Vec<(Vec<u8>, Count)>| run.into_iter().map(|(_, count)| count);
    let difference = |(one, two): (Count, Count)| Count {
        packets: two.packets - one.packets,
        instructions: two.instructions - one.instructions,
    };
    counts(one).zip(counts(two)).map(difference).collect()
}

fn run_repeatedly(command: &mut Command, cases: &[Case], repetitions: u32) -> Vec<(Vec<u8>, Count)> {
    let mut input = Vec::new();
    cases.iter().for_each(|case| case.write(repetitions, &mut input));
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut output = Vec::new();
    std::thread::scope(|scope| {
        // A program that died early leaves the pipe closed; its status says so below.
        scope.spawn(move || drop(to.write_all(&input)));
        from.read_to_end(&mut output).unwrap();
    });
    let status = child.wait().unwrap();

    let mut answers = Vec::new();
    let mut rest = &output[..];
    for (index, case) in cases.iter().enumerate() {
        let length = case.buffers[0].bytes.len();
        let Some((answer, more)) = rest.split_at_checked(length + 12) else {
            panic!("{command:?} died at case {index}, {status}: {}", describe(case));
        };
        let word = |at: usize| u32::from_le_bytes(answer[length + at..][..4].try_into().unwrap());
        assert_eq!(word(0), 0, "written before the output: {}", describe(case));
        answers.push((answer[..length].to_vec(), Count { packets: word(4), instructions: word(8) }));
        rest = more;
    }
    assert!(status.success() && rest.is_empty(), "{command:?} ended with {status}");
    answers
}

pub fn describe(case: &Case) -> String {
    let buffers: Vec<String> = case
        .buffers
        .iter()
        .map(|b| format!("{:?} x {}", b.encoding.stored, b.bytes.len() / b.encoding.stored.size()))
        .collect();
    format!(
        "{:?} {}..{} arguments {:?} buffers {}",
        case.kernel,
        case.begin,
        case.end,
        case.arguments,
        buffers.join(", ")
    )
}
